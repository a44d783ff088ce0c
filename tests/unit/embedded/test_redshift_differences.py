"""What the tables of differences promise is what the engine does; the documentation is made from them."""

from pathlib import Path

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.differences import ACCEPTED_ALTER_TABLE, ACCEPTED_ONLY, ACCEPTED_SETTINGS
from embedded_aws.redshift.errors import SqlError

EXAMPLES = {
    ("ANALYZE",): "ANALYZE t",
    ("VACUUM",): "VACUUM DELETE ONLY t",
    ("LOCK",): "LOCK TABLE t",
}
ALTERATIONS = {
    "DISTKEY": "ALTER TABLE t ALTER DISTKEY a",
    "DISTSTYLE": "ALTER TABLE t ALTER DISTSTYLE ALL",
    "SORTKEY": "ALTER TABLE t ALTER SORTKEY (a)",
    "ENCODE": "ALTER TABLE t ALTER COLUMN a ENCODE zstd",
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run("CREATE TABLE t (a INT)")
    return made


@pytest.mark.parametrize("kind", ACCEPTED_ONLY, ids=" ".join)
def test_accepted_statements_are_recorded(warehouse: Warehouse, kind: tuple[str, ...]) -> None:
    """A kind without an example here is a promise nobody has tried."""
    before = warehouse.value("SELECT COUNT(*) FROM _redshift.accepted_statements")
    warehouse.run(EXAMPLES[kind])
    assert warehouse.value("SELECT COUNT(*) FROM _redshift.accepted_statements") == before + 1


@pytest.mark.contract(
    "redshift.table-attributes",
    page="https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html",
    quote=(
        "Uniqueness, primary key, and foreign key constraints are informational only; they are not enforced "
        "by Amazon Redshift when you populate a table."
    ),
)
@pytest.mark.parametrize("word", ACCEPTED_ALTER_TABLE)
def test_table_attributes_are_accepted(warehouse: Warehouse, word: str) -> None:
    warehouse.run(ALTERATIONS[word])
    assert warehouse.value(f"SELECT COUNT(*) FROM _redshift.accepted_statements WHERE kind LIKE '%{word}'") == 1


@pytest.mark.parametrize("name", ACCEPTED_SETTINGS)
def test_settings_are_accepted(warehouse: Warehouse, name: str) -> None:
    warehouse.run(f"SET {name} TO public")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE MODEL m FROM t TARGET a FUNCTION f IAM_ROLE default",
        "CREATE FUNCTION f(int) RETURNS int STABLE AS $$ SELECT $1 $$ LANGUAGE sql",
        "CREATE DATASHARE d",
        "MERGE INTO t USING t AS s ON t.a = s.a REMOVE DUPLICATES",
        "ALTER TABLE t APPEND FROM t",
        "SHOW TABLES FROM SCHEMA dev.public",
        "EXPLAIN SELECT 1",
        "DECLARE c CURSOR FOR SELECT 1",
        "PREPARE p AS SELECT 1",
    ],
)
def test_everything_else_is_an_error_and_never_a_substitution(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(SqlError):
        warehouse.run(sql)
