"""What survives `down`, `up`, a crash and a reset, while everything that can run is running."""

import contextlib
import io
import json
import os
import shutil
import signal
import tarfile
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
    lifecycle.down(tmp_path / "deleted")


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


SLOW = """
import json, time, urllib.request

def handler(event, context):
    if event["RequestType"] == "Create":
        time.sleep(float(event["ResourceProperties"]["Seconds"]))
    answer = {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": "made"}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=10)
"""


def create(aws: EmbeddedAws, function: str, seconds: float) -> None:
    """Start a stack of a queue and a resource that takes its time."""
    slow = {"ServiceToken": function, "Seconds": str(seconds)}
    resources = {
        "Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "made"}},
        "Slow": {"Type": "Custom::Slow", "Properties": slow, "DependsOn": "Group"},
    }
    body = json.dumps({"Resources": resources})
    aws.client("cloudformation").create_stack(StackName="slow", TemplateBody=body)
    wait(lambda: aws.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"], 20)


def test_a_deploy_that_is_killed_is_undone_and_can_be_repeated(home: Path) -> None:
    running = lifecycle.up(home, port=PORT)
    aws = EmbeddedAws(running.url, home)
    function = aws.function(SLOW, timeout=60)
    time.sleep(2 * saving.SECONDS)  # the function is saved
    create(aws, function, 40)
    time.sleep(2 * saving.SECONDS)  # a save would have been due
    os.kill(running.pid, signal.SIGKILL)
    again = lifecycle.up(home, port=running.port)
    assert "ended without a last save" in again.notice
    formation = aws.client("cloudformation")
    assert formation.describe_stacks()["Stacks"] == []
    assert aws.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    create(aws, function, 0)
    wait(lambda: formation.describe_stacks(StackName="slow")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE", 20)


def test_a_deploy_that_is_stopped_has_failed_and_is_named(home: Path) -> None:
    running = lifecycle.up(home, port=PORT)
    aws = EmbeddedAws(running.url, home)
    create(aws, aws.function(SLOW, timeout=60), 40)
    assert lifecycle.down(home)
    again = lifecycle.up(home, port=running.port)
    assert again.notice.startswith("Interrupted, and failed now: stack slow.")
    formation = aws.client("cloudformation")
    assert formation.describe_stacks(StackName="slow")["Stacks"][0]["StackStatus"] == "ROLLBACK_FAILED"
    formation.delete_stack(StackName="slow")
    wait(lambda: not aws.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"], 20)


def test_jobs_end_with_the_embedded_aws_that_is_killed(home: Path) -> None:
    running = lifecycle.up(home, port=PORT)
    aws = EmbeddedAws(running.url, home)
    before = set(group(running.pid))
    # Each starts a process of its own, as joblib does.
    endless = "import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(120)'])\n"
    _glue_job(aws, endless)
    _training_job(aws, endless)
    wait(lambda: len(set(group(running.pid)) - before) == 4, 20)
    os.kill(running.pid, signal.SIGKILL)
    wait(lambda: not group(running.pid), 8)


def _glue_job(aws: EmbeddedAws, source: str) -> None:
    name = aws.name("scripts")
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    aws.client("s3").put_object(Bucket=name, Key="job.py", Body=source.encode())
    role = aws.role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, service="glue.amazonaws.com")
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{name}/job.py", "PythonVersion": "3"}
    aws.client("glue").create_job(Name=name, Role=role, Command=command, GlueVersion="5.1")
    aws.client("glue").start_job_run(JobName=name)


def _training_job(aws: EmbeddedAws, source: str) -> None:
    name = aws.name("training")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(source)
        packed.addfile(entry, io.BytesIO(source.encode()))
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    aws.client("s3").put_object(Bucket=name, Key="source.tar.gz", Body=archive.getvalue())
    aws.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=aws.role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, service="sagemaker.amazonaws.com"),
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": f"s3://{name}/source.tar.gz"},
        OutputDataConfig={"S3OutputPath": f"s3://{name}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


@pytest.mark.parametrize("remove", ["folder", "file"])
def test_who_deletes_the_folder_stops_what_serves_it(home: Path, remove: str) -> None:
    place = home / "deleted"
    running = lifecycle.up(place, port=PORT)
    aws = EmbeddedAws(running.url, place)
    aws.endpoint()  # a server process, and state to save
    assert len(group(running.pid)) >= 2
    if remove == "folder":
        shutil.rmtree(place)
    else:
        (place / "running.json").write_text((place / "running.json").read_text().replace(str(running.pid), "1"))
        before = _contents(place / "state" / "saved")
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)  # whoever sends it: nothing may be written back
    wait(lambda: not group(running.pid), 5)
    if remove == "folder":
        assert not (place / "state").exists()
    else:
        assert _contents(place / "state" / "saved") == before
        assert (place / "running.json").exists(), "it is another's"
        assert not (place / "saved.json").exists()


def test_what_serves_a_deleted_folder_ends_without_being_told(home: Path) -> None:
    place = home / "deleted"
    running = lifecycle.up(place, port=PORT)
    shutil.rmtree(place)
    wait(lambda: not group(running.pid), 5)
    assert not (place / "state").exists()
    fresh = lifecycle.up(place, port=PORT)
    time.sleep(1.5)  # longer than it takes to notice a foreign file
    assert lifecycle.status(place) == fresh
    assert lifecycle.down(place)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


def test_down_says_what_was_not_saved(home: Path) -> None:
    running = lifecycle.up(home, port=PORT)
    aws = EmbeddedAws(running.url, home)
    aws.client("sqs").create_queue(QueueName="lost")
    (home / "state" / "saved" / "sqs.json.tmp").mkdir()  # no file can be written there, not even by root
    with pytest.raises(lifecycle.LifecycleError, match="is stopped, but its state is not saved: .*failed to save sqs"):
        lifecycle.down(home)
    assert not group(running.pid)
    assert "ERROR" in (log := (home / "embedded-aws.log").read_text())
    assert "failed to save sqs" in log
    assert not lifecycle.down(home)  # it is said once


def test_down_says_when_the_last_save_did_not_end(home: Path) -> None:
    running = lifecycle.up(home, port=PORT)
    os.kill(running.pid, signal.SIGSTOP)  # it hangs; SIGKILL ends it all the same
    with pytest.raises(lifecycle.LifecycleError, match="did not come to the end of its last save"):
        lifecycle.down(home)
    wait(lambda: not group(running.pid), 5)  # the system takes a moment to clear a killed process


def _ours(pid: int) -> bool:
    try:
        return b"embedded_aws" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
