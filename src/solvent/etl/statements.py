"""All SQL of a portfolio's ETL, in order: what the contracts imply, then the steps of `sql/etl/<portfolio>/`.

Shipped code reads the statements that `build` wrote for its engine; a checkout derives them anew.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from solvent import contracts
from solvent.contracts import Contract, Contracts
from solvent.etl import history, quality, validation

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

SHIPPED = "_sql"
DEPENDENCIES = "dependencies.json"  # beside the shipped statements: which tables each of them reads
_FILE = re.compile(r"\d+_(\w+)[.]sql\Z")


@dataclass(frozen=True)
class Statement:
    """A SELECT and the name of the table that it fills; `reads` names every table that it reads, sorted."""

    table: str
    sql: str
    reads: tuple[str, ...]


def load(portfolio: str, dialect: str) -> tuple[Statement, ...]:
    """The statements in the order in which they run; `dialect` is duckdb or spark.

    Raises FileNotFoundError where neither shipped SQL nor a checkout is found.
    """
    shipped = resources.files("solvent").joinpath(SHIPPED, dialect, portfolio)
    if not shipped.is_dir():
        return derive(portfolio, dialect)
    dependencies: Mapping[str, list[str]] = json.loads(shipped.joinpath(DEPENDENCIES).read_text(encoding="utf-8"))
    return tuple(Statement(table, sql, tuple(dependencies[table])) for table, sql in _read(shipped))


def derive(portfolio: str, dialect: str) -> tuple[Statement, ...]:
    """The statements from the checkout, transpiled when the engine is not DuckDB."""
    cs = contracts.load()
    sources = cs.sources(portfolio)
    found: list[tuple[str, str]] = []
    for c in sources:
        found += of_source(c, cs)
    folder = Path(__file__).resolve().parents[3] / "sql" / "etl" / portfolio
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Neither solvent/{SHIPPED} nor {folder} exists: ship the package as the build makes it."
        )
    found += _read(folder)
    found += [(f"rules_{c.name}", quality.broken(c)) for c in cs.steps(portfolio)]
    return tuple(_statement(table, sql, dialect) for table, sql in found)


def of_source(source: Contract, cs: Contracts) -> list[tuple[str, str]]:
    """`(table, SQL)` from a source's raw rows and the base to its cleaned table and all that is kept beside it."""
    name, cleaned = source.name, cs.cleaned(source.name)
    past = cs.history(name)
    return [
        (f"checked_{name}", validation.checked(source, cs)),
        (f"profile_{name}", validation.profile(source)),
        (f"copies_{name}", validation.copies(source, cleaned)),
        (f"accepted_{name}", validation.accepted(source)),
        (f"kept_{name}", history.kept(source, cleaned)),
        (f"removed_{name}", history.removed(source, cleaned)),
        (f"tombstones_{name}", history.tombstones(source)),
        (cleaned.name, history.current(source)),
        *([(past.name, history.versions(source, cleaned))] if past else []),
        (f"quarantine_{name}", validation.quarantine(source)),
        (f"duplicates_{name}", validation.duplicates(source)),
        (f"quarantined_{name}", validation.quarantined(source, cs["quarantine_log"])),
        (f"deleted_{name}", history.deletions(source, cs["deletion_log"])),
    ]


def tables_read(select: "exp.Expr") -> tuple[str, ...]:
    """The tables that a parsed SELECT reads, sorted: none of its own CTEs, each name once."""
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    # An unpivoted CTE is a table to sqlglot's scopes, so its names are taken out by hand.
    sources = ((scope, source) for scope in traverse_scope(select) for source in scope.sources.values())
    return tuple(sorted({s.name for c, s in sources if isinstance(s, exp.Table) and not _is_cte(c, s)}))


def _is_cte(scope: "Scope", table: "exp.Table") -> bool:
    return bool(table.args.get("pivots")) and table.name in scope.cte_sources


def _statement(table: str, sql: str, dialect: str) -> Statement:
    """From SQL in DuckDB's dialect."""
    import sqlglot

    parsed = sqlglot.parse_one(sql, read="duckdb")
    reads = tables_read(parsed)
    return Statement(table, sql if dialect == "duckdb" else parsed.sql(dialect=dialect), reads)


def _read(folder: Traversable) -> list[tuple[str, str]]:
    """`(table, SQL)` of a folder's numbered files, in order."""
    files = sorted((f for f in folder.iterdir() if _FILE.match(f.name)), key=lambda f: f.name)
    return [(_FILE.sub(r"\1", f.name), f.read_text(encoding="utf-8")) for f in files]
