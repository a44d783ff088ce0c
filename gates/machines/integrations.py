"""What Step Functions can call: its own integrations, and the API of every service under `aws-sdk:`.

Parameters are those of the service's API as botocore's models have it, with a capital first letter.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

# The optimized integrations that the platform may use, with the ways to wait that each has; for others, add a line from
# https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
REPLY, SYNC, SYNC_2, TOKEN = "", ".sync", ".sync:2", ".waitForTaskToken"
OPTIMIZED: dict[str, dict[str, tuple[str, ...]]] = {
    "athena": {
        "startQueryExecution": (REPLY, SYNC),
        "stopQueryExecution": (REPLY,),
        "getQueryExecution": (REPLY,),
        "getQueryResults": (REPLY,),
    },
    "dynamodb": dict.fromkeys(("getItem", "putItem", "updateItem", "deleteItem"), (REPLY,)),
    "events": {"putEvents": (REPLY, TOKEN)},
    "glue": {"startJobRun": (REPLY, SYNC)},
    "lambda": {"invoke": (REPLY, TOKEN)},
    "sagemaker": {
        **dict.fromkeys(("createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"), (REPLY,)),
        **{
            f"create{kind}Job": (REPLY, SYNC)
            for kind in ("HyperParameterTuning", "Labeling", "Processing", "Training", "Transform")
        },
    },
    "sns": {"publish": (REPLY, TOKEN)},
    "sqs": {"sendMessage": (REPLY, TOKEN)},
    "states": {"startExecution": (REPLY, SYNC, SYNC_2, TOKEN)},
}
# Step Functions names a service as the AWS SDK for Java does; botocore's name where removing dashes does not give it.
# https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
BOTOCORE_NAMES = {
    "cloudwatchlogs": "logs",
    "cognitoidentity": "cognito-identity",
    "cognitoidentityprovider": "cognito-idp",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
STATES_ERRORS = {
    *("ALL", "BranchFailed", "DataLimitExceeded", "ExceedToleratedFailureThreshold", "HeartbeatTimeout"),
    *("IntrinsicFailure", "ItemReaderFailed", "NoChoiceMatched", "ParameterPathFailure", "Permissions"),
    *("QueryEvaluationError", "ResultPathMatchFailure", "ResultWriterFailed", "Runtime", "TaskFailed", "Timeout"),
}
# What every client of the AWS SDK for Java may raise, beside the errors that the service's model has.
SDK_ERRORS = {"ClientExecutionTimeoutException", "SdkClientException", "ThrottlingException", "Unknown"}
ERROR_PREFIXES = {
    "states": "StepFunctions",
    "sns": "SNS",
    "sqs": "SQS",
    "dynamodb": "DynamoDB",
    "sagemaker": "SageMaker",
}

_FUNCTION = re.compile(r"arn:aws:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?")
_REFERENCE = re.compile(r"arn:aws:reference::\d{12}:[\w-]+")  # how a definition's references are resolved
_ACTIVITY = re.compile(r"arn:aws:states:[\w-]+:\d{12}:activity:\S+")
_CALL = re.compile(r"arn:aws:states:::(?P<sdk>aws-sdk:)?(?P<service>[\w-]+):(?P<operation>\w+)(?P<way>\.[\w:]+)?")


def way_to_wait(resource: str) -> str:
    """`.sync`, `.sync:2`, `.waitForTaskToken`, or "" for a call whose answer is all there is."""
    call = _CALL.fullmatch(resource)
    return (call["way"] or REPLY) if call else REPLY


def is_activity(resource: str) -> bool:
    """Whether a worker of ours has to fetch the task."""
    return bool(_ACTIVITY.fullmatch(resource))


def unknown(resource: str) -> str | None:
    """What is wrong with a task's resource; None if Step Functions knows it."""
    if any(form.fullmatch(resource) for form in (_FUNCTION, _REFERENCE, _ACTIVITY)):
        return None
    call = _CALL.fullmatch(resource)
    if call is None:
        return f"{resource} is neither an integration nor a function nor an activity"
    service, operation, way = call["service"], call["operation"], call["way"] or REPLY
    if call["sdk"]:
        ways: tuple[str, ...] = (REPLY, TOKEN)
        if not operation[0].islower() or _model(call) is None:
            return f"AWS has no {service}:{operation}"
    elif operation not in OPTIMIZED.get(service, {}):
        return f"{service}:{operation} is no optimized integration; write aws-sdk:{service}:{operation}, or add it"
    else:
        ways = OPTIMIZED[service][operation]
    return None if way in ways else f"{service}:{operation} cannot be called with {way or 'no way to wait'}"


def wrong_parameters(resource: str, parameters: Mapping[str, Any]) -> list[str]:
    """Parameters that the operation does not know, and those it requires and does not get, with their path."""
    call = _CALL.fullmatch(resource)
    model = _model(call) if call else None
    if model is None or model.input_shape is None:
        return []
    return list(_wrong(model.input_shape, parameters, ""))


def unknown_error(resource: str, error: str) -> str | None:
    """What is wrong with an error that a task names; None for one that exists, and for our own, which have no dot."""
    service, dot, name = error.partition(".")
    if not dot:
        return None
    if service == "States":
        return None if name in STATES_ERRORS else f"Step Functions has no error {error}"
    call = _CALL.fullmatch(resource)
    model = _service(call["service"], sdk=bool(call["sdk"])) if call else None
    if call is None or model is None:
        return None
    prefix = ERROR_PREFIXES.get(call["service"], call["service"])
    if service.lower() != prefix.lower():
        return f"{error} is no error of {call['service']}"
    shapes = {shape for shape in model.shape_names if model.shape_for(shape).metadata.get("exception")}
    of_service = {f"{before}{service}Exception" for before in ("", "Amazon", "AWS")}
    known = shapes | {f"{shape}Exception" for shape in shapes} | of_service | SDK_ERRORS
    return None if name in known else f"{call['service']} has no error {name}"


def _wrong(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = {name[0].upper() + name[1:]: member for name, member in shape.members.items()}
        given = {key.removesuffix(".$") for key in value}
        yield from (f"{path}{name} is unknown" for name in sorted(given - set(members)))
        for name in shape.required_members:
            capital = name[0].upper() + name[1:]
            # What makes a call idempotent is filled in by the SDK.
            if capital not in given and "idempotencyToken" not in shape.members[name].metadata:
                yield f"{path}{capital} is missing"
        for name in sorted(given & set(members) & set(value)):
            yield from _wrong(members[name], value[name], f"{path}{name}.")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _wrong(shape.member, inner, f"{path}{number}.")


def _model(call: re.Match[str]) -> OperationModel | None:
    """botocore's model of the operation; None if there is no such service or operation."""
    service = _service(call["service"], sdk=bool(call["sdk"]))
    if service is None:
        return None
    names = {name.lower(): name for name in service.operation_names}
    name = names.get(call["operation"].lower())
    return service.operation_model(name) if name else None


@cache
def botocore_name(service: str) -> str:
    """botocore's name of a service that a task calls; the same where it knows none."""
    known = {name.replace("-", ""): name for name in _session().get_available_services()}
    return BOTOCORE_NAMES.get(service) or known.get(service, service)


@cache
def _service(name: str, *, sdk: bool) -> ServiceModel | None:
    try:
        model = _session().get_service_model(botocore_name(name))
    except UnknownServiceError:
        return None
    # The SDK for Java takes the service id: aws-sdk:sfn, not aws-sdk:stepfunctions.
    same = str(model.service_id).lower().replace(" ", "") == name
    return model if same or not sdk else None


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()
