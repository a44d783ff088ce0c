"""Bringing the warehouse up to date with the files: migrations, the procedures of the loads, marts, options.

The function `migrate` applies what was shipped with it, at every deploy that changes any of it; `solvent migrate` asks
it for the ledgers, and says what of the checkout it has not seen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from solvent import contracts
from solvent.naming import Names
from solvent.warehouse import marts, merging, migrations, options, regions
from solvent.warehouse.data_api import DataApi
from solvent.warehouse.marts import Mart
from solvent.warehouse.migrations import Migration

_LEDGERS = "SELECT table_name FROM svv_tables WHERE table_schema = 'ops'"


@dataclass(frozen=True)
class Ledgers:
    """What has been applied: migrations (version -> checksum), marts (name -> kind and checksum), options (name ->
    checksum).
    """

    migrations: dict[str, str]
    marts: dict[str, tuple[str, str]]
    options: dict[str, str]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Ledgers":
        """From JSON, where tuples are lists."""
        made = {name: (kind, checksum) for name, (kind, checksum) in told["marts"].items()}
        return cls(dict(told["migrations"]), made, dict(told["options"]))


@dataclass(frozen=True)
class Pending:
    """What an upgrade would do, in this order; `gone` are marts that it would drop."""

    migrations: list[Migration]
    marts: list[Mart]
    gone: list[str]
    options: list[options.Change]

    def __bool__(self) -> bool:
        return bool(self.migrations or self.marts or self.gone or self.options)


def ledgers(api: DataApi) -> Ledgers:
    """Read the ledgers; what a new warehouse has not yet is empty. Raises DataApiError."""
    there = {str(row[0]) for row in api.query(_LEDGERS).rows}
    return Ledgers(
        migrations.applied(api) if "schema_migrations" in there else {},
        marts.stands(api) if "marts_ledger" in there else {},
        options.stands(api) if "options_ledger" in there else {},
    )


def pending(done: Ledgers, wanted: Collection[str] = ()) -> Pending:
    """What of the files is not in the ledgers, and which options are not as wanted. Raises MigrationError for an edited
    or late file, MartError and OptionError.
    """
    known = marts.read()
    return Pending(
        migrations.plan(migrations.read()[1:], done.migrations),
        marts.plan(known, {name: checksum for name, (_, checksum) in done.marts.items()}),
        sorted(set(done.marts) - {m.name for m in known}),
        options.plan(done.options, wanted),
    )


def whole(prefix: str) -> list[list[str]]:
    """The transactions that make all of it in an empty warehouse, but for the ledgers' rows: what tests start from."""
    known = marts.read()
    return [
        *(migration.statements(prefix) for migration in migrations.read()),
        list(marts.LEDGER),
        merging.procedures(contracts.load()),
        *(mart.create() for mart in known),
        marts.refresh_procedure(known),
    ]


def apply(
    api: DataApi, names: Names, *, wanted: Collection[str] = (), groups: Mapping[str, Collection[str]] | None = None
) -> dict[str, list[str]]:
    """Do all of it, with the options `wanted` and no other; returns {"migrations", "marts", "options"}, the versions
    and names of what was applied now. `groups` of analysts see their regions only, if that option is wanted.

    What has been done stays done when a later part fails; the next call goes on there. Raises MigrationError,
    MartError, OptionError or DataApiError.
    """
    done = {"migrations": migrations.apply(api, prefix=names.prefix)}
    api.batch(merging.procedures(contracts.load()))
    done |= {"marts": marts.apply(api), "options": options.apply(api, wanted, prefix=names.prefix)}
    if regions.OPTION in wanted:
        regions.apply(api, groups or {}, names)
    return done
