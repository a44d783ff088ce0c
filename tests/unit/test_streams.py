import base64
import json
from typing import Any

import boto3
import pytest
from fakes import client_error, lines
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from examples import EVENT
from solvent import contracts, streams
from solvent.streams import Poison, Record

CONTRACT = contracts.load()["application_event"]


def record(data: bytes | dict[str, Any], sequence: str = "100", shard: str = "shardId-000000000000") -> Record:
    return Record(shard, sequence, 1_780_000_000.0, data if isinstance(data, bytes) else json.dumps(data).encode())


@pytest.fixture
def s3() -> Any:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-1")
        for bucket in ("raw", "quarantine"):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


def ingest(s3: Any, *records: Record) -> list[str]:
    return streams.ingest(records, contract=CONTRACT, s3=s3, raw_bucket="raw", quarantine_bucket="quarantine")


def stored(s3: Any, bucket: str) -> dict[str, list[dict[str, Any]]]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {o["Key"]: lines(s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()) for o in found}


def test_sound_events_reach_the_raw_zone_and_poison_keeps_payload_reason_and_sequence(s3: Any) -> None:
    poison = b'\xff{"event_id": 3}'
    assert ingest(s3, record(EVENT), record(poison, "101"), record({**EVENT, "event_id": "E-2"}, "102")) == []
    ((key, events),) = stored(s3, "raw").items()
    assert key == "stream/application_event/dt=2026-05-28/shardId-000000000000-100.jsonl"
    assert [e["event_id"] for e in events] == ["E-1", "E-2"]
    ((key, quarantined),) = stored(s3, "quarantine").items()
    assert key == "stream/application_event/dt=2026-05-28/shardId-000000000000-100.jsonl"
    assert quarantined[0]["sequence"] == "101"
    assert quarantined[0]["reason"] == "not a JSON text in UTF-8"
    assert base64.b64decode(quarantined[0]["payload_base64"]) == poison


def test_a_batch_that_is_delivered_again_overwrites_its_own_object(s3: Any) -> None:
    for _ in range(2):
        ingest(s3, record(EVENT), record(b"x", "101"))
    assert [len(rows) for rows in stored(s3, "raw").values()] == [1]
    assert [len(rows) for rows in stored(s3, "quarantine").values()] == [1]


def test_each_shard_gets_its_own_object(s3: Any) -> None:
    ingest(s3, record(EVENT, "1", "shard-a"), record(EVENT, "2", "shard-b"))
    assert len(stored(s3, "raw")) == 2


class Broken:
    def __init__(self, code: str) -> None:
        self.code = code

    def put_object(self, **request: Any) -> None:
        raise client_error(self.code)


def test_a_failure_that_may_pass_is_delivered_again_from_the_first_record() -> None:
    assert ingest(Broken("SlowDown"), record(EVENT), record(EVENT, "101")) == ["100"]


def test_a_failure_that_will_not_pass_is_an_error_and_not_a_silent_retry() -> None:
    with pytest.raises(Exception, match="AccessDenied"):
        ingest(Broken("AccessDenied"), record(EVENT))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_id": None}, "event_id: is missing"),
        ({"event_id": ""}, "event_id: is empty"),
        ({"event_id": "a b"}, "event_id: does not match"),
        ({"event_id": "E-1\n"}, "event_id: does not match"),
        ({"loan_id": 7}, "loan_id: is not text"),
        ({"stage": "flying"}, "stage: is not one of"),
        ({"team": "x" * 200}, "team: is longer"),
        ({"occurred_at": "yesterday"}, "occurred_at: is no timestamp"),
        ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at: is no timestamp"),
        ({"occurred_at": "2026-01-01"}, "occurred_at: is no timestamp"),
        ({"extra": 1}, "extra: not a column"),
    ],
)
def test_the_reason_names_the_column(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Poison, match=f"^{reason}"):
        streams.validate(json.dumps({**EVENT, **change}).encode(), CONTRACT)


def test_what_may_be_missing_may_be_missing() -> None:
    assert streams.validate(json.dumps({**EVENT, "team": None}).encode(), CONTRACT)["team"] is None


@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_the_function_fail(payload: bytes) -> None:
    with pytest.raises(Poison):
        streams.validate(payload, CONTRACT)


values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from([*EVENT, "extra"]), values))
def test_every_record_ends_in_exactly_one_place(change: dict[str, Any]) -> None:
    written: dict[str, int] = {"raw": 0, "quarantine": 0}

    class Counting:
        def put_object(self, *, Bucket: str, Body: bytes, **_: Any) -> None:  # noqa: N803
            written[Bucket] += len(Body.splitlines())

    batch = [record(EVENT), record(json.dumps({**EVENT, **change}).encode(), "101")]
    assert ingest(Counting(), *batch) == []
    assert sum(written.values()) == 2
