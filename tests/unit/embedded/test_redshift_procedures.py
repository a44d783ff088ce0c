"""Stored procedures: what they run, as whom, and what is refused when they are created."""

from pathlib import Path

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError


def procedure(body: str, *, name: str = "p", arguments: str = "", before: str = "", after: str = "") -> str:
    return f"CREATE OR REPLACE PROCEDURE {name}({arguments}) {before} AS $$ {body} $$ LANGUAGE plpgsql {after}"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run("CREATE TABLE t (a INT, b VARCHAR(20))")
    return made


def test_the_statements_run_in_their_order(warehouse: Warehouse) -> None:
    warehouse.run(procedure("BEGIN INSERT INTO t VALUES (1, 'x;y'); UPDATE t SET a = a + 1; EXECUTE 'DELETE FROM t "
                            "WHERE a = 5'; END;"))  # fmt: skip
    warehouse.run("CALL p()", "CALL public.p();")
    assert warehouse.rows("SELECT a, b FROM t ORDER BY a") == [(2, "x;y"), (3, "x;y")]


@pytest.mark.contract(
    "redshift.procedure-security",
    page="https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-security-and-privileges.html",
    says="A procedure that is SECURITY DEFINER runs as its owner, any other as its caller.",
)
def test_security_definer_lets_others_refresh_what_the_admin_owns(warehouse: Warehouse) -> None:
    warehouse.run("CREATE SCHEMA ops", "CREATE MATERIALIZED VIEW m AS SELECT COUNT(*) AS n FROM t", user="admin")
    refresh = "BEGIN REFRESH MATERIALIZED VIEW m; UPDATE t SET b = current_user; END;"
    warehouse.run(procedure(refresh, name="ops.refresh_marts", after="SECURITY DEFINER"), user="admin")
    warehouse.run(procedure(refresh, name="ops.as_caller", after="SECURITY INVOKER"), user="admin")
    warehouse.run("INSERT INTO t VALUES (1, '')", user="loader")
    with pytest.raises(SqlError, match="must be owner of materialized view m"):
        warehouse.run("CALL ops.as_caller()", user="loader")
    warehouse.run("CALL ops.refresh_marts()", "UPDATE t SET a = 7 WHERE b = 'admin'", user="loader")
    assert warehouse.rows("SELECT a, b, n FROM t, m") == [(7, "admin", 1)]
    warehouse.run("CALL ops.refresh_marts()", "UPDATE t SET b = current_user", user="loader")
    assert warehouse.value("SELECT b FROM t") == "loader", "the caller is itself again"


def test_arguments_are_values_and_never_text_of_a_statement(warehouse: Warehouse) -> None:
    warehouse.run(
        procedure("BEGIN INSERT INTO t (a, b) VALUES (n + 1, note); END", arguments="n IN int, note varchar(20)")
    )
    warehouse.run("CALL p(40 + 1, :note)", note="'); DROP TABLE t; --")
    warehouse.run("CALL p(NULL, 'a')")
    assert warehouse.rows("SELECT a, b FROM t ORDER BY a") == [(42, "'); DROP TABLE t; --"), (None, "a")]
    with pytest.raises(SqlError, match=r"procedure public.p with 1 arguments does not exist"):
        warehouse.run("CALL p(1)")
    with pytest.raises(SqlError, match="invalid input syntax for integer"):
        warehouse.run("CALL p('x', 'a')")


def test_a_check_raises_and_nothing_stays(warehouse: Warehouse) -> None:
    body = """BEGIN
        INSERT INTO t VALUES (n, 'checked');
        IF EXISTS (SELECT 1 FROM t WHERE a < 0) THEN
            RAISE EXCEPTION 'negative: % of %', (SELECT COUNT(*) FROM t WHERE a < 0), n;
        ELSE
            UPDATE t SET b = 'sound';
        END IF;
    END;"""
    warehouse.run(procedure(body, arguments="n int"))
    warehouse.run("CALL p(1)")
    with pytest.raises(SqlError, match="^ERROR: negative: 1 of -1$"):
        warehouse.run("CALL p(-1)")
    assert warehouse.rows("SELECT a, b FROM t") == [(1, "sound")]


def test_a_nonatomic_procedure_commits_each_statement(warehouse: Warehouse) -> None:
    body = "BEGIN INSERT INTO t VALUES (1, ''); INSERT INTO t SELECT 1 / 0, ''; END"
    warehouse.run(procedure(body, name="atomic"), procedure(body, name="each", before="NONATOMIC"))
    for statements, left in ((["CALL atomic()"], 0), (["CALL each()", "SELECT 1"], 0), (["CALL each()"], 1)):
        with pytest.raises(SqlError, match="Divide by zero"):
            warehouse.run(*statements)
        assert warehouse.value("SELECT COUNT(*) FROM t") == left


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("BEGIN FOO BAR; END", "does not implement|syntax error"),
        ("BEGIN INSERT INT t VALUES (1); END", "syntax error"),
        ("BEGIN SELECT 1; END", "query has no destination for result data"),
        ("BEGIN FOR i IN 1..3 LOOP DELETE FROM t; END LOOP; END", "does not implement FOR"),
        ("DECLARE x int; BEGIN DELETE FROM t; END", "does not implement DECLARE"),
        ("BEGIN EXECUTE 'DELETE FROM ' || x; END", "does not implement EXECUTE of anything but"),
        ("BEGIN COMMIT; END", "does not implement COMMIT"),
        ("BEGIN RAISE INFO 'x'; END", "does not implement RAISE INFO"),
        ("BEGIN RAISE EXCEPTION '%'; END", "1 placeholders for 0 values"),
        ("BEGIN IF 1 = 1 THEN DELETE FROM t; END", "syntax error"),
        ("BEGIN DELETE FROM t;", "The body must end with END"),
        ("BEGIN DELETE FROM t; END; DROP TABLE t", "syntax error"),
        ("DELETE FROM t", "syntax error"),
    ],
)
def test_a_body_that_could_not_run_is_refused_when_it_is_created(warehouse: Warehouse, body: str, error: str) -> None:
    with pytest.raises(SqlError, match=error):
        warehouse.run(procedure(body))
    with pytest.raises(SqlError, match="does not exist"):
        warehouse.run("CALL p()")


def test_what_is_not_redshifts_procedure_is_refused(warehouse: Warehouse) -> None:
    for statement, error in (
        ("CREATE PROCEDURE p() AS $$ BEGIN DELETE FROM t; END $$ LANGUAGE sql", "syntax error"),
        ("CREATE PROCEDURE p(OUT x int) AS $$ BEGIN DELETE FROM t; END $$ LANGUAGE plpgsql", "OUT arguments"),
        ("CREATE PROCEDURE no.p() AS $$ BEGIN DELETE FROM t; END $$ LANGUAGE plpgsql", 'schema "no" does not exist'),
    ):
        with pytest.raises(SqlError, match=error):
            warehouse.run(statement)


def test_only_the_owner_replaces_and_drops(warehouse: Warehouse) -> None:
    create = "CREATE PROCEDURE p(n int) AS $$ BEGIN DELETE FROM t; END $$ LANGUAGE plpgsql"
    warehouse.run(create)
    with pytest.raises(SqlError, match='function "p" already exists'):
        warehouse.run(create)
    for statement in (create.replace("CREATE", "CREATE OR REPLACE"), "DROP PROCEDURE p(int)", "DROP PROCEDURE p"):
        with pytest.raises(SqlError, match="must be owner of function p"):
            warehouse.run(statement, user="somebody")
    with pytest.raises(SqlError, match=r"function public.p does not exist"):
        warehouse.run("DROP PROCEDURE p()")
    warehouse.run("DROP PROCEDURE p(int)")
    with pytest.raises(SqlError, match="does not exist"):
        warehouse.run("CALL p(1)")


def test_procedures_nest_but_not_for_ever(warehouse: Warehouse) -> None:
    warehouse.run(procedure("BEGIN INSERT INTO t VALUES (1, ''); END", name="inner_one"))
    warehouse.run(procedure("BEGIN CALL inner_one(); CALL inner_one(); END", name="outer_one"))
    warehouse.run("CALL outer_one()")
    assert warehouse.value("SELECT COUNT(*) FROM t") == 2
    warehouse.run(procedure("BEGIN CALL p(); END"))
    with pytest.raises(SqlError, match="nesting level exceeded the limit of 16"):
        warehouse.run("CALL p()")
