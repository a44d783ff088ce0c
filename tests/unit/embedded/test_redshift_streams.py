"""Streaming ingestion: a stream is read through a materialized view, from what its consumer has stored."""

import datetime as dt
import json
from pathlib import Path

import pytest
from redshift_fixtures import ROLE, Warehouse

from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.streams import StreamBatch

STREAM = "bank-dev-events"
VIEW = f"""CREATE MATERIALIZED VIEW live AUTO REFRESH NO AS
    SELECT approximate_arrival_timestamp AS arrived, partition_key, shard_id, sequence_number, refresh_time,
        JSON_PARSE(kinesis_data) AS event, FROM_VARBYTE(kinesis_data, 'utf-8') AS text
    FROM events."{STREAM}" WHERE CAN_JSON_PARSE(kinesis_data)"""


def batch(number: int, *payloads: object) -> StreamBatch:
    lines = [p if isinstance(p, bytes) else json.dumps(p, ensure_ascii=False).encode() for p in payloads]
    stored = dt.datetime(2026, 7, 1, 12, 0, number)
    return StreamBatch(f"raw/dt=2026-07-01/shard-{number}.jsonl", "shard", str(number), stored, lines)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.streams.stored[STREAM] = [batch(1, {"stage": "geprüft \\"}, b"no json", b"\xff"), batch(2, {"stage": "paid"})]
    made.run("CREATE EXTERNAL SCHEMA events FROM KINESIS IAM_ROLE default")
    return made


@pytest.mark.contract(
    "redshift.streaming",
    page="https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-streaming-ingestion-getting-started.html",
    says="A materialized view on an external schema of Kinesis takes in the stream's new records at each refresh.",
)
def test_a_refresh_takes_in_what_is_new(warehouse: Warehouse) -> None:
    warehouse.run(VIEW)
    stages = """SELECT JSON_EXTRACT_PATH_TEXT(text, 'stage'), shard_id, sequence_number, partition_key, arrived::varchar
        FROM live ORDER BY sequence_number"""
    first = [
        ("geprüft \\", "shard", "1", None, "2026-07-01 12:00:01"),
        ("paid", "shard", "2", None, "2026-07-01 12:00:02"),
    ]
    assert warehouse.rows(stages) == first
    assert json.loads(warehouse.value("SELECT text FROM live ORDER BY sequence_number")) == {"stage": "geprüft \\"}
    warehouse.streams.stored[STREAM] = [batch(3, {"stage": "closed"})]  # the older objects are gone meanwhile
    assert warehouse.rows(stages) == first
    for _ in range(2):
        warehouse.run("REFRESH MATERIALIZED VIEW live")
        assert [row[0] for row in warehouse.rows(stages)] == ["geprüft \\", "paid", "closed"]
    assert set(warehouse.streams.roles) == {ROLE}


def test_a_stream_is_read_through_a_view_only(warehouse: Warehouse) -> None:
    warehouse.run(VIEW)
    for statement in (
        f'SELECT * FROM events."{STREAM}"',
        f'INSERT INTO events."{STREAM}" (shard_id) VALUES (1)',
        f'CREATE TABLE t AS SELECT * FROM events."{STREAM}"',
        f'CREATE VIEW v AS SELECT 1 AS a FROM events."{STREAM}" AS s',
    ):
        with pytest.raises(SqlError, match="can be read by a materialized view only"):
            warehouse.run(statement)
    assert warehouse.rows("SELECT table_name FROM svv_tables") == [("live",)]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "CREATE EXTERNAL SCHEMA x FROM KAFKA IAM_ROLE default",
            "does not implement CREATE EXTERNAL SCHEMA ... FROM KAFKA",
        ),
        ("CREATE EXTERNAL SCHEMA x FROM KINESIS IAM_ROLE 'arn:aws:iam::1:role/x'", "not authorized to assume"),
        ("CREATE EXTERNAL SCHEMA x FROM KINESIS", "syntax error"),
        ("CREATE EXTERNAL SCHEMA events FROM KINESIS IAM_ROLE default", 'schema "events" already exists'),
        (VIEW.replace(STREAM, "other"), "Kinesis stream other cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(warehouse: Warehouse, statement: str, error: str) -> None:
    with pytest.raises(SqlError, match=error):
        warehouse.run(statement)


def test_an_external_schema_goes_with_its_views(warehouse: Warehouse) -> None:
    warehouse.run("CREATE EXTERNAL SCHEMA IF NOT EXISTS events FROM KINESIS IAM_ROLE default", VIEW)
    with pytest.raises(SqlError, match="cannot drop schema events because other objects depend on it"):
        warehouse.run("DROP SCHEMA events")
    warehouse.run("DROP SCHEMA events CASCADE")
    assert warehouse.rows("SELECT name FROM svv_mv_info") == []
    warehouse.run("CREATE EXTERNAL SCHEMA events FROM KINESIS IAM_ROLE default", VIEW)
    assert warehouse.value("SELECT COUNT(*) FROM live") == 2, "a new schema reads the stream from its beginning"


def test_bytes_and_json_are_told_apart(warehouse: Warehouse) -> None:
    assert warehouse.rows(
        "SELECT CAN_JSON_PARSE('[1]'), CAN_JSON_PARSE('[1'), FROM_VARBYTE(TO_VARBYTE('ä', 'utf8'), 'hex'), "
        "FROM_VARBYTE(TO_VARBYTE('c3a4', 'hex'), 'UTF-8'), JSON_SERIALIZE(JSON_PARSE('{\"a\": 1}'))"
    ) == [(True, False, "c3a4", "ä", '{"a":1}')]
