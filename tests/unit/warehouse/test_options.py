"""Options of the warehouse on the embedded engine: made, edited, taken back; what half a failure leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_client import EngineClient
from redshift_fixtures import Warehouse

from solvent.warehouse import options
from solvent.warehouse.data_api import DataApi, StatementFailed
from solvent.warehouse.options import OptionError

FILES = {
    "a.sql": "-- An option.\nCREATE SCHEMA IF NOT EXISTS a; CREATE TABLE IF NOT EXISTS a.t (x INT);",
    "a.off.sql": "DROP SCHEMA a CASCADE;",
    "b.sql": "CREATE SCHEMA IF NOT EXISTS b; CREATE TABLE IF NOT EXISTS b.t (x INT);",
    "b.off.sql": "DROP SCHEMA b CASCADE;",
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    made = Warehouse(tmp_path)
    made.run("CREATE SCHEMA ops")
    yield made
    made.database.close()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The files of options, which a test may edit."""
    found = dict(FILES)
    monkeypatch.setattr(options, "read", lambda: options.parse(found))
    return found


def apply(warehouse: Warehouse, *wanted: str) -> list[str]:
    return options.apply(
        DataApi(EngineClient(warehouse.database), workgroup="w", database="solvent"), wanted, prefix="solvent-test"
    )


def schemas(warehouse: Warehouse) -> set[Any]:
    found = warehouse.rows("SELECT table_schema FROM svv_tables WHERE table_schema IN ('a', 'b')")
    return {name for (name,) in found}


def test_what_is_wanted_is_made_once_and_what_is_not_is_taken_back(warehouse: Warehouse, files: dict[str, str]) -> None:
    assert apply(warehouse, "a", "b") == ["a", "b"]
    assert apply(warehouse, "a", "b") == []
    assert schemas(warehouse) == {"a", "b"}
    assert apply(warehouse, "b") == ["a"]
    assert schemas(warehouse) == {"b"}
    assert apply(warehouse) == ["b"]
    assert apply(warehouse) == []
    assert schemas(warehouse) == set()


def test_an_edited_option_is_taken_back_and_made_anew(warehouse: Warehouse, files: dict[str, str]) -> None:
    apply(warehouse, "a")
    files["a.sql"] = "CREATE SCHEMA IF NOT EXISTS a; CREATE TABLE IF NOT EXISTS a.t (x INT, y INT);"
    assert apply(warehouse, "a") == ["a"]
    assert warehouse.value("SELECT COUNT(*) FROM svv_columns WHERE table_schema = 'a'") == 2


def test_what_failed_half_way_is_finished_by_the_next_deploy(warehouse: Warehouse, files: dict[str, str]) -> None:
    whole, files["a.sql"] = files["a.sql"], "CREATE SCHEMA IF NOT EXISTS a; SELECT 1 / 0;"
    with pytest.raises(StatementFailed, match=r"(?i)divi.* by zero"):
        apply(warehouse, "a")
    files["a.sql"] = whole
    assert apply(warehouse, "a") == ["a"]
    assert warehouse.value("SELECT COUNT(*) FROM a.t") == 0


def test_what_a_newer_version_made_stays_when_its_stack_rolls_back(warehouse: Warehouse, files: dict[str, str]) -> None:
    apply(warehouse, "a", "b")
    del files["b.sql"], files["b.off.sql"]
    assert apply(warehouse, "a") == []
    assert schemas(warehouse) == {"a", "b"}


def test_an_option_without_its_files_is_refused_by_name(warehouse: Warehouse, files: dict[str, str]) -> None:
    with pytest.raises(OptionError, match=r"There is no option c: sql/warehouse/options/ has a, b\. No option"):
        apply(warehouse, "a", "c")
    assert schemas(warehouse) == set()
    del files["a.off.sql"]
    with pytest.raises(OptionError, match=r"a\.off\.sql is missing"):
        apply(warehouse)
