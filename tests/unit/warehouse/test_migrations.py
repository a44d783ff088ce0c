import re
from typing import Any

import pytest
import sqlglot
from fakes import ROOT

from solvent import contracts
from solvent.contracts import redshift
from solvent.warehouse import migrations
from solvent.warehouse.data_api import MOST_STATEMENTS, Result
from solvent.warehouse.migrations import Migration, MigrationError

PUBLISHED = [c for c in contracts.load().values() if c.kind == "published"]
FILES = migrations.read()
STATEMENTS = [s for m in FILES for s in m.statements("solvent-dev")]


def test_the_tables_of_the_migrations_are_those_of_the_contracts() -> None:
    """One definition: a column that changes in a contract must come with a migration."""
    created = {m[1]: s for s in STATEMENTS if (m := re.match(r"CREATE TABLE IF NOT EXISTS (\S+)", s))}
    del created["ops.schema_migrations"]
    for statement in STATEMENTS:
        if m := re.match(r"ALTER TABLE (\S+) ADD COLUMN (\w+) (.+?)(?: DEFAULT \S+)?\Z", statement):
            created[m[1]] = created[m[1]].replace("  PRIMARY KEY", f"  {m[2]} {m[3]},\n  PRIMARY KEY")
    assert created == {c.table: redshift.create_table(c) for c in PUBLISHED}


def test_the_comments_of_the_migrations_are_those_of_the_contracts() -> None:
    commented = {s.partition(" IS ")[0]: s for s in STATEMENTS if s.startswith("COMMENT")}  # the last one counts
    assert set(commented.values()) == {s for c in PUBLISHED for s in redshift.comments(c)}


def test_roles_of_people_only_read() -> None:
    for statement in STATEMENTS:
        if match := re.search(r"TO ROLE (analyst|risk_officer)\Z", statement):
            assert re.match(r"GRANT (SELECT|USAGE)\b|ATTACH MASKING POLICY", statement), (match[1], statement)


def test_every_statement_but_access_is_redshift_to_sqlglot() -> None:
    for statement in STATEMENTS:
        if not re.match(r"GRANT|(CREATE|ATTACH) (USER|ROLE|MASKING)|ALTER DEFAULT PRIVILEGES", statement):
            parsed = sqlglot.parse_one(statement, read="redshift")
            assert not isinstance(parsed, sqlglot.exp.Command), statement


def test_a_file_that_cannot_run_twice_fits_into_one_transaction() -> None:
    for migration in FILES[1:]:
        migrations._batches(migration, "solvent-dev")


def test_names_of_the_environment_are_filled_in_after_the_checksum() -> None:
    (access,) = [m for m in FILES if m.name == "access"]
    assert any('"IAMR:solvent-prod-warehouse-load"' in s for s in access.statements("solvent-prod"))
    assert "${" not in "".join(STATEMENTS)
    with pytest.raises(MigrationError):
        access.statements("x'; DROP")


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1", ["SELECT 1"]),
        ("-- a; b\nSELECT 1 -- c; d\n;", ["SELECT 1"]),
        ("/* a; */ SELECT 1;", ["SELECT 1"]),
        ("SELECT 'a;''b', \"c;d\";", ["SELECT 'a;''b', \"c;d\""]),
        ("CREATE PROCEDURE p() AS $$ BEGIN; END; $$;", ["CREATE PROCEDURE p() AS $$ BEGIN; END; $$"]),
        ("SELECT 4 - 2, 4 / 2, '--no';", ["SELECT 4 - 2, 4 / 2, '--no'"]),
        ("\n;;\n", []),
    ],
)
def test_statements_are_split_where_they_end(text: str, statements: list[str]) -> None:
    assert migrations.split(text) == statements


def numbered(*texts: str) -> list[Migration]:
    return [Migration(f"{i:04d}", "x", text) for i, text in enumerate(texts, 1)]


def test_only_what_is_pending_is_planned_in_order() -> None:
    files = numbered("a", "b", "c")
    assert migrations.plan(files, {}) == files
    assert migrations.plan(files, {"0001": files[0].checksum}) == files[1:]
    assert migrations.plan(files, {m.version: m.checksum for m in files}) == []


def test_an_applied_file_that_was_edited_is_refused() -> None:
    with pytest.raises(MigrationError, match="0001_x.sql was edited"):
        migrations.plan(numbered("a", "b"), {"0001": "another checksum"})


def test_a_file_below_the_last_applied_one_is_refused() -> None:
    files = numbered("a", "b")
    with pytest.raises(MigrationError, match="0001 comes after 0002"):
        migrations.plan(files, {"0002": files[1].checksum})


def test_a_rolled_back_stack_accepts_a_newer_ledger() -> None:
    files = numbered("a")
    assert migrations.plan(files, {"0001": files[0].checksum, "0002": "newer"}) == []


@pytest.mark.parametrize(
    "names", [["0000_a.sql", "0002_b.sql"], ["0001_a.sql"], ["0000_a.sql", "0000_b.sql"], ["a.sql"], []]
)
def test_numbers_have_no_gap_and_no_double(names: list[str]) -> None:
    with pytest.raises(MigrationError):
        migrations.parse(dict.fromkeys(names, "SELECT 1"))


def test_a_long_migration_must_consist_of_statements_that_may_run_twice() -> None:
    repeatable = Migration("0001", "x", "COMMENT ON TABLE a IS 'b';" * 90)
    batches = migrations._batches(repeatable, "solvent-dev")
    assert [len(b) for b in batches] == [MOST_STATEMENTS, MOST_STATEMENTS, 11]
    assert "INSERT INTO ops.schema_migrations" in batches[-1][-1]
    with pytest.raises(MigrationError, match="cannot run twice: CREATE ROLE a"):
        migrations._batches(Migration("0001", "x", "CREATE ROLE a;" + repeatable.text), "solvent-dev")


class Api:
    def __init__(self, applied: list[list[Any]]) -> None:
        self.applied = applied
        self.batches: list[list[str]] = []

    def batch(self, statements: list[str], **_: Any) -> None:
        self.batches.append(statements)

    def query(self, sql: str, **_: Any) -> Result:
        return Result(["version", "checksum"], self.applied)


def test_the_ledger_comes_first_and_each_migration_records_itself() -> None:
    api = Api([])
    assert migrations.apply(api, prefix="solvent-dev") == [m.version for m in FILES[1:]]  # type: ignore[arg-type]
    assert "ops.schema_migrations" in api.batches[0][1]
    recorded = [b[-1] for b in api.batches if "INSERT INTO ops.schema_migrations" in b[-1]]
    assert len(recorded) == len(FILES) - 1
    assert FILES[1].checksum in recorded[0]


def test_a_second_deploy_applies_nothing() -> None:
    api = Api([[m.version, m.checksum] for m in FILES])
    assert migrations.apply(api, prefix="solvent-dev") == []  # type: ignore[arg-type]
    assert len(api.batches) == 1


def test_queries_of_the_analysts_say_which_question_they_answer() -> None:
    for path in (ROOT / "sql" / "analytics").glob("*.sql"):
        text = path.read_text()
        assert text.startswith("-- ") and "?" in text.partition("\n")[0], path.name
        for statement in migrations.split(text):
            assert not isinstance(sqlglot.parse_one(statement, read="redshift"), sqlglot.exp.Command)
