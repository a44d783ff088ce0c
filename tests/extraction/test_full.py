"""A full extraction delivers every row of a database as it is there, and the manifest last."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from landing import Lake, contract
from servers import Server

from solvent.extraction.errors import KeyNotUnique, NoSuchColumn

EVENTS = contract("application_event", "event_id", "note", key="event_id")


def test_every_row_arrives_once_whatever_the_size_of_a_chunk(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path
) -> None:
    rows = [{"event_id": f"E{n:05d}", "note": f"n {n}"} for n in range(1000)]
    name = table("event_id VARCHAR(10) PRIMARY KEY, note VARCHAR(20)", rows)
    for chunk_rows, files in ((300, 4), (500, 2), (1000, 1), (2000, 1)):
        declare({"application_event": {"table": name, "key": "event_id", "chunk_rows": chunk_rows}}, EVENTS)
        if chunk_rows == 300:
            lake.tell(server)
        report = lake.run(lake.job("test", server), tmp_path)
        assert report["rows"] == {"application_event": 1000} and report["mode"] == "snapshot"
        assert sorted(lake.rows(report["manifest"], "application_event"), key=lambda r: r["event_id"]) == rows
        manifest = next(m for m in lake.manifests() if m.delivery_id in report["manifest"])
        assert [f.name for f in manifest.files] == [f"application_event-{n}.csv" for n in range(1, files + 1)]
        assert (manifest.portfolio, manifest.dataset, manifest.as_of) == ("lending", "core", "2026-07-01")


def test_a_key_of_several_columns_is_followed_in_its_order(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path
) -> None:
    rows = [{"event_id": f"E{n % 7}", "note": f"{n // 7:02d}"} for n in range(70)]
    name = table("event_id VARCHAR(10), note VARCHAR(20), PRIMARY KEY (event_id, note)", rows)
    declare({"application_event": {"table": name, "key": ["event_id", "note"], "chunk_rows": 4}}, EVENTS)
    lake.tell(server)
    report = lake.run(lake.job("test", server), tmp_path)
    expected = sorted(rows, key=lambda r: (r["event_id"], r["note"]))
    assert lake.rows(report["manifest"], "application_event") == expected


def test_a_query_is_read_like_a_table(lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path) -> None:
    rows = [{"event_id": f"E{n:02d}", "note": "x"} for n in range(20)]
    name = table("event_id VARCHAR(10) PRIMARY KEY, note VARCHAR(20)", rows)
    query = f"SELECT event_id, CONCAT(note, ':%', event_id) AS note FROM {name} WHERE event_id <> 'E07'"
    query = query.replace(":%", r"\:%")
    declare({"application_event": {"query": query, "key": "event_id", "chunk_rows": 6}}, EVENTS)
    lake.tell(server)
    report = lake.run(lake.job("test", server), tmp_path)
    found = lake.rows(report["manifest"], "application_event")
    assert found == [{"event_id": r["event_id"], "note": f"x:%{r['event_id']}"} for r in rows if r["event_id"] != "E07"]


def test_an_empty_table_is_delivered_as_a_header(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path
) -> None:
    name = table("event_id VARCHAR(10) PRIMARY KEY, note VARCHAR(20)")
    declare({"application_event": {"table": name, "key": "event_id"}}, EVENTS)
    lake.tell(server)
    report = lake.run(lake.job("test", server), tmp_path)
    [key] = [k for k in lake.objects() if k.endswith(".csv")]
    assert report["rows"] == {"application_event": 0} and lake.body(key) == b'"event_id","note"\n'


TEXTS = {
    "quotes": "O'Brien said \"it's; -- DROP\" \\ `x`",
    "lines": "first\nsecond\r\nthird\rfourth",
    "commas": ",;\t| ,",
    "unicode": "Zoë 李 \U0001f3e6 é ‮abc",
    "empty": "",
    "blank": "  ",
    "null": None,
    "word": "NULL",
    "percent": "100% %s :x {y}",
}


def test_hostile_values_arrive_as_they_are(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path
) -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    texts = dict(TEXTS)
    if "mysql" in server.url:  # PostgreSQL has no NUL in its texts
        texts["nul"] = "a\0b"
    rows = [
        {
            "id": number,
            "note": note,
            "amount": Decimal("-12345678901234567890.123456789") if number % 2 else None,
            "flag": number % 2 == 0,
            "happened": dt.datetime(2026, 3, 29, 1, 30, 0, 123456, zone),
            "local": dt.datetime(2026, 3, 29, 2, 30),
            "day": dt.date(1999, 12, 31),
            "ratio": 0.1 + 0.2,
            "raw": b"\x00\xff",
        }
        for number, note in enumerate(texts.values())
    ]
    if "mysql" in server.url:  # its TIMESTAMP is an instant, but takes what is given in the session's zone
        types = ("DECIMAL(30, 9)", "BOOLEAN", "TIMESTAMP(6)", "DATETIME", "DOUBLE", "VARBINARY(9)")
        given = [{**r, "happened": r["happened"].astimezone(dt.UTC).replace(tzinfo=None)} for r in rows]
    else:
        types = ("NUMERIC(30, 9)", "BOOLEAN", "TIMESTAMPTZ", "TIMESTAMP", "DOUBLE PRECISION", "BYTEA")
        given = rows
    decimal, boolean, instant, local, double, binary = types
    with table.engine.begin() as connection:
        if "mysql" in server.url:
            connection.execute(sa.text("SET GLOBAL time_zone = '+00:00'"))
    table.engine.dispose()
    name = table(
        f"id INT PRIMARY KEY, note VARCHAR(200), amount {decimal}, flag {boolean}, happened {instant}, local {local}, "
        f"day DATE, ratio {double}, raw {binary}",
        given,
    )
    declare({"hostile": {"table": name, "key": "id", "chunk_rows": 2}}, contract("hostile", *rows[0], key="id"))
    lake.tell(server)
    report = lake.run(lake.job("test", server), tmp_path)
    found = {row["id"]: row for row in lake.rows(report["manifest"], "hostile")}
    assert {row["id"]: row["note"] for row in found.values()} == {str(n): t for n, t in enumerate(texts.values())}
    for number, row in enumerate(rows):
        read = found[str(number)]
        assert read["amount"] == ("-12345678901234567890.123456789" if number % 2 else None)
        assert read["flag"] in (("true", "1") if row["flag"] else ("false", "0"))
        assert (read["happened"] or "").rstrip("Z") == "2026-03-28 20:00:00.123456"
        assert (read["local"], read["day"], read["raw"]) == ("2026-03-29 02:30:00", "1999-12-31", "00ff")
        assert float(read["ratio"] or 0) == 0.1 + 0.2


def test_a_column_that_the_contract_does_not_know_stays_where_it_is(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path
) -> None:
    name = table(
        "event_id VARCHAR(9) PRIMARY KEY, memo VARCHAR(9), iban VARCHAR(9)",
        [{"event_id": "1", "memo": "m", "iban": "x"}],
    )
    declare({"application_event": {"table": name, "key": "event_id", "columns": {"note": "memo"}}}, EVENTS)
    lake.tell(server)
    report = lake.run(lake.job("test", server), tmp_path)
    assert lake.rows(report["manifest"], "application_event") == [{"event_id": "1", "note": "m"}]


@pytest.mark.parametrize("key", ["note", "other"])
def test_a_key_that_could_lose_rows_stops_the_extraction(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path, key: str
) -> None:
    rows = [{"event_id": f"E{n}", "note": "same", "other": None if n == 3 else str(n)} for n in range(9)]
    name = table("event_id VARCHAR(9), note VARCHAR(9), other VARCHAR(9)", rows)
    declare({"application_event": {"table": name, "key": key, "chunk_rows": 4}}, EVENTS)
    lake.tell(server)
    with pytest.raises(KeyNotUnique, match="Name a key"):
        lake.run(lake.job("test", server), tmp_path)
    assert lake.manifests() == []


def test_a_key_that_a_collation_takes_for_another_stops_the_extraction(
    lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path
) -> None:
    if "mysql" not in server.url:
        pytest.skip("only MariaDB's usual collation takes a for A")
    name = table("event_id VARCHAR(9), note VARCHAR(9)", [{"event_id": k, "note": k} for k in "AaBbCc"])
    declare({"application_event": {"table": name, "key": "event_id", "chunk_rows": 3}}, EVENTS)
    lake.tell(server)
    with pytest.raises(KeyNotUnique):
        lake.run(lake.job("test", server), tmp_path)


def test_a_missing_column_is_named(lake: Lake, server: Server, table: Any, declare: Any, tmp_path: Path) -> None:
    name = table("event_id VARCHAR(9) PRIMARY KEY")
    declare({"application_event": {"table": name, "key": "event_id"}}, EVENTS)
    lake.tell(server)
    with pytest.raises(NoSuchColumn, match="lacks note"):
        lake.run(lake.job("test", server), tmp_path)
