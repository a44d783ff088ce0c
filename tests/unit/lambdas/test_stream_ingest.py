import base64
import json
from typing import Any

import boto3
from fakes import bucket, client_error, lines, load_handler

from examples import EVENT


def event(*payloads: bytes) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventID": f"shardId-000000000000:{100 + i}",
                "kinesis": {
                    "sequenceNumber": str(100 + i),
                    "approximateArrivalTimestamp": 1_780_000_000.0,
                    "data": base64.b64encode(payload).decode(),
                },
            }
            for i, payload in enumerate(payloads)
        ]
    }


def objects(zone: str) -> list[dict[str, Any]]:
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket=bucket(zone)).get("Contents", [])
    return [line for o in found for line in lines(s3.get_object(Bucket=bucket(zone), Key=o["Key"])["Body"].read())]


def test_events_from_kinesis_end_in_the_zones_of_the_environment() -> None:
    answer = load_handler("stream_ingest").handler(event(json.dumps(EVENT).encode(), b"poison"), None)
    assert answer == {"batchItemFailures": []}
    assert objects("raw") == [EVENT]
    assert [line["sequence"] for line in objects("quarantine")] == ["101"]


def test_a_storage_that_is_busy_is_answered_with_where_to_begin_again() -> None:
    function = load_handler("stream_ingest")

    class Busy:
        def put_object(self, **_: Any) -> None:
            raise client_error("ServiceUnavailable")

    function.s3 = Busy()
    answer = function.handler(event(json.dumps(EVENT).encode()), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
