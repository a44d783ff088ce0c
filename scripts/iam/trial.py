"""What the scenarios do with a deployed platform beside what its users do: begin anew, look into its parts."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from solvent import naming
from solvent.client import Execution, Platform

PORTFOLIO = "lending"


class ScenarioFailedError(Exception):
    """What the scenario is about did not happen; the message says what."""


def wait(found: Callable[[], Any], what: str, seconds: float = 10) -> Any:
    """The first true answer. Raises ScenarioFailedError naming `what`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise ScenarioFailedError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)
    return answer


@dataclass
class Trial:
    """A platform with a delivery, on which scenarios run one after another."""

    platform: Platform
    delivery: Path
    manifest: str = ""
    run_id: str = ""
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The operator's client of a service, made once."""
        return self._clients.setdefault(service, self.platform.target.client(service))

    def begin(self) -> None:
        """Deliver, and run everything once: from then on there is a champion."""
        self.manifest = self.platform.load(self.delivery)
        done = self.finished(self.platform.run("pipeline", {"manifest": self.manifest}, timeout=240))
        self.run_id = str(done.output["run_id"])

    # Runs

    def reset(self) -> None:
        """Stop what runs and release the portfolio, as if nothing had happened before."""
        states = self.client("stepfunctions")
        for phase in reversed(naming.PHASES):
            machine = self.platform.machine_arn(phase)
            for running in states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
                states.stop_execution(executionArn=running["executionArn"])
        self.client("dynamodb").delete_item(**self._item(f"lock#{PORTFOLIO}"))

    def again(self, phase: str) -> None:
        """Let a phase of the run be done once more: its attempts go on counting."""
        table, found = self.platform.names.runs_table, self.client("dynamodb").scan
        prefix = f"run#{phase}#{PORTFOLIO}#{self.run_id}"
        for item in found(TableName=table)["Items"]:
            if item["pk"]["S"].startswith(prefix):
                self.client("dynamodb").update_item(
                    **self._item(item["pk"]["S"]),
                    UpdateExpression="SET #s = :failed",
                    ExpressionAttributeNames={"#s": "status"},
                    ExpressionAttributeValues={":failed": {"S": "failed"}},
                )

    def _item(self, key: str) -> dict[str, Any]:
        return {"TableName": self.platform.names.runs_table, "Key": {"pk": {"S": key}}}

    def run(self, phase: str, request: dict[str, Any] | None = None) -> Execution:
        """One execution, which must succeed."""
        given = request or {"portfolio": PORTFOLIO}
        return self.finished(self.platform.run(phase, given, timeout=120))

    @staticmethod
    def finished(done: Execution) -> Execution:
        """The execution if it succeeded. Raises ScenarioFailedError with its cause."""
        if done.status != "SUCCEEDED":
            raise ScenarioFailedError(f"{done.status} {done.error}: {done.cause}")
        return done

    def start(self, phase: str, request: dict[str, Any]) -> str:
        """The ARN of a new execution."""
        states = self.client("stepfunctions")
        machine = self.platform.machine_arn(phase)
        return str(states.start_execution(stateMachineArn=machine, input=json.dumps(request))["executionArn"])

    def reached(self, execution: str, found: Callable[[], Any], what: str) -> Any:
        """The first true answer while an execution runs. Raises ScenarioFailedError when it ends before."""

        def looked() -> Any:
            if answer := found():
                return answer
            known = self.client("stepfunctions").describe_execution(executionArn=execution)
            if known["status"] != "RUNNING":
                raise ScenarioFailedError(f"before {what}: {known['status']} {known.get('cause', '')}")
            return None

        return wait(looked, what, 20)

    def executions(self, phase: str) -> set[str]:
        """The ARNs of all executions of a machine."""
        pages = self.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.platform.machine_arn(phase))
        return {item["executionArn"] for page in found for item in page["executions"]}

    # Functions

    def function(self, name: str) -> str:
        """The full name of a function of the platform."""
        return self.platform.names.named(name)

    def invoke(self, name: str, event: Any) -> Any:
        """A function's answer."""
        answer = self.client("lambda").invoke(FunctionName=self.function(name), Payload=json.dumps(event))
        return json.loads(answer["Payload"].read() or b"null")

    def custom_resource(self, name: str, request: str, properties: dict[str, Any]) -> None:
        """Ask a custom resource's function as CloudFormation does. Raises ScenarioFailedError with its reason."""
        s3, bucket = self.client("s3"), self.platform.target.bucket("artifacts")
        where = {"Bucket": bucket, "Key": f"check-iam/{name}.json"}
        event = {
            "RequestType": request,
            "ResponseURL": s3.generate_presigned_url("put_object", Params=where, ExpiresIn=600),
            "StackId": "check-iam",
            "RequestId": str(time.time()),
            "LogicalResourceId": name,
            "ResourceProperties": properties,
        }
        said = self.invoke(name, event)
        try:
            answer = json.loads(s3.get_object(**where)["Body"].read())
        except ClientError:
            answer = {}
        if answer.get("RequestId") != event["RequestId"] or answer["Status"] != "SUCCESS":
            raise ScenarioFailedError(f"{name}: {answer.get('Reason') or said}")

    # Logs

    def streams(self, group: str) -> int:
        """How many log streams hold at least one line."""
        try:
            pages = self.client("logs").get_paginator("describe_log_streams").paginate(logGroupName=group)
            return sum(1 for page in pages for stream in page["logStreams"] if stream.get("lastEventTimestamp"))
        except ClientError:
            return 0

    def forget_logs(self, group: str) -> None:
        """Delete a log group, so that it must be made again."""
        if self.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            self.client("logs").delete_log_group(logGroupName=group)

    # Queues

    def queue(self, name: str) -> str:
        """The address of a queue of the platform, emptied."""
        url = str(self.client("sqs").get_queue_url(QueueName=self.platform.names.named(name))["QueueUrl"])
        while self.received(url):
            pass
        return url

    def received(self, url: str) -> bool:
        """Whether a message was there; it is deleted."""
        found = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(found)

    # Machines

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """All machines without retries, so that what is refused fails at once; as they were afterwards."""
        states, before = self.client("stepfunctions"), {}
        for phase in naming.PHASES:
            arn = self.platform.machine_arn(phase)
            before[arn] = states.describe_state_machine(stateMachineArn=arn)["definition"]
            definition = json.loads(before[arn])
            for state in definition["States"].values():
                state.pop("Retry", None)
                if "BatchStrategy" in state.get("Parameters", {}):
                    state["Parameters"]["BatchStrategy"] = "SingleRecord"  # long enough to be stopped half-way
            states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
        try:
            yield
        finally:
            for arn, text in before.items():
                states.update_state_machine(stateMachineArn=arn, definition=text)
