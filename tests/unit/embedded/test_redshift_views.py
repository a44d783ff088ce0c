"""Views and materialized views: who may refresh, what is stale, and what cannot be dropped."""

import threading
from pathlib import Path

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.session import Session

IS_STALE = "SELECT is_stale FROM svv_mv_info WHERE schema_name = 'public' AND name = :name"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    made.run(
        "CREATE MATERIALIZED VIEW m BACKUP NO DISTSTYLE KEY DISTKEY (total) SORTKEY (total) AUTO REFRESH NO AS "
        "SELECT SUM(a) AS total FROM t"
    )
    return made


@pytest.mark.contract(
    "redshift.materialized-view",
    page="https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-refresh-sql-command.html",
    quote=(
        "The data in the materialized view remains unchanged, even when applications make changes to the data in the "
        "underlying tables."
    ),
)
@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO t VALUES (2)",
        "UPDATE t SET a = 3",
        "DELETE FROM t",
        "TRUNCATE t",
        "MERGE INTO t USING s ON t.a = s.a "
        "WHEN MATCHED THEN UPDATE SET a = 4 WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
    ],
)
def test_a_view_is_stale_until_it_is_refreshed(warehouse: Warehouse, change: str) -> None:
    warehouse.run("CREATE TABLE s (a INT)", "INSERT INTO s VALUES (1)")
    assert warehouse.value(IS_STALE, name="m") == "f"
    warehouse.run(change)
    assert warehouse.rows("SELECT total FROM m") == [(1,)]
    assert warehouse.value(IS_STALE, name="m") == "t"
    warehouse.run("REFRESH MATERIALIZED VIEW public.m;")
    assert warehouse.rows("SELECT total FROM m") == warehouse.rows("SELECT SUM(a) FROM t")
    assert warehouse.value(IS_STALE, name="m") == "f"


def test_a_change_that_is_rolled_back_leaves_the_view_fresh(warehouse: Warehouse) -> None:
    with pytest.raises(SqlError):
        warehouse.run("INSERT INTO t VALUES (2)", "SELECT 1 / 0")
    assert warehouse.value(IS_STALE, name="m") == "f"


@pytest.mark.contract(
    "redshift.refresh-owner",
    page="https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-refresh-sql-command.html",
    says="Only the owner of a materialized view can refresh it.",
)
def test_only_the_owner_and_the_admin_refresh(warehouse: Warehouse) -> None:
    for statement in ("REFRESH MATERIALIZED VIEW m", "ALTER MATERIALIZED VIEW m AUTO REFRESH YES",
                      "DROP MATERIALIZED VIEW m"):  # fmt: skip
        with pytest.raises(SqlError, match="^ERROR: must be owner of materialized view m$"):
            warehouse.run(statement, user="loader")
        warehouse.run(statement, user="admin")


@pytest.mark.contract(
    "redshift.refresh-transaction",
    page="https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-refresh-sql-command.html",
    says="A refresh is a transaction of its own: it sees what is committed, and stays when its batch fails.",
)
def test_a_refresh_is_a_transaction_of_its_own(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO t VALUES (10)")
    with pytest.raises(SqlError):
        warehouse.run("INSERT INTO t VALUES (100)", "REFRESH MATERIALIZED VIEW m", "SELECT 1 / 0")
    assert warehouse.value("SELECT total FROM m") == 11, "refreshed, but without the row that was rolled back"
    assert warehouse.value(IS_STALE, name="m") == "f"
    warehouse.run("INSERT INTO t VALUES (100)", "REFRESH MATERIALIZED VIEW m")
    assert (warehouse.value("SELECT total FROM m"), warehouse.value(IS_STALE, name="m")) == (11, "t")


def test_a_view_can_be_refreshed_in_the_batch_that_creates_it(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE MATERIALIZED VIEW n AS SELECT a FROM t", "INSERT INTO t VALUES (5)", "REFRESH MATERIALIZED VIEW n"
    )
    assert warehouse.rows("SELECT a FROM n ORDER BY a") == [(1,), (5,)]


def test_a_reader_during_the_refresh_sees_the_old_rows(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.run("INSERT INTO t VALUES (2)", "GRANT SELECT ON m TO PUBLIC")
    filled, go_on, seen = threading.Event(), threading.Event(), []
    commit = Session.commit

    def slow_commit(session: Session) -> None:
        if session.user == "admin" and session.cursor.execute("SELECT total FROM m").fetchall() == [(3,)]:
            filled.set()
            go_on.wait(10)
        commit(session)

    monkeypatch.setattr(Session, "commit", slow_commit)
    thread = threading.Thread(target=warehouse.run, args=("REFRESH MATERIALIZED VIEW m",))
    thread.start()
    assert filled.wait(10)
    outcomes = warehouse.run("SELECT total FROM m", user="reader")
    seen.append(outcomes[0].table[0][0].as_py())  # type: ignore[index]
    go_on.set()
    thread.join(10)
    assert seen == [1]
    assert warehouse.run("SELECT total FROM m", user="reader")[0].table[0][0].as_py() == 3  # type: ignore[index]


def test_cascade_refreshes_what_is_built_on_a_view_in_order(warehouse: Warehouse) -> None:
    warehouse.run("CREATE MATERIALIZED VIEW double AS SELECT 2 * total AS total FROM m")
    warehouse.run("CREATE MATERIALIZED VIEW both AS SELECT m.total + d.total AS total FROM m, double AS d")
    warehouse.run("INSERT INTO t VALUES (9)")
    warehouse.run("REFRESH MATERIALIZED VIEW m RESTRICT")
    assert warehouse.rows("SELECT name, is_stale FROM svv_mv_info ORDER BY 1") == [
        ("both", "t"), ("double", "t"), ("m", "f"),
    ]  # fmt: skip
    warehouse.run("REFRESH MATERIALIZED VIEW m CASCADE")
    assert warehouse.value("SELECT total FROM both") == 30
    assert warehouse.rows("SELECT name FROM stv_mv_info WHERE is_stale = 't'") == []


@pytest.mark.contract(
    "redshift.materialized-view-limits",
    page="https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html",
    says="A materialized view reads no views and no temporary tables, and has no ORDER BY, LIMIT or OFFSET.",
)
@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT a FROM v", "cannot read the view"),
        ("SELECT table_name FROM svv_tables", "cannot read the view"),
        ("SELECT a FROM s", "cannot read the temporary table"),
        ("SELECT a FROM t ORDER BY a", "cannot have ORDER BY"),
        ("SELECT a FROM (SELECT a FROM t LIMIT 1) AS x", "cannot have LIMIT"),
        ("SELECT a FROM nowhere", 'relation "nowhere" does not exist'),
    ],
)
def test_what_a_materialized_view_cannot_be_made_of(warehouse: Warehouse, query: str, error: str) -> None:
    warehouse.run("CREATE VIEW v AS SELECT a FROM t")
    with pytest.raises(SqlError, match=error):
        warehouse.run("CREATE TEMP TABLE s (a INT)", f"CREATE MATERIALIZED VIEW n AS {query}")


def test_windows_and_ctes_may_be_ordered(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE MATERIALIZED VIEW n AS WITH x AS (SELECT a FROM t) SELECT a, ROW_NUMBER() OVER (ORDER BY a) AS n FROM x"
    )
    assert warehouse.rows("SELECT * FROM n") == [(1, 1)]


def test_nobody_writes_into_a_materialized_view(warehouse: Warehouse) -> None:
    for statement in ("INSERT INTO m VALUES (1)", "DELETE FROM public.m", "UPDATE m SET total = 0", "TRUNCATE m",
                      "COPY m FROM 's3://bucket/x' IAM_ROLE default CSV"):  # fmt: skip
        with pytest.raises(SqlError, match='cannot change materialized view "m"'):
            warehouse.run(statement)


def test_the_catalog_shows_views_with_owner_and_comment(warehouse: Warehouse) -> None:
    warehouse.run("COMMENT ON VIEW m IS 'How much?'", "ALTER MATERIALIZED VIEW m AUTO REFRESH YES")
    assert warehouse.rows("SELECT user_name, is_stale, autorefresh FROM svv_mv_info") == [("admin", "f", "t")]
    assert warehouse.rows('SELECT "schema", owner_user_name FROM stv_mv_info') == [("public", "admin")]
    assert warehouse.rows("SELECT table_type, remarks FROM svv_tables WHERE table_name = 'm'") == [
        ("VIEW", "How much?")
    ]


@pytest.mark.contract(
    "redshift.view-binding",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html",
    says="A table that a view is bound to cannot be dropped without CASCADE; WITH NO SCHEMA BINDING it can.",
)
def test_what_others_depend_on_is_dropped_only_with_cascade(warehouse: Warehouse) -> None:
    warehouse.run("CREATE VIEW bound AS SELECT total FROM m")
    warehouse.run("CREATE VIEW late AS SELECT a FROM public.t WITH NO SCHEMA BINDING")
    for statement in ("DROP MATERIALIZED VIEW m", "DROP TABLE t RESTRICT", "DROP TABLE IF EXISTS public.t"):
        with pytest.raises(SqlError, match=r"^ERROR: cannot drop .* public\.[mt] because other objects depend on it\n"):
            warehouse.run(statement)
    warehouse.run("DROP TABLE t CASCADE")
    for name in ("t", "m", "bound"):
        with pytest.raises(SqlError, match=f'relation "{name}" does not exist'):
            warehouse.run(f"SELECT * FROM {name}")
    assert warehouse.rows("SELECT name FROM svv_mv_info") == []
    warehouse.run("CREATE TABLE t (a VARCHAR(9), b INT)", "INSERT INTO t VALUES ('x', 1)")
    assert warehouse.rows("SELECT * FROM late") == [("x",)]


def test_what_reads_a_view_directly_and_through_another_goes_once(warehouse: Warehouse) -> None:
    warehouse.run("CREATE MATERIALIZED VIEW n AS SELECT total FROM m")
    warehouse.run("CREATE MATERIALIZED VIEW o AS SELECT n.total FROM n JOIN m ON m.total = n.total")
    warehouse.run("DROP MATERIALIZED VIEW m CASCADE")
    assert warehouse.rows("SELECT name FROM svv_mv_info WHERE schema_name = 'public'") == []


def test_a_thing_is_dropped_by_its_own_name(warehouse: Warehouse) -> None:
    warehouse.run("CREATE VIEW v AS SELECT a FROM t")
    for statement, error in (
        ("DROP TABLE m", '"m" is not a table\n  Detail: Use DROP MATERIALIZED VIEW instead'),
        ("DROP VIEW m", '"m" is not a view'),
        ("DROP MATERIALIZED VIEW t", '"t" is not a materialized view'),
        ("DROP TABLE v", '"v" is not a table'),
        ("DROP MATERIALIZED VIEW nothing", 'relation "nothing" does not exist'),
    ):
        with pytest.raises(SqlError, match=error):
            warehouse.run(statement)
    warehouse.run("DROP MATERIALIZED VIEW IF EXISTS nothing CASCADE", "DROP VIEW v", "DROP MATERIALIZED VIEW m")


def test_late_binding_views_may_come_before_their_tables(warehouse: Warehouse) -> None:
    warehouse.run("CREATE SCHEMA marts", "CREATE SCHEMA data")
    warehouse.run("CREATE VIEW marts.top AS SELECT n FROM marts.low WITH NO SCHEMA BINDING")
    warehouse.run("CREATE OR REPLACE VIEW marts.low AS SELECT n FROM data.late WITH NO SCHEMA BINDING")
    with pytest.raises(SqlError, match='relation "marts.top" does not exist'):
        warehouse.run("SELECT * FROM marts.top")
    with pytest.raises(SqlError, match='Relation "top" already exists'):
        warehouse.run("CREATE VIEW marts.top AS SELECT n FROM marts.other WITH NO SCHEMA BINDING")
    assert warehouse.value("SELECT COUNT(*) FROM svv_tables WHERE table_schema = 'marts' AND table_type = 'VIEW'") == 2
    warehouse.run("CREATE TABLE data.late (n INT)", "INSERT INTO data.late VALUES (7)")
    assert warehouse.rows("SELECT * FROM marts.top") == [(7,)]
    warehouse.run("DROP TABLE data.late")


def test_a_late_binding_view_names_its_schemas(warehouse: Warehouse) -> None:
    with pytest.raises(SqlError, match="All the relation names inside should be qualified"):
        warehouse.run("CREATE VIEW v AS SELECT a FROM t WITH NO SCHEMA BINDING")


def test_a_replaced_view_answers_anew(warehouse: Warehouse) -> None:
    warehouse.run("CREATE VIEW v AS SELECT a FROM t")
    warehouse.run("CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM t")
    assert warehouse.rows("SELECT a FROM v") == [(2,)]
    warehouse.run("CREATE OR REPLACE VIEW v AS SELECT a FROM public.missing WITH NO SCHEMA BINDING")
    with pytest.raises(SqlError, match='relation "v" does not exist'):
        warehouse.run("SELECT a FROM v")


def test_a_schema_goes_with_what_lies_in_it_and_what_reads_it(warehouse: Warehouse) -> None:
    warehouse.run("CREATE SCHEMA s", "CREATE TABLE s.t (a INT)", "CREATE MATERIALIZED VIEW s.n AS SELECT a FROM s.t")
    warehouse.run("CREATE MATERIALIZED VIEW above AS SELECT a FROM s.n")
    with pytest.raises(SqlError, match="cannot drop schema s because other objects depend on it"):
        warehouse.run("DROP SCHEMA s")
    warehouse.run("DROP SCHEMA s CASCADE")
    assert warehouse.rows("SELECT name FROM svv_mv_info") == [("m",)]


def test_views_survive_a_restart(warehouse: Warehouse) -> None:
    warehouse.run("CREATE VIEW bound AS SELECT a FROM t", "INSERT INTO t VALUES (2)")
    warehouse.database.close()
    warehouse.open()
    assert warehouse.value(IS_STALE, name="m") == "t"
    with pytest.raises(SqlError, match="other objects depend on it"):
        warehouse.run("DROP TABLE t")
    warehouse.run("REFRESH MATERIALIZED VIEW m")
    assert warehouse.value("SELECT total FROM m") == 3
