"""Every statement of the repository has one taker: a handler of its kind, a record, or sqlglot without its fallback."""

import re
from pathlib import Path

import pytest

from embedded_aws.redshift import kinds
from embedded_aws.redshift.differences import ACCEPTED_ONLY, NAMED
from embedded_aws.redshift.errors import SqlError
from solvent.warehouse.migrations import split

SQL = Path(__file__).parents[3] / "sql"
FOLDERS = ("warehouse", "marts", "analytics")
FILES = [file for folder in FOLDERS for file in sorted((SQL / folder).rglob("*.sql"))]
_QUERIES = ("parsed: SELECT", "parsed: UNION")
# What may stand where. A mart is a view, a saved query is one query.
EXPECTED = {
    "warehouse": re.compile(r"handler: .*|accepted: .*|parsed: (?!SELECT|UNION).*"),
    "marts": re.compile(
        r"parsed: (CREATE|DROP) VIEW|parsed: COMMENT|parsed: CREATE SCHEMA|accepted: GRANT|handler: .*"
    ),
    "analytics": re.compile("|".join(_QUERIES)),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SQL)))
def test_every_statement_has_a_taker(file: Path) -> None:
    """One that only sqlglot's opaque fallback takes would be refused at the deploy."""
    statements = split(file.read_text().replace("${prefix}", "solvent-dev"))
    assert statements
    expected = EXPECTED[file.relative_to(SQL).parts[0]]
    takers = {statement: kinds.of(statement) for statement in statements}
    wrong = {taker: statement[:60] for statement, taker in takers.items() if not expected.fullmatch(taker)}
    assert wrong == {}


def test_what_has_a_handler_is_documented_and_the_other_way_round() -> None:
    assert kinds.HANDLERS.keys() == NAMED.keys()
    assert not kinds.HANDLERS.keys() & ACCEPTED_ONLY.keys()


@pytest.mark.parametrize(
    ("sql", "taker"),
    [
        ("copy t from 's3://b/k' iam_role default csv", "handler: COPY"),
        ("CREATE OR REPLACE PROCEDURE p() AS $$ BEGIN END $$ LANGUAGE plpgsql", "handler: CREATE PROCEDURE"),
        ("REFRESH MATERIALIZED VIEW m", "handler: REFRESH MATERIALIZED VIEW"),
        ("ALTER TABLE t OWNER TO u", "accepted: ALTER TABLE OWNER"),
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
