"""The client of a deployed platform, against moto: deliveries land whole, and refusals are named."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from solvent import datasets
from solvent.client import Platform, PlatformError
from solvent.delivery import DeliveryError
from solvent.naming import Names
from solvent.target import Target


@pytest.fixture
def platform() -> Iterator[Platform]:
    with mock_aws():
        target = Target(Names("dev"), "eu-west-1", boto3.Session("testing", "testing", region_name="eu-west-1"))
        target.client("s3").create_bucket(
            Bucket=target.bucket("landing"), CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield Platform(target)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return datasets.write("synthetic", tmp_path / "delivery", size=100)


def test_a_delivery_is_complete_when_its_manifest_lands(platform: Platform, folder: Path) -> None:
    uri = platform.load(folder)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3 = platform.target.client("s3")
    stored = {o["Key"]: o for o in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    beside = {key.replace("manifest.json", file["name"]): file["bytes"] for file in manifest["files"]}
    assert {k: o["Size"] for k, o in stored.items() if k != key} == beside
    assert stored[key]["LastModified"] == max(o["LastModified"] for o in stored.values())


def test_a_folder_that_lacks_a_source_is_refused_before_anything_lands(platform: Platform, folder: Path) -> None:
    (folder / "loan_application.csv").rename(folder / "loans.csv")
    with pytest.raises(DeliveryError, match=r"Missing: loan_application; belonging to no source: loans\.csv"):
        platform.load(folder)
    assert platform.target.client("s3").list_objects_v2(Bucket=platform.target.bucket("landing"))["KeyCount"] == 0


def test_the_same_folder_lands_under_the_same_keys(platform: Platform, folder: Path) -> None:
    assert platform.load(folder) == platform.load(folder) == platform.latest_manifest("lending")


def test_running_before_any_delivery_says_what_to_do(platform: Platform) -> None:
    with pytest.raises(PlatformError, match="solvent load FOLDER"):
        platform.latest_manifest("lending")


def test_the_api_of_a_platform_that_is_not_deployed_is_missed_by_name(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = platform.target.client("apigatewayv2")
    stubber = Stubber(gateway)
    stubber.add_response(
        "get_apis", {"Items": [{"Name": "another", "ProtocolType": "HTTP", "RouteSelectionExpression": "x"}]}
    )
    stubber.activate()
    monkeypatch.setattr(Target, "client", lambda self, service: gateway)
    with pytest.raises(PlatformError, match="solvent-dev-api.*not deployed"):
        _ = platform.api_url


def test_events_of_one_loan_share_a_partition(platform: Platform) -> None:
    kinesis = platform.target.client("kinesis")
    kinesis.create_stream(StreamName="solvent-dev-events", ShardCount=2)
    platform.put_events([{"event_id": str(i), "loan_id": "L000001"} for i in range(600)])
    shards = kinesis.describe_stream(StreamName="solvent-dev-events")["StreamDescription"]["Shards"]
    counts = []
    for shard in shards:
        iterator = kinesis.get_shard_iterator(
            StreamName="solvent-dev-events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        counts.append(len(kinesis.get_records(ShardIterator=iterator, Limit=1000)["Records"]))
    assert sorted(counts) == [0, 600]


@pytest.mark.parametrize(
    ("original", "said"),
    [
        (
            '{"error": "amount: must be a number", "field": "amount"}\nTraceback (most recent call last):\n  File',
            "amount",
        ),
        (None, "Endpoint solvent-dev-lending not found"),
    ],
)
def test_a_refused_applicant_is_told_why_and_no_stack_trace(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, original: str | None, said: str
) -> None:
    runtime = platform.target.client("sagemaker-runtime")
    stubber = Stubber(runtime)
    code, more = ("ValidationError", {}) if original is None else ("ModelError", {"OriginalMessage": original})
    stubber.add_client_error(
        "invoke_endpoint", code, "Endpoint solvent-dev-lending not found", modeled_fields=more or None
    )
    stubber.activate()
    monkeypatch.setattr(Target, "client", lambda self, service: runtime)
    with pytest.raises(PlatformError, match=f"The endpoint refused: {said}") as refused:
        platform.score({"amount": "x"})
    assert "Traceback" not in str(refused.value)
