"""The option `training.autopilot` on a laptop, where there is no Autopilot: `train` goes on and is told why."""

import dataclasses
import json
from typing import Any

import pytest
from conftest import EmbeddedAws

from stacks import config
from stacks.state_machines import autopilot
from stacks.state_machines.parts import Parts

pytestmark = pytest.mark.embedded
JOB = {"job_name": "solvent-dev-auto-01234567", "target": "defaulted", "features": "s3://artifacts/autopilot.json"}


def states_of_the_option(role: str) -> dict[str, Any]:
    """What the option adds to `train`, without the function before it and the retries of what passes by itself."""
    told: dict[str, Any] = {field.name: field.name for field in dataclasses.fields(Parts)}
    parts = Parts(**{**told, "config": config.load("dev"), "autopilot_role": role, "machines": {}, "vpc": None})
    machine = parts.machine("train", "the option")
    option = config.Autopilot(maximum_candidates=1, maximum_runtime_minutes=30)
    autopilot.add(parts, machine, option, then="EvaluateModel")
    states = {
        autopilot.FIRST: {"Type": "Pass", "Result": JOB, "ResultPath": "$.autopilot_job", "Next": "StartAutopilot"},
        **{name: state for name, state in machine.states.items() if name != autopilot.FIRST},
        "EvaluateModel": {"Type": "Pass", "InputPath": "$.autopilot", "End": True},
        "RecordFailure": {"Type": "Fail"},
    }
    return {name: {k: v for k, v in state.items() if k != "Retry"} for name, state in states.items()}


def test_train_goes_on_without_autopilot_and_knows_why(aws: EmbeddedAws) -> None:
    calls = ["sagemaker:CreateAutoMLJobV2", "sagemaker:DescribeAutoMLJobV2", "iam:PassRole"]
    role = aws.role({"Effect": "Allow", "Action": calls, "Resource": "*"})
    run = {"training_prefix": "s3://training/x/", "portfolio": "lending"}
    done = aws.execute(states_of_the_option(role), role=role, given={"run": run})
    assert done["status"] == "SUCCEEDED"
    answer = json.loads(done["output"])
    assert answer["AutoMLJobStatus"] == "Failed"
    assert "does not implement CreateAutoMLJobV2" in answer["FailureReason"]
