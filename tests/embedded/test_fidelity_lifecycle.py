"""Up, down, status: one process group, state that survives, a port that is taken."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from conftest import wait

from embedded_aws import lifecycle

pytestmark = pytest.mark.embedded


def client(running: lifecycle.Running, service: str):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=running.url, region_name="eu-west-1", **keys)


def group(leader: int) -> list[int]:
    """Process ids of a process group (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(entry.name)) == leader and ") Z " not in (entry / "stat").read_text():
                found.append(int(entry.name))
        except (ProcessLookupError, FileNotFoundError):
            continue
    return found


def test_state_survives_and_nothing_is_left_running(tmp_path: Path) -> None:
    running = lifecycle.up(tmp_path, port=4850)
    try:
        location = {"LocationConstraint": "eu-west-1"}
        client(running, "s3").create_bucket(Bucket="kept", CreateBucketConfiguration=location)
        client(running, "s3").put_object(Bucket="kept", Key="k", Body=b"x")
        client(running, "dynamodb").create_table(
            TableName="kept",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client(running, "dynamodb").put_item(TableName="kept", Item={"pk": {"S": "a"}})
        queue = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}}
        client(running, "cloudformation").create_stack(StackName="kept", TemplateBody=json.dumps({"Resources": queue}))
        assert lifecycle.up(tmp_path, port=4850) == running  # already up
        begun = time.monotonic()
        assert lifecycle.down(tmp_path)
        assert time.monotonic() - begun < 5
        wait(lambda: not group(running.pid), 2)
        assert lifecycle.status(tmp_path) is None
        again = lifecycle.up(tmp_path, port=4850)
        assert client(again, "s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"x"
        assert client(again, "dynamodb").get_item(TableName="kept", Key={"pk": {"S": "a"}})["Item"]
        stack = client(again, "cloudformation").describe_stacks(StackName="kept")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        fresh = lifecycle.up(tmp_path, port=4850, reset=True)
        assert client(fresh, "s3").list_buckets()["Buckets"] == []
    finally:
        lifecycle.down(tmp_path)
    assert not lifecycle.down(tmp_path)  # none is running


def test_a_taken_port_is_passed_over_with_a_notice(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        try:
            running = lifecycle.up(tmp_path, port=taken)
            assert running.port != taken
            assert f"Port {taken} is taken" in running.notice
        finally:
            lifecycle.down(tmp_path)


def test_several_that_start_at_once_take_ports_of_their_own(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in "abc"]
    try:
        with ThreadPoolExecutor(len(homes)) as pool:
            running = list(pool.map(lambda home: lifecycle.up(home, port=4860), homes))
        assert len({r.port for r in running}) == len(homes)
        assert all(lifecycle.status(home) == r for home, r in zip(homes, running, strict=True))
    finally:
        for home in homes:
            lifecycle.down(home)


def test_a_crash_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    running = lifecycle.up(tmp_path, port=4870)
    os.killpg(running.pid, signal.SIGKILL)
    wait(lambda: lifecycle.status(tmp_path) is None)
    try:
        assert lifecycle.up(tmp_path, port=running.port).port == running.port
    finally:
        lifecycle.down(tmp_path)
