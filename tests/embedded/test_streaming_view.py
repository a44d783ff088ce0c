"""Events that somebody puts on the stream, seen in the warehouse: dev with its switch `streaming_view` put on by hand.

What the templates add with it (tests/stacks/test_warehouse_options.py) is added here: the permission on the stream, and
the tag that tells the embedded AWS where the function stores what it reads.
"""

import json
import uuid
from collections.abc import Iterator

import pytest
from conftest import EmbeddedAws, wait

from solvent.client import Platform, query
from solvent.target import Target
from solvent.warehouse.data_api import StatementFailed

pytestmark = pytest.mark.embedded
POLICY = {"RoleName": "solvent-dev-warehouse-copy", "PolicyName": "streaming-view"}
STREAM = "solvent-dev-events"


@pytest.fixture(scope="module")
def analyst(aws: EmbeddedAws, platform: Platform) -> Target:
    role = f"arn:aws:iam::{aws.account}:role/solvent-dev-analyst"
    credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
    return Target(platform.names, aws.region, aws.session(credentials), aws.url)


@pytest.fixture(scope="module")
def switched(aws: EmbeddedAws, platform: Platform) -> Iterator[None]:
    stream = f"arn:aws:kinesis:{aws.region}:{aws.account}:stream/{STREAM}"
    actions = [f"kinesis:{name}" for name in ("DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")]
    statement = {"Effect": "Allow", "Action": actions, "Resource": stream}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(**POLICY, PolicyDocument=document)
    place = f"s3://{platform.target.bucket('raw')}/stream/application_event/"
    aws.client("kinesis").add_tags_to_stream(StreamName=STREAM, Tags={"RecordsStoredAt": place})
    assert aws.switch("streaming_view") == ["streaming_view"]
    yield
    assert aws.switch() == ["streaming_view"]
    aws.client("iam").delete_role_policy(**POLICY)
    aws.client("kinesis").remove_tags_from_stream(StreamName=STREAM, TagKeys=["RecordsStoredAt"])


def seen(analyst: Target, event: str) -> list[list[str]]:
    sql = "SELECT loan_id, stage, team FROM marts.application_events_live WHERE event_id = :event"
    return query(analyst, sql, {"event": event})[1]


def test_an_event_is_seen_by_an_analyst_who_refreshes(platform: Platform, analyst: Target, switched: None) -> None:
    event = f"E-{uuid.uuid4().hex[:12]}"
    said = {"loan_id": "L000001", "stage": "submitted", "team": "branch"}
    platform.put_events([{"event_id": event, **said, "occurred_at": "2026-06-30T09:00:00"}])
    wait(lambda: event in {e["event_id"] for e in platform.stream_events()}, 30)
    assert seen(analyst, event) == [], "nobody has refreshed, and a view does not refresh itself"
    query(analyst, "CALL ops.refresh_application_events_live()")
    assert seen(analyst, event) == [list(said.values())]


def test_a_role_that_lost_the_stream_cannot_refresh(aws: EmbeddedAws, analyst: Target, switched: None) -> None:
    iam = aws.client("iam")
    document = iam.get_role_policy(**POLICY)["PolicyDocument"]
    iam.delete_role_policy(**POLICY)
    try:
        with pytest.raises(StatementFailed, match="not authorized to perform: kinesis:DescribeStreamSummary"):
            query(analyst, "CALL ops.refresh_application_events_live()")
    finally:
        iam.put_role_policy(**POLICY, PolicyDocument=json.dumps(document))
