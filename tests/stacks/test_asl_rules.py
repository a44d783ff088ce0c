"""The rules for state machines that asl-validator lacks: each leaves a good definition alone and refuses its fault."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gates.assembly import ENVIRONMENTS, Assembly
from gates.machines import asl

Definition = dict[str, Any]

RETRY = [{"ErrorEquals": ["Busy"], "MaxAttempts": 3}]
CATCH = [{"ErrorEquals": ["NotFound"], "Next": "Failed"}, {"ErrorEquals": ["States.ALL"], "Next": "Failed"}]
INVOKE = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:f"
JOB = "arn:aws:states:::glue:startJobRun.sync"


def _task(resource: str, parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "Retry": RETRY, "Catch": CATCH}
    return copy.deepcopy({**task, "Next": "Check", **fields})


def _good() -> Definition:
    """A definition with every kind of state, which no rule objects to."""
    inside = _task(INVOKE, {"FunctionName": FUNCTION}, End=True)
    del inside["Next"], inside["Catch"]  # the Map around it catches
    body = {"StartAt": "Inside", "States": {"Inside": inside}}
    states = {
        "Call": _task(INVOKE, {"FunctionName": FUNCTION, "Payload": {"key.$": "$.key"}}, Next="Run"),
        "Run": _task(JOB, {"JobName": "etl", "Arguments": {"--anything": "x"}}, TimeoutSeconds=60),
        "Check": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Each"}], "Default": "Ask"},
        "Ask": _task("arn:aws:states:::aws-sdk:sfn:describeExecution", {"ExecutionArn.$": "$.arn"}, Next="Each"),
        "Each": {"Type": "Map", "ItemProcessor": body, "Catch": CATCH, "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Say"},
        "Say": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "Next": "Done"},
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "ErrorPath": "$.error"},
    }
    return {"StartAt": "Call", "TimeoutSeconds": 3600, "States": states}


def _found(definition: Definition) -> set[tuple[str, str]]:
    return {(f.rule, f.where) for f in asl.judge(asl.Machine(definition, "eu-west-1"))}


def _set(state: str, field: str, value: Any) -> Callable[[Definition], None]:
    def fault(definition: Definition) -> None:
        definition["States"][state][field] = value

    return fault


def _parameter(state: str, name: str, value: Any) -> Callable[[Definition], None]:
    def fault(definition: Definition) -> None:
        definition["States"][state]["Parameters"][name] = value

    return fault


def _without(state: str, *fields: str) -> Callable[[Definition], None]:
    def fault(definition: Definition) -> None:
        place = definition["States"][state]
        for field in fields[:-1]:
            place = place[field]
        del place[fields[-1]]

    return fault


def _inside(field: str, value: Any) -> Callable[[Definition], None]:
    def fault(definition: Definition) -> None:
        definition["States"]["Each"]["ItemProcessor"]["States"]["Inside"][field] = value

    return fault


def _set_whole(field: str, value: Any) -> Callable[[Definition], None]:
    def fault(definition: Definition) -> None:
        definition[field] = value

    return fault


def _no_overall_timeout(definition: Definition) -> None:
    del definition["TimeoutSeconds"]


def _orphan(definition: Definition) -> None:
    definition["States"]["Orphan"] = {"Type": "Pass", "Next": "Done"}


def _orphan_inside(definition: Definition) -> None:
    definition["States"]["Each"]["ItemProcessor"]["States"]["Orphan"] = {"Type": "Succeed"}


ALL = "States.ALL"
WAIT = {"ErrorEquals": ["Busy"], "IntervalSeconds": 60, "BackoffRate": 1.0}
FAULTS: list[tuple[str, str, Callable[[Definition], None]]] = [
    ("ASL_UNKNOWN_RESOURCE", "Run", _set("Run", "Resource", "arn:aws:states:::gleu:startJobRun.sync")),
    ("ASL_UNKNOWN_RESOURCE", "Run", _set("Run", "Resource", "arn:aws:states:::glue:startTheJob.sync")),
    ("ASL_UNKNOWN_RESOURCE", "Run", _set("Run", "Resource", "arn:aws:states:::glue:startJobRun.sync:2")),
    ("ASL_UNKNOWN_RESOURCE", "Call", _set("Call", "Resource", "arn:aws:states:::lambda:invoke.sync")),
    (
        "ASL_UNKNOWN_RESOURCE",
        "Ask",
        _set("Ask", "Resource", "arn:aws:states:::aws-sdk:stepfunctions:describeExecution"),
    ),
    ("ASL_UNKNOWN_RESOURCE", "Ask", _set("Ask", "Resource", "arn:aws:states:::aws-sdk:sfn:describeExecutions")),
    ("ASL_UNKNOWN_RESOURCE", "Ask", _set("Ask", "Resource", "arn:aws:states:::aws-sdk:sfn:DescribeExecution")),
    ("ASL_UNKNOWN_RESOURCE", "Call", _set("Call", "Resource", "arn:aws:s3:::bucket")),
    ("ASL_UNKNOWN_RESOURCE", "Each.0.Inside", _inside("Resource", "arn:aws:states:::lambda:call")),
    ("ASL_WRONG_PARAMETER", "Run", _parameter("Run", "JobNam", "etl")),
    ("ASL_WRONG_PARAMETER", "Run", _parameter("Run", "NotificationProperty", {"Delay": 5})),
    ("ASL_WRONG_PARAMETER", "Run", _without("Run", "Parameters", "JobName")),
    ("ASL_WRONG_PARAMETER", "Each.0.Inside", _inside("Parameters", {"Payload": {}})),
    ("ASL_CHOICE_WITHOUT_DEFAULT", "Check", _without("Check", "Default")),
    ("ASL_STATES_ALL_MIXED", "Call", _set("Call", "Catch", [{"ErrorEquals": ["X", ALL], "Next": "Failed"}])),
    ("ASL_STATES_ALL_MIXED", "Call", _set("Call", "Catch", CATCH[::-1])),
    ("ASL_STATES_ALL_MIXED", "Call", _set("Call", "Retry", [{"ErrorEquals": [ALL, "X"]}])),
    ("ASL_TASK_WITHOUT_RETRY", "Call", _without("Call", "Retry")),
    ("ASL_TASK_WITHOUT_RETRY", "Each.0.Inside", _inside("Retry", [])),
    ("ASL_RETRIES_EVERYTHING", "Call", _set("Call", "Retry", [{"ErrorEquals": [ALL]}])),
    ("ASL_RETRIES_EVERYTHING", "Call", _set("Call", "Retry", [{"ErrorEquals": ["States.TaskFailed"]}])),
    ("ASL_TASK_WITHOUT_CATCH", "Call", _without("Call", "Catch")),
    ("ASL_TASK_WITHOUT_CATCH", "Call", _set("Call", "Catch", CATCH[:1])),
    ("ASL_TASK_WITHOUT_CATCH", "Each.0.Inside", _without("Each", "Catch")),
    ("ASL_WITHOUT_TIMEOUT", "", _no_overall_timeout),
    ("ASL_WITHOUT_TIMEOUT", "Run", _without("Run", "TimeoutSeconds")),
    ("ASL_WITHOUT_TIMEOUT", "Call", _set("Call", "Resource", "arn:aws:states:::lambda:invoke.waitForTaskToken")),
    ("ASL_WITHOUT_TIMEOUT", "Call", _set("Call", "Resource", "arn:aws:states:eu-west-1:111111111111:activity:a")),
    ("ASL_RETRY_OUT_OF_BOUNDS", "Call", _set("Call", "Retry", [{"ErrorEquals": ["X"], "MaxAttempts": 0}])),
    ("ASL_RETRY_OUT_OF_BOUNDS", "Call", _set("Call", "Retry", [{"ErrorEquals": ["X"], "MaxAttempts": 21}])),
    ("ASL_RETRY_OUT_OF_BOUNDS", "Call", _set("Call", "Retry", [{**WAIT, "MaxAttempts": 61}])),
    ("ASL_RETRY_OUT_OF_BOUNDS", "Each.0.Inside", _inside("Retry", [{"ErrorEquals": ["X"], "MaxAttempts": 0}])),
    ("ASL_UNKNOWN_ERROR", "Call", _set("Call", "Retry", [{"ErrorEquals": ["Lambda.TooManyRequestException"]}])),
    ("ASL_UNKNOWN_ERROR", "Call", _set("Call", "Retry", [{"ErrorEquals": ["Glue.InternalServiceException"]}])),
    ("ASL_UNKNOWN_ERROR", "Call", _set("Call", "Catch", [{"ErrorEquals": ["States.All"], "Next": "Failed"}])),
    ("ASL_UNKNOWN_ERROR", "Each", _set("Each", "Catch", [{"ErrorEquals": ["States.Timeouts"], "Next": "Failed"}])),
    ("ASL_OUT_OF_TIME", "", _set_whole("TimeoutSeconds", 7 * 24 * 3600 + 1)),
    ("ASL_OUT_OF_TIME", "Run", _set("Run", "TimeoutSeconds", 3601)),
    (
        "ASL_OUT_OF_TIME",
        "Check",
        _set("Check", "Choices", [{"And": [{"Variable": "$.n", "NumericGreaterThanEquals": 3601}], "Next": "Each"}]),
    ),
    ("ASL_UNREACHABLE_STATE", "Orphan", _orphan),
    ("ASL_UNREACHABLE_STATE", "Each.0.Orphan", _orphan_inside),
    ("ASL_FOREIGN_ARN", "Call", _parameter("Call", "FunctionName", FUNCTION.replace("1" * 12, "2" * 12))),
    ("ASL_FOREIGN_ARN", "Call", _parameter("Call", "FunctionName", FUNCTION.replace("eu-west", "us-east"))),
    ("ASL_SECRET", "Call", _parameter("Call", "Payload", {"db_password": "hunter2"})),
    ("ASL_SECRET", "Call", _parameter("Call", "Payload", {"id": "AKIA" + "ABCDEFGHIJKLMNOP"})),
    ("ASL_MIXED_LANGUAGES", "Call", _parameter("Call", "Payload", "{% $states.input %}")),
    ("ASL_MIXED_LANGUAGES", "Wait", _set("Wait", "Output", {"a": 1})),
    ("ASL_MIXED_LANGUAGES", "Say", _set("Say", "ResultPath", "$.said")),
    ("ASL_MIXED_LANGUAGES", "Say", _set("Say", "Output", {"a.$": "$.a"})),
]


def test_a_good_definition_is_left_alone() -> None:
    assert _found(_good()) == set()


@pytest.mark.parametrize(("rule", "state", "fault"), FAULTS)
def test_a_fault_is_found_where_it_is(rule: str, state: str, fault: Callable[[Definition], None]) -> None:
    definition = _good()
    fault(definition)
    assert {where for name, where in _found(definition) if name == rule} == {state}


def test_every_rule_has_a_fault() -> None:
    assert {rule for rule, _, _ in FAULTS} == {rule for rule, _, _ in asl.rules()}


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("what is read at run time", _parameter("Call", "Payload", {"password.$": "$.p", "SecretArn": "arn:aws:x"})),
        ("a key of AWS's own", _parameter("Call", "FunctionName", "arn:aws:lambda:::function:f")),
        ("a time-out that is read", _set("Run", "TimeoutSecondsPath", "$.seconds")),
        ("an activity", _set("Call", "Resource", "arn:aws:states:eu-west-1:111111111111:activity:a")),
        ("a function by its ARN", _set("Call", "Resource", FUNCTION)),
        ("a wait at a constant pace", _set("Call", "Retry", [{**WAIT, "MaxAttempts": 60}])),
        (
            "a busy service",
            _set("Run", "Retry", [{"ErrorEquals": ["Glue.AWSGlueException", "Glue.ThrottlingException"]}]),
        ),
        (
            "a number that is no bound",
            _set("Check", "Choices", [{"Variable": "$.n", "NumericEquals": 9999, "Next": "Each"}]),
        ),
        ("a structure that is read", _parameter("Run", "NotificationProperty.$", "$.notification")),
    ],
)
def test_what_is_right_in_another_way_is_left_alone(state: str, fault: Callable[[Definition], None]) -> None:
    definition = _good()
    fault(definition)
    definition["States"]["Call"]["TimeoutSeconds"] = 60
    assert _found(definition) == set(), state


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_our_own_machines_raise_nothing(synthesized: dict[str, Assembly], environment: str) -> None:
    outcome = asl.asl_rules(synthesized[environment])
    assert outcome.findings == []
    states = sum(len(definition["States"]) for definition in synthesized[environment].definitions.values())
    assert outcome.looked_at == f"{len(asl.RULES)} rules, {states} states"


def test_the_region_is_that_of_the_assembly(dev: Assembly, tmp_path: Path) -> None:
    shutil.copytree(dev.folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("asset.*"))
    for path in (tmp_path / "manifest.json", *tmp_path.glob("*.template.json")):
        path.write_text(path.read_text().replace(dev.region, "eu-central-1"))
    assert asl.asl_rules(Assembly("dev", tmp_path)).findings == []
