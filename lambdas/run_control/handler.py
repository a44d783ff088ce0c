"""First and last state of every state machine: begins, completes or fails a phase of a run."""

from typing import Any

import boto3
from settings import Settings

from solvent.naming import Names
from solvent.runs import InvalidRun, RunControl

settings = Settings.from_environment()
names = Names(settings.environment)
control = RunControl(
    table=boto3.resource("dynamodb").Table(names.runs_table),
    s3=boto3.client("s3"),
    states=boto3.client("stepfunctions"),
    names=names,
    account=settings.account,
    region=settings.region,
    code_version=settings.code_version,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """{"action": "begin", "phase", "execution", "input"} | {"action": "complete", "run", "result"} |
    {"action": "fail", "execution", "error"[, "run"]}."""
    action = event.get("action")
    if action == "begin":
        return control.begin(
            phase=event["phase"],
            execution=event["execution"],
            request=event.get("input") or {},
            champion=event.get("champion"),
        )
    if action == "complete":
        return control.complete(run=event["run"], result=event.get("result"))
    if action == "fail":
        return control.fail(execution=event["execution"], error=event.get("error") or {}, run=event.get("run"))
    raise InvalidRun(f"action is begin, complete or fail, not {action!r}.")
