"""Every statement of the repository has one taker: a handler of its kind, a record, or sqlglot without its fallback."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from embedded_aws.redshift import kinds
from embedded_aws.redshift.differences import ACCEPTED_ONLY, NAMED
from embedded_aws.redshift.errors import SqlError
from solvent.warehouse import marts
from solvent.warehouse.migrations import split

SQL = Path(__file__).parents[3] / "sql"
FILES = [file for folder in ("warehouse", "marts", "analytics") for file in sorted((SQL / folder).rglob("*.sql"))]
_QUERY = re.compile(r"parsed: (SELECT|UNION|EXCEPT|INTERSECT)")
_NO_QUERY = re.compile(r"(handler|accepted|parsed): (?!SELECT|UNION|EXCEPT|INTERSECT).*")


def takers(statements: Iterable[str], expected: re.Pattern[str]) -> dict[str, str]:
    """The statements, shortened, that another takes than is expected."""
    found = {statement[:80]: kinds.of(statement) for statement in statements}
    assert found
    return {statement: taker for statement, taker in found.items() if not expected.fullmatch(taker)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SQL)))
def test_every_statement_of_a_file_has_a_taker(file: Path) -> None:
    """One that only sqlglot's opaque fallback takes would be refused at the deploy. A mart is a query, too."""
    statements = split(file.read_text().replace("${prefix}", "solvent-dev"))
    assert takers(statements, _NO_QUERY if "warehouse" in file.parts else _QUERY) == {}


def test_every_statement_that_makes_the_marts_has_a_taker() -> None:
    known = marts.read()
    made = [statement for mart in known for statement in (*mart.create(), marts.drop(mart.name, mart.kind))]
    assert takers([*marts.LEDGER, *made, *marts.refresh_procedure(known)], _NO_QUERY) == {}


def test_what_has_a_handler_is_documented_and_the_other_way_round() -> None:
    assert kinds.HANDLERS.keys() == NAMED.keys()
    assert not kinds.HANDLERS.keys() & ACCEPTED_ONLY.keys()


@pytest.mark.parametrize(
    ("sql", "taker"),
    [
        ("copy t from 's3://b/k' iam_role default csv", "handler: COPY"),
        ("CREATE OR REPLACE PROCEDURE p() AS $$ BEGIN END $$ LANGUAGE plpgsql", "handler: CREATE PROCEDURE"),
        ("REFRESH MATERIALIZED VIEW m", "handler: REFRESH MATERIALIZED VIEW"),
        ("ALTER TABLE t OWNER TO u", "handler: ALTER TABLE OWNER"),
        ("/* why */ WITH x AS (SELECT 1) SELECT * FROM x", "parsed: SELECT"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a", "parsed: CREATE VIEW"),
        ("TRUNCATE t", "parsed: TRUNCATE"),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) "
         "VALUES (1)", "parsed: MERGE"),
    ],
)  # fmt: skip
def test_the_taker_of_a_statement(sql: str, taker: str) -> None:
    assert kinds.of(sql) == taker


@pytest.mark.parametrize("sql", ["EXPLAIN SELECT 1", "SHOW TABLES FROM SCHEMA a.b", "BEGIN", "ALTER SYSTEM x", "GO"])
def test_nobody_takes_what_is_unknown(sql: str) -> None:
    with pytest.raises(SqlError):
        kinds.of(sql)
