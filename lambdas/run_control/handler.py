"""What every state machine begins and ends with: begins, completes or fails a phase of a run, and lets one wait."""

from typing import Any

import boto3
from settings import Settings

from solvent import autopilot
from solvent.approval import Approval
from solvent.naming import Names, tuning_job
from solvent.rollout import Rollout
from solvent.runs import InvalidRun, RunControl

settings = Settings.from_environment()
names = Names(settings.environment)
sagemaker = boto3.client("sagemaker")
s3 = boto3.client("s3")
control = RunControl(
    table=boto3.resource("dynamodb").Table(names.runs_table),
    s3=s3,
    states=boto3.client("stepfunctions"),
    sagemaker=sagemaker,
    glue=boto3.client("glue"),
    names=names,
    account=settings.account,
    region=settings.region,
    code_version=settings.code_version,
)
approval = Approval(control.ledger, sagemaker)
rollout = Rollout(sagemaker, names)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """{"action": "begin", "phase", "execution", "input"} | {"action": "complete", "run", "result"} |
    {"action": "fail", "execution", "error"[, "run"]} | {"action": "pause", "run", "package"} |
    {"action": "resume", "run", "version"} | {"action": "champion", "run"} | {"action": "tidy", "run", "keep"} |
    {"action": "autopilot", "run"} | {"action": "tuning", "run"}."""
    action = event.get("action")
    if action == "begin":
        return control.begin(phase=event["phase"], execution=event["execution"], request=event.get("input") or {})
    if action == "complete":
        return control.complete(run=event["run"], result=event.get("result"))
    if action == "fail":
        return control.fail(execution=event["execution"], error=event.get("error") or {}, run=event.get("run"))
    if action == "pause":
        return approval.pause(run=event["run"], package=event["package"])
    if action == "resume":
        return approval.resume(run=event["run"], version=event["version"])
    if action == "champion":
        weight = round(1 - event["run"]["challenger_weight"], 6)
        return {"model": control.champion(event["run"]["portfolio"]), "weight": weight}
    if action == "tidy":
        deleted = rollout.tidy(event["run"]["portfolio"], event["keep"])
        return {"text": f"the newest {event['keep']}; deleted: {', '.join(deleted) or 'none'}"}
    if action == "autopilot":
        bucket = names.bucket("artifacts", settings.account, settings.region)
        return autopilot.prepare(s3, run=event["run"], bucket=bucket, prefix=names.prefix)
    if action == "tuning":
        return {"job_name": tuning_job(names.prefix, event["run"]["job_name"])}
    raise InvalidRun(
        f"action is begin, complete, fail, pause, resume, champion, tidy, autopilot or tuning, not {action!r}."
    )
