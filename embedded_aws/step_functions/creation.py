"""What Step Functions asks of a machine's role when the machine is created or changed, before anything runs."""

import json
from collections.abc import Iterator
from typing import Any

from embedded_aws import adapter, service
from embedded_aws.service_roles import trusts
from embedded_aws.step_functions.integrations import OPTIMIZED

# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
_LOG_DELIVERY = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)
# The rule by which Step Functions hears of the end, named by the page of each integration, as
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
_RULES = {
    "sagemaker:createHyperParameterTuningJob.sync": "StepFunctionsGetEventsForSageMakerTuningJobsRule",
    "sagemaker:createTrainingJob.sync": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "sagemaker:createTransformJob.sync": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "states:startExecution.sync": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
    "states:startExecution.sync:2": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
}
_REFUSED = 400


def check(machine: dict[str, Any]) -> None:
    """Raise ApiError AccessDeniedException, in AWS's words, for a role that Step Functions cannot work with."""
    role = machine["roleArn"]
    # Not the machine's own ARN: AWS does not know it yet when it creates one.
    if not trusts(role, "states.amazonaws.com"):
        raise _denied("Neither the global service principal states.amazonaws.com, nor the regional one is authorized "
                      "to assume the provided role.")  # fmt: skip
    for rule in sorted(set(_managed_rules(machine["definition"]))):
        for operation in ("PutRule", "PutTargets", "DescribeRule"):
            if not _may(role, f"events:{operation}", service.arn("events", f"rule/{rule}")):
                raise _denied(f"'{role}' is not authorized to create managed-rule.")
    logging = machine.get("loggingConfiguration") or {}
    if logging.get("level", "OFF") != "OFF":
        for operation in _LOG_DELIVERY:
            if not _may(role, f"logs:{operation}", "*"):
                raise _denied("The state machine IAM Role is not authorized to access the Log Destination")


def _denied(message: str) -> service.ApiError:
    return service.ApiError("AccessDeniedException", message, _REFUSED)


def _may(role: str, action: str, resource: str) -> bool:
    try:
        service.authorize(role, action, resource)
    except service.ApiError:
        return False
    return True


def _managed_rules(definition: str) -> Iterator[str]:
    for resource in _resources(json.loads(definition)):
        if rule := _RULES.get(resource.removeprefix(OPTIMIZED)):
            yield rule


def _resources(node: Any) -> Iterator[str]:
    """Every Task's resource, those in Map and Parallel states included."""
    if isinstance(node, dict):
        if node.get("Type") == "Task":
            yield str(node.get("Resource", ""))
        for value in node.values():
            yield from _resources(value)
    elif isinstance(node, list):
        for value in node:
            yield from _resources(value)


def _api_create(inner: Any, request: dict[str, Any]) -> Any:
    if request.get("roleArn") and request.get("definition"):
        try:
            check(request)
        except service.ApiError as denied:
            return _answer(denied)
    return inner(request)


def _api_update(inner: Any, request: dict[str, Any]) -> Any:
    known = adapter.SFN_MACHINES.get().get(request.get("stateMachineArn")) or {}
    changed = {**known, **{name: value for name, value in request.items() if value is not None}}
    if known:
        try:
            check(changed)
        except service.ApiError as denied:
            return _answer(denied)
    return inner(request)


def _answer(denied: service.ApiError) -> tuple[int, dict[str, str], bytes]:
    body = {"__type": denied.code, "message": denied.message}
    return denied.status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()


def install() -> None:
    """Check the role at CreateStateMachine and UpdateStateMachine; CloudFormation calls the latter."""
    adapter.SFN_CREATE.wrap(_api_create)
    adapter.SFN_UPDATE.wrap(_api_update)
