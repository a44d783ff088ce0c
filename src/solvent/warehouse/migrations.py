"""Numbered migrations of the warehouse, `sql/warehouse/NNNN_name.sql`, each applied once and never edited afterwards.

`0000_ledger.sql` makes the ledger and runs every time. A migration is sent in transactions of at most 40 statements,
its ledger row in the last one; so a longer one must consist of statements that may run twice.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from solvent.warehouse.data_api import MOST_STATEMENTS, DataApi
from solvent.warehouse.statements import literal

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_PREFIX = re.compile(r"[a-z][a-z0-9-]{1,40}")
_TOKENS = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$\$.*?\$\$|;|[^-/'\"$;]+|.", re.DOTALL)
_REPEATABLE = re.compile(
    r"(CREATE\s+(SCHEMA|TABLE)\s+IF\s+NOT\s+EXISTS|COMMENT\s+ON|GRANT|REVOKE|CREATE\s+OR\s+REPLACE)\b", re.I
)


class MigrationError(Exception):
    """The files and the ledger contradict each other; nothing has been applied. The message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file. `checksum` is of its text as committed, before `${prefix}` is replaced."""

    version: str
    name: str
    text: str

    @property
    def file(self) -> str:
        return f"{self.version}_{self.name}.sql"

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, prefix: str) -> list[str]:
        """Its statements for one environment; `prefix` is e.g. `solvent-dev`."""
        return statements(self.text, prefix)


def applied(api: DataApi) -> dict[str, str]:
    """What the ledger says: version -> checksum."""
    rows = api.query("SELECT version, checksum FROM ops.schema_migrations").rows
    return {str(version): str(checksum) for version, checksum in rows}


def apply(api: DataApi, *, prefix: str, timeout: float = 600) -> list[str]:
    """Bring the warehouse up to date; returns the versions applied now. Raises MigrationError or DataApiError."""
    ledger, *numbered = read()
    api.batch(ledger.statements(prefix), timeout=timeout)
    pending = plan(numbered, applied(api))
    for migration in pending:
        for batch in _batches(migration, prefix):
            api.batch(batch, timeout=timeout)
    return [m.version for m in pending]


def plan(files: Sequence[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """The migrations still to apply, in order. Raises MigrationError for an edited or a late one.

    A ledger that is ahead of the files is accepted: a stack that rolls back runs the previous version's code.
    """
    for migration in files:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationError(
                f"Migration {migration.file} was edited after it was applied. "
                "Restore it, and put the change into a new migration."
            )
    pending = [m for m in files if m.version not in applied]
    latest = max(applied, default="")
    late = [m.version for m in pending if m.version < latest]
    if late:
        raise MigrationError(f"Migration {late[0]} comes after {latest} has been applied: give it the next number.")
    return pending


def read() -> list[Migration]:
    """All migrations in order, the ledger's first."""
    return parse(sql_files("warehouse"))


def sql_files(folder: str) -> dict[str, str]:
    """Name -> text of the SQL files of `sql/<folder>`: from the package when they were shipped, else from the checkout.

    `warehouse` has migrations, `warehouse/options` options, `marts` marts.
    """
    shipped: Traversable = resources.files("solvent").joinpath("_sql")
    root = shipped if shipped.is_dir() else Path(__file__).resolve().parents[3] / "sql"
    return {p.name: p.read_text() for p in root.joinpath(folder).iterdir() if p.name.endswith(".sql")}


def parse(files: Mapping[str, str]) -> list[Migration]:
    """Migrations from file names and texts. Raises MigrationError unless they are numbered 0000, 0001, ..."""
    found = []
    for name in sorted(files):
        match = _FILE.fullmatch(name)
        if not match:
            raise MigrationError(f"{name} is no migration: name it NNNN_what_it_does.sql.")
        found.append(Migration(match[1], match[2], files[name]))
    expected = [f"{number:04d}" for number in range(len(found))]
    if not found or [m.version for m in found] != expected:
        raise MigrationError(
            f"Migrations must be numbered 0000, 0001, ... without a gap; there are {[m.version for m in found]}."
        )
    return found


def statements(text: str, prefix: str) -> list[str]:
    """The statements of a file for one environment, with `prefix` for `${prefix}`. Raises MigrationError."""
    if not _PREFIX.fullmatch(prefix):
        raise MigrationError(f"{prefix!r} is no prefix of this platform's names.")
    return split(text.replace("${prefix}", prefix))


def split(text: str) -> list[str]:
    """The statements of a file, without comments and semicolons; quoted text and $$ bodies stay whole."""
    statements, current = [], ""
    for part in _TOKENS.findall(text + "\n;"):
        if part == ";":
            if current.strip():
                statements.append(current.strip())
            current = ""
        elif not part.startswith(("--", "/*")):
            current += part
    return statements


def _batches(migration: Migration, prefix: str) -> list[list[str]]:
    values = ", ".join(literal(v) for v in (migration.version, migration.name, migration.checksum))
    record = f"INSERT INTO ops.schema_migrations (version, name, checksum, applied_at) VALUES ({values}, GETDATE())"  # noqa: S608
    statements = [*migration.statements(prefix), record]
    if len(statements) > MOST_STATEMENTS:
        once = next((s for s in statements[:-1] if not _REPEATABLE.match(s)), None)
        if once:
            raise MigrationError(
                f"Migration {migration.version} has {len(statements) - 1} statements, too many for one transaction, "
                f"and this one cannot run twice: {once[:80]}. Split the file."
            )
    return [statements[i : i + MOST_STATEMENTS] for i in range(0, len(statements), MOST_STATEMENTS)]
