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


@dataclass(frozen=True)
class Change:
    """What an upgrade does with an option: takes it back, makes it, or both when it was edited."""

    option: Option
    taken_back: bool
    made: bool

    def statements(self, prefix: str) -> list[str]:
        """`prefix`, e.g. `solvent-dev`, takes the place of `${prefix}` in the files."""
        back = [*statements(self.option.off, prefix), _forget(self.option)] if self.taken_back else []
        made = [*statements(self.option.on, prefix), _record(self.option)] if self.made else []
        return back + made

    def __str__(self) -> str:
        return "edited" if self.taken_back and self.made else "on" if self.made else "off"


def apply(api: DataApi, wanted: Collection[str], *, prefix: str) -> list[str]:
    """Make the wanted options that are new or edited, take back those no longer wanted; returns the names of both.

    Raises OptionError before anything is done, or DataApiError.
    """
    plan({}, wanted)  # refuses an unknown one before the warehouse is asked
    api.execute(LEDGER)
    changes = plan(stands(api), wanted)
    for statement in [s for change in changes for s in change.statements(prefix)]:
        api.execute(statement)
    return [change.option.name for change in changes]


def stands(api: DataApi) -> dict[str, str]:
    """What the ledger says of the options that are on: name -> checksum."""
    rows = api.query("SELECT name, checksum FROM ops.options_ledger").rows
    return {str(name): str(checksum) for name, checksum in rows}


def plan(there: Mapping[str, str], wanted: Collection[str]) -> list[Change]:
    """What differs from what is wanted. Raises OptionError for an option that there is not.

    What the ledger has and the files do not stays: a stack that rolls back runs the previous version's code.
    """
    known = read()
    if strangers := sorted(set(wanted) - set(known)):
        raise OptionError(
            f"There is no option {', '.join(strangers)}: sql/warehouse/options/ has {', '.join(known)}. "
            "No option was changed."
        )
    should = {name: option.checksum for name, option in known.items() if name in wanted}
    return [
        Change(option, taken_back=name in there, made=name in wanted)
        for name, option in known.items()
        if there.get(name) != should.get(name)
    ]


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
