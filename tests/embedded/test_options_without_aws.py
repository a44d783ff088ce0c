"""The options of `training` on a laptop, which has neither Autopilot nor tuning jobs: `train` goes on, told why."""

import dataclasses
import json
from typing import Any

import pytest
from conftest import EmbeddedAws

from stacks import config
from stacks.state_machines import autopilot, train, tuning
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import Machine

pytestmark = pytest.mark.embedded
JOB = {"job_name": "solvent-dev-auto-01234567", "target": "defaulted", "features": "s3://artifacts/autopilot.json"}


def parts_and_machine(role: str) -> tuple[Parts, Machine]:
    told: dict[str, Any] = {field.name: field.name for field in dataclasses.fields(Parts)}
    told |= {"config": config.load("dev"), "autopilot_role": role, "training_role": role, "machines": {}, "vpc": None}
    parts = Parts(**told)
    return parts, parts.machine("train", "the option")


def alone(machine: Machine, first: str, prepared: dict[str, Any], end: str, shown: str) -> dict[str, Any]:
    """What an option adds to `train`, without the function before it and the retries of what passes by itself."""
    states = {
        **machine.states,
        first: {**prepared, "Type": "Pass", "Next": machine.states[first]["Next"]},
        end: {"Type": "Pass", "InputPath": shown, "End": True},
        "RecordFailure": {"Type": "Fail"},
    }
    return {name: {k: v for k, v in state.items() if k != "Retry"} for name, state in states.items()}


def test_train_goes_on_without_autopilot_and_knows_why(aws: EmbeddedAws) -> None:
    calls = ["sagemaker:CreateAutoMLJobV2", "sagemaker:DescribeAutoMLJobV2", "iam:PassRole"]
    role = aws.role({"Effect": "Allow", "Action": calls, "Resource": "*"})
    parts, machine = parts_and_machine(role)
    option = config.Autopilot(maximum_candidates=1, maximum_runtime_minutes=30)
    autopilot.add(parts, machine, option, then="EvaluateModel")
    prepared = {"Result": JOB, "ResultPath": "$.autopilot_job"}
    states = alone(machine, autopilot.FIRST, prepared, "EvaluateModel", "$.autopilot")
    run = {"training_prefix": "s3://training/x/", "portfolio": "lending"}
    done = aws.execute(states, role=role, given={"run": run})
    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    answer = json.loads(done["output"])
    assert answer["AutoMLJobStatus"] == "Failed"
    assert "does not implement CreateAutoMLJobV2" in answer["FailureReason"]


def test_train_goes_on_without_a_search_and_knows_why(aws: EmbeddedAws) -> None:
    calls = [
        "sagemaker:*HyperParameterTuningJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        "events:*",
    ]
    role = aws.role({"Effect": "Allow", "Action": calls, "Resource": "*"})
    parts, machine = parts_and_machine(role)
    option = config.Tuning(maximum_jobs=2, parallel_jobs=1, maximum_runtime_minutes=30)
    tuning.add(parts, machine, option, train.job(parts), then="Train")
    prepared = {"Result": {"job_name": "solvent-dev-tune-01234567"}, "ResultPath": "$.tuning_job"}
    run = {"training_prefix": "s3://training/x/", "portfolio": "lending", "run_id": "0", "excluded_features": "[]"}
    done = aws.execute(
        alone(machine, tuning.FIRST, prepared, "Train", "$.tuned"), role=role, given={"run": {**run, "job_name": "j"}}
    )
    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    answer = json.loads(done["output"])
    assert answer["settings"] == "{}"
    assert "does not implement CreateHyperParameterTuningJob" in answer["text"]
