"""What a Task state can call. Each call is authorized with the execution role.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

import json
import time
from collections.abc import Callable
from typing import Any

from embedded_aws import adapter, service
from embedded_aws.step_functions import calls, errors, history, nested
from embedded_aws.step_functions.jobs import GLUE, SAGEMAKER

OPTIMIZED = "arn:aws:states:::"
_RESOURCES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    # ministack's own integrations, which never look at the role: action and the resource it is checked on
    "sns:publish": ("sns:Publish", lambda d: d.get("TopicArn") or d.get("TargetArn") or d.get("PhoneNumber") or "*"),
    "sqs:sendMessage": ("sqs:SendMessage", lambda d: _queue_arn(d["QueueUrl"])),
    "dynamodb:getItem": ("dynamodb:GetItem", lambda d: _table_arn(d["TableName"])),
    "dynamodb:putItem": ("dynamodb:PutItem", lambda d: _table_arn(d["TableName"])),
    "dynamodb:updateItem": ("dynamodb:UpdateItem", lambda d: _table_arn(d["TableName"])),
    "dynamodb:deleteItem": ("dynamodb:DeleteItem", lambda d: _table_arn(d["TableName"])),
    "events:putEvents": ("events:PutEvents", lambda d: service.arn("events", "event-bus/default")),
}


def _queue_arn(url: str) -> str:
    return service.arn("sqs", url.rsplit("/", 1)[-1])


def _table_arn(table: str) -> str:
    return table if table.startswith("arn:") else service.arn("dynamodb", f"table/{table}")


def invoke(inner: Any, resource: str, data: Any) -> Any:
    """Around ministack's dispatch of a Task's resource."""
    if history.current() is None:
        return inner(resource, data)
    function = adapter.SFN_LAMBDA_REFERENCE.get()(resource)
    if function:
        calls.authorize("lambda", "lambda:InvokeFunction", resource)
        return inner(resource, data)
    if not resource.startswith(OPTIMIZED):
        return inner(resource, data)
    name = resource.removeprefix(OPTIMIZED)
    if name.startswith("aws-sdk:"):
        return inner(resource, data)  # `calls.guarded` checks the role
    action, _, pattern = name.partition(".")
    if action == "lambda:invoke":
        return _invoke_function(inner, resource, data)
    if action == "states:startExecution":
        return nested.start(data, pattern)
    service_name = action.split(":")[0]
    if service_name in ("glue", "sagemaker"):
        return _job(action, pattern, data)
    if action in _RESOURCES:
        permission, find = _RESOURCES[action]
        calls.authorize(service_name, permission, find(data))
    return inner(resource, data)


def _invoke_function(inner: Any, resource: str, data: dict[str, Any]) -> dict[str, Any]:
    reference = data.get("FunctionName", "")
    arn = reference if reference.startswith("arn:") else service.arn("lambda", f"function:{reference}")
    calls.authorize("lambda", "lambda:InvokeFunction", arn)
    return {"ExecutedVersion": "$LATEST", **inner(resource, data)}


def _job(action: str, pattern: str, data: dict[str, Any]) -> dict[str, Any]:
    """An optimized Glue or SageMaker call; with `.sync` the task lasts as long as the job."""
    known = {**GLUE, **SAGEMAKER}.get(action)
    if known is None or (pattern and known.describe is None):
        raise adapter.SFN_ERROR.get()(
            "States.Runtime",
            f"The embedded AWS has no integration arn:aws:states:::{action}{'.' * bool(pattern)}{pattern}",
        )
    answer = calls.call(known.service, known.target, known.operation, data)
    for permission, resource in known.also if pattern else ():
        calls.authorize(known.service, permission, resource(data))
    history.submitted(f"{OPTIMIZED}{action}{'.' * bool(pattern)}{pattern}", answer)
    if not pattern or known.describe is None:
        return answer
    now = history.current()
    while now is None or now.running:
        described = known.view(calls.call(known.service, known.target, known.describe, known.identify(data, answer)))
        state = described[known.status]
        if state in known.succeeded:
            return described
        if state in known.failed:
            raise errors.task_failed(json.dumps(described, default=str))
        time.sleep(0.1)
    calls.request(known.service, known.target, known.stop or "", known.stop_request(data, answer))
    raise errors.task_failed("The execution was stopped")


def aws_sdk(inner: Any, resource: str, data: Any) -> Any:
    """Around ministack's `aws-sdk` integrations: the error's name."""
    failure = adapter.SFN_ERROR.get()
    try:
        return inner(resource, data)
    except failure as error:
        service_name = resource.split(":")[6].lower()
        prefix = adapter.SFN_SDK_PREFIXES.get().get(service_name, "")
        if prefix and error.error.startswith(f"{prefix}."):
            known = adapter.SFN_SDK_SERVICES.get().get(service_name, {})
            code = error.error.split(".", 1)[1]
            name = errors.sdk_name(prefix, known.get("service_key", service_name), code)
            raise failure(name, f"{error.cause} (Service: {prefix}, Error Code: {code})") from error
        raise


def install() -> None:
    """Register the services of the `aws-sdk` integrations and take over the dispatch."""
    services, prefixes = adapter.SFN_SDK_SERVICES.get(), adapter.SFN_SDK_PREFIXES.get()
    services["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json", "service_key": "sagemaker"}
    services["redshiftdata"] = {"target_prefix": "RedshiftData", "protocol": "json", "service_key": "redshift-data"}
    services["applicationautoscaling"] = {
        "target_prefix": "AnyScaleFrontendService",
        "protocol": "json",
        "service_key": "application-autoscaling",
    }
    prefixes.update(sagemaker="SageMaker", redshiftdata="RedshiftData", applicationautoscaling="ApplicationAutoScaling")
    adapter.SFN_INVOKE.wrap(invoke)
    adapter.SFN_AWS_SDK.wrap(aws_sdk)
    calls.install()
