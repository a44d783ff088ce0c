"""An increment delivers what has changed since the last delivery: at the boundary nothing is lost and nothing twice."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from landing import NOW, Lake, contract
from servers import Server

from solvent.extraction.errors import WatermarkMissing

EVENTS = contract("application_event", "event_id", "note", key="event_id")
LATER = NOW + dt.timedelta(hours=1)
T = dt.datetime(2026, 7, 1, 2)  # of the newest row at the first extraction


@pytest.fixture
def changing(lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path) -> Any:
    """A table with a watermark, extracted once; `extract` again gives mode and rows, `write` adds or changes one."""
    rows = [{"event_id": f"E{n}", "note": "old", "changed": T - dt.timedelta(days=n)} for n in range(9)]
    rows += [{"event_id": f"B{n}", "note": "boundary", "changed": T} for n in range(3)]
    instant = "DATETIME(6)" if "mysql" in server.url else "TIMESTAMP"
    name = table(f"event_id VARCHAR(9) PRIMARY KEY, note VARCHAR(20), changed {instant}", rows)
    given = {"table": name, "key": "event_id", "watermark": "changed", "chunk_rows": 5}
    declare({"application_event": given}, EVENTS, overlap=600)
    lake.tell(server)

    class Changing:
        first = lake.run(lake.job("test", server), tmp_path)
        name_of_table = name

        @staticmethod
        def extract(now: dt.datetime = LATER, **options: Any) -> tuple[str, list[tuple[str | None, str | None]]]:
            report = lake.run(lake.job("test", server, **options), tmp_path, now=now)
            found = lake.rows(report["manifest"], "application_event") if report["manifest"] else []
            return report["mode"], sorted((r["event_id"], r["note"]) for r in found)  # type: ignore[type-var]

        @staticmethod
        def write(event: str, note: str, changed: dt.datetime | None) -> None:
            with table.engine.begin() as connection:
                connection.execute(sa.text(f"DELETE FROM {name} WHERE event_id = :e"), {"e": event})
                values = {"e": event, "n": note, "c": changed}
                connection.execute(sa.text(f"INSERT INTO {name} VALUES (:e, :n, :c)"), values)

    assert Changing.first["mode"] == "snapshot" and Changing.first["rows"] == {"application_event": 12}
    return Changing()


def test_without_changes_there_is_no_delivery(lake: Lake, changing: Any) -> None:
    assert changing.extract() == ("changes", [])
    assert len(lake.manifests()) == 1


def test_new_and_changed_rows_are_delivered_once(lake: Lake, changing: Any) -> None:
    changing.write("E5", "changed", T + dt.timedelta(minutes=5))
    changing.write("N1", "new", T + dt.timedelta(minutes=6))
    assert changing.extract() == ("changes", [("E5", "changed"), ("N1", "new")])
    assert changing.extract(LATER + dt.timedelta(hours=1)) == ("changes", [])
    assert [m.mode for m in lake.manifests()].count("changes") == 1


def test_rows_of_the_boundary_that_are_committed_late_are_found(changing: Any) -> None:
    """A transaction that began before the last extraction, and was committed after it: its rows look old."""
    changing.write("L1", "same moment", T)
    changing.write("L2", "a little earlier", T - dt.timedelta(seconds=500))
    changing.write("B1", "boundary again", T + dt.timedelta(microseconds=1))
    assert changing.extract() == (
        "changes",
        [("B1", "boundary again"), ("L1", "same moment"), ("L2", "a little earlier")],
    )
    changing.write("L3", "even later", T - dt.timedelta(seconds=400))
    assert changing.extract(LATER + dt.timedelta(hours=1)) == ("changes", [("L3", "even later")])
    assert changing.extract(LATER + dt.timedelta(hours=2)) == ("changes", [])


def test_full_takes_everything_whatever_was_delivered(changing: Any) -> None:
    mode, rows = changing.extract(full=True)
    assert (mode, len(rows)) == ("snapshot", 12)
    assert changing.extract(LATER + dt.timedelta(hours=1)) == ("changes", [])


def test_one_source_alone_never_claims_to_be_the_whole(changing: Any) -> None:
    mode, rows = changing.extract(full=True, source="application_event")
    assert (mode, len(rows)) == ("changes", 12)


def test_a_row_without_a_watermark_stops_an_extraction(changing: Any) -> None:
    changing.write("E1", "no time", None)
    with pytest.raises(WatermarkMissing, match="changed"):
        changing.extract()


def test_a_watermark_of_another_table_is_forgotten(changing: Any, declare: Any) -> None:
    given = {"table": changing.name_of_table, "key": ["event_id"], "watermark": "changed", "chunk_rows": 5}
    declare({"application_event": given}, EVENTS, overlap=600)
    mode, rows = changing.extract()
    assert (mode, len(rows)) == ("snapshot", 12)
