"""Compaction of the stream: whenever it is killed, and while it runs, a reader sees each event once."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from solvent import compaction, contracts, naming

BUCKET = "raw"
CONTRACT = contracts.load()["application_event"]
TODAY = date(2026, 3, 10)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def event(number: int) -> dict[str, Any]:
    found = {c.name: f"{c.name}-{number}" for c in CONTRACT.columns if c.type not in ("integer", "number", "boolean")}
    # What an event lacks must stay lacking.
    return {k: v for k, v in found.items() if number % 3 or CONTRACT.column(k).required}


def put(s3: Any, day: str, first: int, count: int = 3) -> list[dict[str, Any]]:
    events = [event(n) for n in range(first, first + count)]
    body = "".join(json.dumps(e, sort_keys=True) + "\n" for e in events).encode()
    s3.put_object(Bucket=BUCKET, Key=naming.stream_key(CONTRACT.name, day, "shard-0", str(first)), Body=body)
    return events


def seen(s3: Any) -> Counter[str]:
    return Counter(json.dumps(e, sort_keys=True) for e in compaction.read(s3, BUCKET, CONTRACT))


def counted(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(e, sort_keys=True) for e in events)


def keys(s3: Any, prefix: str = "") -> list[str]:
    return [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def run(s3: Any) -> dict[str, Any]:
    return compaction.compact(s3, BUCKET, CONTRACT, before=compaction.closed_before(TODAY))


def test_closed_days_become_one_object_and_the_events_stay_the_same(s3: Any) -> None:
    events = [e for n in range(0, 30, 3) for e in put(s3, "2026-03-07", n)]
    events += put(s3, "2026-03-08", 100)
    open_days = put(s3, "2026-03-09", 200) + put(s3, "2026-03-10", 300)
    assert run(s3) == {"days": ["2026-03-07", "2026-03-08"], "objects": 11, "rows": 33}
    assert seen(s3) == counted(events + open_days)
    assert len(keys(s3, "stream-compacted/")) == 2
    assert [k.split("dt=")[1][:10] for k in keys(s3, "stream/")] == ["2026-03-09", "2026-03-10"]


def test_doing_it_again_does_nothing_and_a_late_batch_is_added(s3: Any) -> None:
    events = put(s3, "2026-03-01", 0)
    run(s3)
    before = keys(s3)
    assert run(s3) == {"days": [], "objects": 0, "rows": 0} and keys(s3) == before
    events += put(s3, "2026-03-01", 50)
    assert seen(s3) == counted(events)
    assert run(s3)["rows"] == 3
    assert seen(s3) == counted(events) and not keys(s3, "stream/")


def test_a_batch_that_is_delivered_again_after_its_compaction_is_not_seen_twice(s3: Any) -> None:
    events = put(s3, "2026-03-01", 0)
    run(s3)
    put(s3, "2026-03-01", 0)  # Lambda repeats a batch under the same key
    assert seen(s3) == counted(events)
    run(s3)
    assert seen(s3) == counted(events) and not keys(s3, "stream/")


class Killed(Exception):
    pass


class Dying:
    """Dies at the n-th call that changes the bucket; `after`: when it has been done, else before."""

    def __init__(self, s3: Any, at: int, *, after: bool) -> None:
        self._s3, self._left, self._after = s3, at, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._s3, name)
        if name not in ("put_object", "delete_objects"):
            return call

        def dying(**arguments: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            answer = call(**arguments)
            if self._left == 0:
                raise Killed
            return answer

        return dying


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_killed_anywhere_nothing_is_lost_or_doubled(s3: Any, at: int, after: bool) -> None:
    events = [e for n in range(0, 9, 3) for e in put(s3, "2026-03-01", n) + put(s3, "2026-03-02", 100 + n)]
    with pytest.raises(Killed):
        run(Dying(s3, at, after=after))
    assert seen(s3) == counted(events)
    run(s3)
    assert seen(s3) == counted(events)
    assert not keys(s3, "stream/") and len(keys(s3, "stream-compacted/")) == 2


class CompactedMeanwhile:
    """A compaction happens just before the n-th call of a reader."""

    def __init__(self, s3: Any, at: int) -> None:
        self._s3, self._left = s3, at

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._s3, name)
        if name not in ("get_object", "get_paginator"):
            return call

        def late(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                run(self._s3)
            return call(*arguments, **named)

        return late


@pytest.mark.parametrize("at", range(1, 7))
def test_a_reader_in_the_middle_of_a_compaction_sees_each_event_once(s3: Any, at: int) -> None:
    events = put(s3, "2026-03-01", 0) + put(s3, "2026-03-01", 10)
    run(s3)
    events += put(s3, "2026-03-01", 20) + put(s3, "2026-03-01", 30)
    assert seen(CompactedMeanwhile(s3, at)) == counted(events)


def test_what_could_not_be_deleted_is_said_and_seen_once(s3: Any) -> None:
    events = put(s3, "2026-03-01", 0)

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def delete_objects(self, **_: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": "k", "Code": "AccessDenied"}]}

    with pytest.raises(compaction.CompactionError, match=r"1 micro-batches .*AccessDenied"):
        run(Refusing())
    assert seen(s3) == counted(events)


def test_the_object_has_statistics_and_says_what_it_holds(s3: Any) -> None:
    put(s3, "2026-03-01", 0, count=50)
    run(s3)
    [key] = keys(s3, "stream-compacted/")
    file = pq.ParquetFile(io.BytesIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
    column = file.metadata.row_group(0).column(0)
    assert file.metadata.num_rows == 50 and column.is_stats_set and column.statistics.has_min_max
