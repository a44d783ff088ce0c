"""What AWS's own services do in the name of a role: assume it, write its logs, deliver to a target.

The role's policies decide, as on AWS; so does its trust policy, which must name the service.
"""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws import adapter, service
from embedded_aws.encryption import customer_key

_DELIVERY = {"states": "states:StartExecution", "sqs": "sqs:SendMessage", "sns": "sns:Publish",
             "lambda": "lambda:InvokeFunction"}  # fmt: skip
_UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"  # a schedule that calls an API itself: `<this>glue:startJobRun`


# Trust


def trusts(role_arn: str, principal: str, source: str = "*") -> bool:
    """Whether a role's trust policy lets a service (`glue.amazonaws.com`) assume it for the resource `source`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = adapter.ROLES.get().get_scoped(account, None, name) or {}
    document = role.get("AssumeRolePolicyDocument") or "{}"
    document = json.loads(document) if isinstance(document, str) else document
    request = adapter.EVALUATION.get()(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=service.region(),
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source},
    )
    statements = document.get("Statement", [])
    matching = {
        statement["Effect"]
        for statement in (statements if isinstance(statements, list) else [statements])
        if "sts:AssumeRole" in _listed(statement.get("Action"))
        and adapter.SERVICE_PRINCIPAL.get()(statement.get("Principal"), principal)
        and adapter.IAM_CONDITIONS.get()(statement.get("Condition") or {}, request)
    }
    return matching == {"Allow"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# Lambda


def run_function(inner: Any, function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Around an invocation: the function's role must be Lambda's to assume and may decrypt the variables.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (KMSAccessDeniedException)
    """
    config = function["config"]
    role, key = config.get("Role", ""), customer_key(config.get("KMSKeyArn"))
    if not trusts(role, "lambda.amazonaws.com", config.get("FunctionArn", "*")):
        return _broken("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.")
    if key and (config.get("Environment") or {}).get("Variables"):
        via = {"kms:ViaService": f"lambda.{service.region()}.amazonaws.com"}
        try:
            service.authorize(role, "kms:Decrypt", key, via, config["FunctionName"])
        except service.ApiError as denied:
            text = "Lambda was unable to decrypt the environment variables because KMS access was denied."
            return _broken("KMSAccessDeniedException", f"{text} KMS Message: {denied.message}")
    answer: dict[str, Any] = inner(function, event, request_id)
    return answer


def _broken(error: str, message: str) -> dict[str, Any]:
    return {"body": {"errorType": error, "errorMessage": message}, "error": True, "log": ""}


# Logs


def log_of_function(inner: Any, function: Mapping[str, Any], *arguments: Any, **named: Any) -> None:
    """Around the writing of a function's log: with its role."""
    config = function.get("config") or function
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    # Each invocation has a stream of its own here.
    if service.may_log(config.get("Role", ""), group, "new"):
        inner(function, *arguments, **named)


# Deliveries of EventBridge and Scheduler


def deliver(inner: Any, target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], view: Any = None) -> Any:
    """Around the delivery to a target: where it has a role, the role must allow it.

    Scheduler hands what it cannot deliver to its dead-letter queue with the same role.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    role, arn = target.get("RoleArn"), target.get("Arn", "")
    if arn.startswith(_UNIVERSAL):
        service.spawn_thread(_call, target, rule, arn.removeprefix(_UNIVERSAL))
        return None
    action = _DELIVERY.get(arn.split(":")[2] if arn.startswith("arn:") else "")
    if not role or action is None:
        return inner(target, event, rule, view)
    scheduled = event.get("Source") == "aws.scheduler"
    principal = "scheduler.amazonaws.com" if scheduled else "events.amazonaws.com"
    # Scheduler names the group of the schedule, EventBridge the rule.
    source = rule.get("Arn", "*").replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0] if scheduled else "*"
    if trusts(role, principal, source if scheduled else rule.get("Arn", "*")):
        try:
            service.authorize(role, action, arn)
        except service.ApiError as denied:
            reason = denied.message
        else:
            return inner(target, event, rule, view)
    else:
        reason = f"{principal} may not assume {role}"
    service.log.warning("%s was not delivered: %s", rule.get("Name"), reason)
    if scheduled and (queue := (target.get("DeadLetterConfig") or {}).get("Arn")):
        service.spawn_thread(_to_dead_letters, role, queue, target.get("Input") or "{}", reason)
    return None


def _call(target: Mapping[str, Any], schedule: Mapping[str, Any], called: str) -> None:
    """A universal target: the service's API with the schedule's role and input; only what our schedules call is here.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """
    role, given = target["RoleArn"], target.get("Input") or "{}"
    group = schedule.get("Arn", "*").replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0]
    try:
        if called != "glue:startJobRun":
            raise service.ApiError("ValidationException", f"{called} is no target of the embedded AWS")
        if not trusts(role, "scheduler.amazonaws.com", group):
            raise service.ApiError("AccessDeniedException", f"scheduler.amazonaws.com may not assume {role}")
        service.client("glue", role, "scheduler").start_job_run(**json.loads(given))
    except (service.ApiError, ClientError, BotoCoreError) as error:
        service.log.warning("%s was not delivered: %s", schedule.get("Name"), error)
        if queue := (target.get("DeadLetterConfig") or {}).get("Arn"):
            _to_dead_letters(role, queue, given, str(error))


def _to_dead_letters(role: str, queue: str, body: str, reason: str) -> None:
    sqs = service.client("sqs", role, "scheduler")
    url = f"{service.url()}/{queue.split(':')[4]}/{queue.rsplit(':', 1)[-1]}"
    said = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": reason[:1000]}}
    try:
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=said)
    except (ClientError, BotoCoreError):
        service.log.exception("The dead-letter queue %s could not be reached", queue)


def install() -> None:
    """Called once, after Python functions got their worker, which is surrounded here."""
    adapter.EXECUTE_WARM.wrap(run_function)
    adapter.EMIT_LOGS.wrap(log_of_function)
    adapter.INVOKE_TARGET.wrap(deliver)
