"""A task's call of another service of this process, made with the execution role."""

import json
from typing import Any

from ministack import app

from embedded_aws import adapter, service
from embedded_aws.step_functions import errors, history

_PASSED_ROLES = ("RoleArn", "ExecutionRoleArn")


def _identity() -> tuple[str, str]:
    """Role and session name of the current task: each execution is a session of its own."""
    now = history.current()
    return (now.role, now.execution["name"][:64]) if now else ("", "")


def authorize(name: str, action: str, resource: str) -> None:
    """Fail the task as AWS does unless the execution role allows the action. `name` is the integration's service."""
    role, session = _identity()
    try:
        service.authorize(role, action, resource, session=session)
    except service.ApiError as error:
        raise errors.optimized(name, error.code, error.message) from error


def call(name: str, target: str, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
    """One JSON operation (`call("glue", "AWSGlue", "StartJobRun", {...})`), authorized; fails under AWS's error
    names.
    """
    status, answer = request(name, target, operation, payload)
    if status >= 400:
        code = str(answer.get("__type", "ServiceException")).rsplit("#", 1)[-1]
        raise errors.optimized(name, code, answer.get("message") or answer.get("Message") or "")
    return answer


def request(name: str, target: str, operation: str, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body of a JSON operation; a call that the role does not allow answers 403 as the service would."""
    body = json.dumps(payload).encode()
    headers = {"x-amz-target": f"{target}.{operation}", "content-type": "application/x-amz-json-1.1"}
    # `guarded` checks the role on the way in, as it does for every call made from a task.
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential=test/20260101/{service.region()}/{name}/aws4_request"
    handler = app.SERVICE_HANDLERS[name]
    status, _, answer = app.call_service_handler_sync(handler, "POST", "/", headers, body, {})
    return status, json.loads(answer or b"{}")


def guarded(inner: Any, handler: Any, method: str, path: str, headers: Any, body: Any, query: Any, *more: Any) -> Any:
    """Around every call that a task makes into the process: the execution role must allow it, and it is the caller."""
    if history.current() is None:
        return inner(handler, method, path, headers, body, query, *more)
    role, session = _identity()
    raw = body.encode() if isinstance(body, str) else body or b""
    name = headers.get("authorization", "").split("/")[3] if "/" in headers.get("authorization", "") else ""
    action = adapter.IAM_ACTION.get()(name, method, path, headers, raw, query) if name else None
    headers = service.act_as(role, session, headers)
    if action:
        resource = adapter.IAM_RESOURCE.get()(
            name, method, path, headers, raw, query, service.region(), service.account()
        )
        context = adapter.REQUEST_CONTEXT.get()(name, action, raw, query)
        try:
            service.authorize(role, action, resource, context, session)
            if name == "sagemaker":
                _pass_roles(raw)
        except service.ApiError as error:
            return error.status, {}, json.dumps({"__type": error.code, "message": error.message}).encode()
    return inner(handler, method, path, headers, body, query, *more)


def _pass_roles(body: bytes) -> None:
    """A service that is given a role wants iam:PassRole of the caller.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    payload, (role, session) = json.loads(body or b"{}"), _identity()
    for member in _PASSED_ROLES:
        if payload.get(member):
            context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
            service.authorize(role, "iam:PassRole", payload[member], context, session)


def install() -> None:
    """Check the role on every call from a task."""
    adapter.CALL_SERVICE.wrap(guarded)
