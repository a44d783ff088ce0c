"""All SQL of a portfolio's ETL, in order: what the contracts imply, then the steps of `sql/etl/<portfolio>/`.

Shipped code reads the statements that `build` wrote for its engine; a checkout derives them anew.
"""

import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from solvent import contracts
from solvent.etl import validation

SHIPPED = "_sql"
_FILE = re.compile(r"\d+_(\w+)[.]sql\Z")


@dataclass(frozen=True)
class Statement:
    """A SELECT and the name of the table that it fills."""

    table: str
    sql: str


def load(portfolio: str, dialect: str) -> tuple[Statement, ...]:
    """The statements in the order in which they run; `dialect` is duckdb or spark.

    Raises FileNotFoundError where neither shipped SQL nor a checkout is found.
    """
    shipped = resources.files("solvent").joinpath(SHIPPED, dialect, portfolio)
    return _read(shipped) if shipped.is_dir() else derive(portfolio, dialect)


def derive(portfolio: str, dialect: str) -> tuple[Statement, ...]:
    """The statements from the checkout, transpiled when the engine is not DuckDB."""
    cs = contracts.load()
    sources = cs.sources(portfolio)
    found = []
    for c in sources:
        found += [
            Statement(f"checked_{c.name}", validation.checked(c, cs)),
            Statement(f"copies_{c.name}", validation.copies(c)),
            Statement(cs.cleaned(c.name).name, validation.good(c)),
            Statement(f"quarantine_{c.name}", validation.quarantine(c)),
            Statement(f"duplicates_{c.name}", validation.duplicates(c)),
        ]
    folder = Path(__file__).resolve().parents[3] / "sql" / "etl" / portfolio
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Neither solvent/{SHIPPED} nor {folder} exists: ship the package as the build makes it."
        )
    found += _read(folder)
    found.append(Statement("quarantine_log", validation.quarantine_log(sources, cs["quarantine_log"])))
    if dialect == "duckdb":
        return tuple(found)
    import sqlglot

    return tuple(Statement(s.table, sqlglot.transpile(s.sql, read="duckdb", write=dialect)[0]) for s in found)


def _read(folder: Traversable) -> tuple[Statement, ...]:
    files = sorted((f for f in folder.iterdir() if _FILE.match(f.name)), key=lambda f: f.name)
    return tuple(Statement(_FILE.sub(r"\1", f.name), f.read_text(encoding="utf-8")) for f in files)
