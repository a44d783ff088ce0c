"""What survives `down`, `up`, a crash and a reset, while everything that can run is running."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import EmbeddedAws, wait
from test_fidelity_lifecycle import group

from embedded_aws import lifecycle, saving

pytestmark = pytest.mark.embedded
PORT = 4880


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    lifecycle.down(tmp_path)


class Inhabited:
    """An embedded AWS in which something of every kind exists, and an execution that does not end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.running = lifecycle.up(home, port=PORT)
        aws = self.aws = EmbeddedAws(self.running.url, home)
        self.endpoint = aws.endpoint()  # a server process, and an object in a bucket of the same name
        self.function = aws.function("def handler(event, context):\n    return event")
        assert aws.invoke(self.function, {"a": 1}) == ({"a": 1}, None)  # a worker process
        self._table()
        self._stack()
        self._warehouse()
        states = {"Long": {"Type": "Wait", "Seconds": 300, "End": True}}
        machine = aws.client("stepfunctions").create_state_machine(
            name="long", roleArn=aws.role(), definition=json.dumps({"StartAt": "Long", "States": states})
        )["stateMachineArn"]
        self.execution = aws.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]

    def _table(self) -> None:
        self.aws.client("dynamodb").create_table(
            TableName="kept",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.aws.client("dynamodb").put_item(TableName="kept", Item={"pk": {"S": "a"}})

    def _stack(self) -> None:
        # A namespace gives times among its attributes, which once kept every stack from being saved.
        namespace = {"NamespaceName": "kept", "AdminUsername": "admin", "ManageAdminPassword": True}
        workgroup = {"WorkgroupName": "kept", "NamespaceName": {"Ref": "Namespace"}, "BaseCapacity": 8}
        resources = {
            "Namespace": {"Type": "AWS::RedshiftServerless::Namespace", "Properties": namespace},
            "Workgroup": {"Type": "AWS::RedshiftServerless::Workgroup", "Properties": workgroup},
        }
        formation = self.aws.client("cloudformation")
        formation.create_stack(StackName="kept", TemplateBody=json.dumps({"Resources": resources}))
        wait(lambda: self._stack_status() == "CREATE_COMPLETE", 20)

    def _stack_status(self) -> str:
        stacks = self.aws.client("cloudformation").describe_stacks(StackName="kept")["Stacks"]
        return str(stacks[0]["StackStatus"])

    def _warehouse(self) -> None:
        self._query("CREATE TABLE kept (a INT)")
        self._query("INSERT INTO kept VALUES (7)")

    def _query(self, sql: str) -> list[Any]:
        data = self.aws.client("redshift-data")
        statement = data.execute_statement(WorkgroupName="kept", Database="dev", Sql=sql)["Id"]
        done = wait(lambda: _ended(data.describe_statement(Id=statement)), 20)
        assert done["Status"] == "FINISHED", done.get("Error")
        return list(data.get_statement_result(Id=statement)["Records"]) if done["HasResultSet"] else []

    def processes(self) -> list[int]:
        return group(self.running.pid)

    def up_again(self, *, reset: bool = False) -> None:
        self.running = lifecycle.up(self.home, port=self.running.port, reset=reset)

    def assert_kept(self) -> None:
        client = self.aws.client
        assert client("s3").head_object(Bucket=self.endpoint, Key="model.tar.gz")["ContentLength"] > 0
        assert client("dynamodb").get_item(TableName="kept", Key={"pk": {"S": "a"}})["Item"]
        assert self._stack_status() == "CREATE_COMPLETE"
        answer = client("sagemaker-runtime").invoke_endpoint(EndpointName=self.endpoint, Body=b"hello")
        assert answer["Body"].read() == b"hello"
        assert self.aws.invoke(self.function, {"a": 2}) == ({"a": 2}, None)
        assert self._query("SELECT a FROM kept") == [[{"longValue": 7}]]
        assert client("stepfunctions").describe_execution(executionArn=self.execution)["status"] == "FAILED"


def _ended(statement: dict[str, Any]) -> dict[str, Any] | None:
    return statement if statement["Status"] in ("FINISHED", "FAILED", "ABORTED") else None


def test_down_ends_every_process_and_up_brings_everything_back(home: Path) -> None:
    lived_in = Inhabited(home)
    before = lived_in.processes()
    assert len(before) >= 3, "the embedded AWS, the endpoint's server and the function's worker"
    begun = time.monotonic()
    assert lifecycle.down(home)
    wait(lambda: not lived_in.processes(), 5)
    assert time.monotonic() - begun < 5
    assert not any(Path(f"/proc/{pid}/cmdline").exists() and _ours(pid) for pid in before)
    lived_in.up_again()
    lived_in.assert_kept()
    lived_in.up_again(reset=True)
    client = lived_in.aws.client
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert client("cloudformation").describe_stacks()["Stacks"] == []
    assert client("sagemaker").list_endpoints()["Endpoints"] == []
    assert client("lambda").list_functions()["Functions"] == []
    assert client("redshift-serverless").list_workgroups()["workgroups"] == []


def test_a_crash_loses_seconds_and_is_no_obstacle(home: Path) -> None:
    lived_in = Inhabited(home)
    time.sleep(2 * saving.SECONDS + 1)  # one save at least began and ended after the last call
    crashed = lived_in.running.pid
    os.kill(crashed, signal.SIGKILL)  # the servers and workers that it started are orphans now
    wait(lambda: lifecycle.status(home) is None)
    begun = time.monotonic()
    lived_in.up_again()
    assert time.monotonic() - begun < 30
    wait(lambda: not group(crashed), 5)
    lived_in.assert_kept()


def _ours(pid: int) -> bool:
    try:
        return b"embedded_aws" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
