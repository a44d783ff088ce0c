"""The order and the dependencies of the ETL's statements: what waits when a source is stopped rests on them."""

import sys
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from solvent import contracts, naming
from solvent.etl import build, statements


def reads(sql: str) -> tuple[str, ...]:
    return statements.tables_read(sqlglot.parse_one(sql, read="duckdb"))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM one JOIN two AS t ON t.a = one.a", ("one", "two")),
        ("WITH one AS (SELECT a FROM two) SELECT a FROM one", ("two",)),
        # A CTE may bear the name of the table that it reads.
        ("WITH one AS (SELECT a FROM one) SELECT a FROM one", ("one",)),
        ("SELECT a FROM one UNION ALL SELECT a FROM two CROSS JOIN run", ("one", "run", "two")),
        ("SELECT a FROM one WHERE EXISTS (SELECT 1 FROM two WHERE two.a = one.a)", ("one", "two")),
        ("WITH w AS (SELECT a, b FROM one) SELECT n FROM w UNPIVOT (v FOR n IN (a, b))", ("one",)),
        ("SELECT (SELECT MAX(a) FROM two) AS a FROM (SELECT a FROM one AS x) AS y", ("one", "two")),
    ],
)
def test_tables_read_are_all_tables_and_no_cte(sql: str, expected: tuple[str, ...]) -> None:
    assert reads(sql) == expected


@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_a_statement_reads_only_what_came_before(portfolio: str) -> None:
    filled = {"run"}
    for source in contracts.load().sources(portfolio):
        cleaned = contracts.load().cleaned(source.name).name
        filled |= {f"raw_{source.name}", f"malformed_{source.name}", f"base_{cleaned}", f"base_{cleaned}_history"}
    for statement in statements.derive(portfolio, "duckdb"):
        assert set(statement.reads) <= filled, statement.table
        assert statement.reads, statement.table
        filled.add(statement.table)


@pytest.mark.parametrize("dialect", build.DIALECTS)
def test_shipped_statements_are_the_derived_ones_and_need_no_sqlglot(
    dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.build(tmp_path)
    portfolio = naming.PORTFOLIOS[0]
    derived = statements.derive(portfolio, dialect)
    names: dict[str, Any] = {"solvent": tmp_path}
    monkeypatch.setattr(statements.resources, "files", names.__getitem__)
    monkeypatch.setattr(statements, "SHIPPED", "")
    monkeypatch.setitem(sys.modules, "sqlglot", None)  # an import fails, as on Glue
    shipped = statements.load(portfolio, dialect)
    assert [(s.table, s.sql.strip(), s.reads) for s in shipped] == [(s.table, s.sql.strip(), s.reads) for s in derived]
