"""What a batch leaves behind, and what others see of it meanwhile."""

import threading
from pathlib import Path

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.session import Session


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run("CREATE TABLE t (a INT)")
    return made


@pytest.mark.contract(
    "redshift.transaction",
    page="https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html",
    quote="By default, the SQL statements are run as a single transaction.",
)
def test_a_failed_batch_leaves_nothing(warehouse: Warehouse) -> None:
    with pytest.raises(SqlError, match="Divide by zero"):
        warehouse.run("INSERT INTO t VALUES (1)", "CREATE TABLE u (a INT)", "SELECT 1 / 0")
    assert warehouse.value("SELECT COUNT(*) FROM t") == 0
    with pytest.raises(SqlError, match='relation "u" does not exist'):
        warehouse.run("SELECT * FROM u")


@pytest.mark.contract(
    "redshift.truncate",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html",
    quote="However, be aware that TRUNCATE commits the transaction in which it is run.",
)
def test_truncate_commits_what_came_before(warehouse: Warehouse) -> None:
    """A load that truncates in its batch loses the old rows even when it fails later."""
    warehouse.run("INSERT INTO t VALUES (1), (2)", "CREATE TABLE u (a INT)")
    with pytest.raises(SqlError, match="Divide by zero"):
        warehouse.run("INSERT INTO u VALUES (7)", "TRUNCATE t", "INSERT INTO t VALUES (3)", "SELECT 1 / 0")
    assert warehouse.value("SELECT COUNT(*) FROM t") == 0, "TRUNCATE is not rolled back, the later INSERT is"
    assert warehouse.value("SELECT COUNT(*) FROM u") == 1, "TRUNCATE committed the INSERT before it"


def test_delete_is_rolled_back(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO t VALUES (1)")
    with pytest.raises(SqlError):
        warehouse.run("DELETE FROM t", "SELECT 1 / 0")
    assert warehouse.value("SELECT COUNT(*) FROM t") == 1


@pytest.mark.contract(
    "redshift.isolation",
    page="https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html",
    says="A transaction that is not committed is not seen by others.",
)
def test_readers_see_no_half_loaded_batch(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO t VALUES (1)")
    loaded, go_on, seen = threading.Event(), threading.Event(), []

    def started(index: int, session: Session) -> None:
        if index == 2:
            loaded.set()
            go_on.wait(10)

    def load() -> None:
        warehouse.database.run(
            ["DELETE FROM t", "INSERT INTO t VALUES (10), (20)", "SELECT 1"], user="admin", started=started
        )

    thread = threading.Thread(target=load)
    thread.start()
    assert loaded.wait(10)
    seen.append(warehouse.rows("SELECT a FROM t ORDER BY a"))
    go_on.set()
    thread.join(10)
    seen.append(warehouse.rows("SELECT a FROM t ORDER BY a"))
    assert seen == [[(1,)], [(10,), (20,)]]


def test_writers_wait_for_each_other(warehouse: Warehouse) -> None:
    """Two loads at a time end with both, instead of a conflict."""
    threads = [
        threading.Thread(target=warehouse.run, args=("INSERT INTO t SELECT COUNT(*) FROM t", "UPDATE t SET a = a + 1"))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert warehouse.value("SELECT COUNT(*) FROM t") == 4


@pytest.mark.contract(
    "redshift.temporary-table",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html",
    says="A temporary table is dropped at the end of its session.",
)
def test_temporary_tables_end_with_their_batch(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TEMP TABLE s (LIKE t)", "INSERT INTO s VALUES (1)")
    with pytest.raises(SqlError, match='relation "s" does not exist'):
        warehouse.run("SELECT * FROM s")


def test_values_of_parameters_are_cast_by_their_context(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO t VALUES (:a)", a="41")
    assert warehouse.rows("SELECT a, :text AS b FROM t WHERE a = :a", a="41", text="it's; DROP TABLE t") == [
        (41, "it's; DROP TABLE t")
    ]
    with pytest.raises(SqlError, match="there is no parameter :b"):
        warehouse.run("SELECT :b")


def test_everything_survives_a_restart(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO t VALUES (1)", "CREATE ROLE reader")
    warehouse.database.close()
    warehouse.open()
    assert warehouse.value("SELECT COUNT(*) FROM t") == 1
    with pytest.raises(SqlError, match="already exists"):
        warehouse.run("CREATE ROLE reader")


def test_a_running_statement_can_be_interrupted(warehouse: Warehouse) -> None:
    def started(index: int, session: Session) -> None:
        threading.Timer(0.3, session.interrupt).start()

    long = "SELECT SUM(a.x * b.x) FROM generate_series(1, 300000) AS a(x), generate_series(1, 300000) AS b(x)"
    with pytest.raises(SqlError, match="cancelled on user's request"):
        warehouse.database.run([long], user="admin", started=started)
