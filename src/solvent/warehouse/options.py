"""Options of the warehouse: `sql/warehouse/options/NAME.sql` makes one, `NAME.off.sql` takes it back.

The configuration says which are on. Unlike a migration an option may be edited: the next deploy takes it back and makes
it anew. Statements run one by one, since some of Redshift's refuse a transaction, so each must be one that can run
again; what failed half-way is finished by the next deploy.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import DataApi
from solvent.warehouse.migrations import sql_files, statements

LEDGER = (
    "CREATE TABLE IF NOT EXISTS ops.options_ledger (name VARCHAR(120) NOT NULL, checksum VARCHAR(64) NOT NULL, "
    "applied_at TIMESTAMP NOT NULL, PRIMARY KEY (name)) DISTSTYLE ALL SORTKEY (name)"
)
_STANDS = "SELECT name, checksum FROM ops.options_ledger"
_OFF = ".off.sql"


class OptionError(Exception):
    """An option is wanted that has no files, or has only one of its two."""


@dataclass(frozen=True)
class Option:
    """One option: the statements that make it, and those that take it back."""

    name: str
    on: str
    off: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.on.encode()).hexdigest()


def apply(api: DataApi, wanted: Collection[str], *, prefix: str) -> list[str]:
    """Make the wanted options that are new or edited, take back those no longer wanted; returns the names of both.

    `prefix`, e.g. `solvent-dev`, takes the place of `${prefix}` in their files.

    What the ledger has and the files do not stays: a stack that rolls back runs the previous version's code.
    Raises OptionError before anything is done, or DataApiError.
    """
    known = read()
    strangers = sorted(set(wanted) - set(known))
    if strangers:
        raise OptionError(
            f"There is no option {', '.join(strangers)}: sql/warehouse/options/ has {', '.join(known)}. "
            "No option was changed."
        )
    api.execute(LEDGER)
    there = {str(name): str(checksum) for name, checksum in api.query(_STANDS).rows}
    touched = []
    for name, option in known.items():
        stands, should = there.get(name), option.checksum if name in wanted else None
        if stands == should:
            continue
        taken_back = [*statements(option.off, prefix), _forget(option)] if stands else []
        made = [*statements(option.on, prefix), _record(option)] if should else []
        for statement in taken_back + made:
            api.execute(statement)
        touched.append(name)
    return touched


def read() -> dict[str, Option]:
    """All options by name."""
    return parse(sql_files("warehouse/options"))


def parse(files: Mapping[str, str]) -> dict[str, Option]:
    """Options from file names and texts. Raises OptionError for one that has only one of its files."""
    names = sorted({name.removesuffix(_OFF).removesuffix(".sql") for name in files})
    for name in names:
        for file in (f"{name}.sql", f"{name}{_OFF}"):
            if file not in files:
                raise OptionError(f"sql/warehouse/options/{file} is missing: an option can be made and taken back.")
    return {name: Option(name, files[f"{name}.sql"], files[f"{name}{_OFF}"]) for name in names}


def _forget(option: Option) -> str:
    return f"DELETE FROM ops.options_ledger WHERE name = {sql.literal(option.name)}"  # noqa: S608


def _record(option: Option) -> str:
    values = f"{sql.literal(option.name)}, {sql.literal(option.checksum)}"
    return f"INSERT INTO ops.options_ledger (name, checksum, applied_at) VALUES ({values}, GETDATE())"  # noqa: S608
