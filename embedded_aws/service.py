"""Plumbing for services that ministack lacks: JSON protocol, role credentials, child processes, log lines."""

import asyncio
import contextlib
import contextvars
import hashlib
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from ministack import app
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

from embedded_aws import adapter

log = logging.getLogger("embedded_aws")

Operation = Callable[[dict[str, Any]], dict[str, Any] | None]
RawOperation = Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]
Response = tuple[int, dict[str, str], bytes]
IamResource = Callable[[str, dict[str, Any], str], str]

OPERATOR_KEY = "test"  # the person at the laptop: root-like, account 000000000000

_QUICK = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=300)
_ready = threading.Event()
_SANDBOX = Path(__file__).parent / "sandbox"
# Settings of the embedded AWS itself are no business of a job.
_NOT_INHERITED = (
    "AWS_",
    "MINISTACK",
    "PYTHONPATH",
    "GATEWAY_PORT",
    "SOLVENT_",
    "STATE_DIR",
    "S3_",
    "AUTH",
    "BIND_HOST",
)


class ApiError(Exception):
    """An error that goes back to the caller as AWS gives it: code, message, HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def raw(function: RawOperation) -> RawOperation:
    """Mark an operation that takes (path, headers, body) and returns (status, headers, body) itself."""
    function.is_raw = True  # type: ignore[attr-defined]
    return function


def url() -> str:
    """The address of this embedded AWS."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def home() -> Path:
    """Where this embedded AWS keeps its files."""
    return Path(os.environ["SOLVENT_EMBEDDED_HOME"])


def region() -> str:
    """The region of the current request."""
    return get_region()


def account() -> str:
    """The account of the current request."""
    return get_account_id()


def arn(service: str, rest: str) -> str:
    """`arn("glue", "job/x")` in the account and region of the current request."""
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{rest}"


# Credentials


def role_credentials(role_arn: str, session: str) -> dict[str, str]:
    """AWS_* variables with temporary credentials of a role, as an AWS service gets them by assuming it.

    The same role and session name always give the same key, so that clients can be cached.
    """
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{role_arn}/{session}".encode()).hexdigest()
    key, secret = f"ASIA{digest[:16].upper()}", digest[8:48]
    adapter.REGISTER_SESSION.get()(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session[:64]}",
            "UserId": f"AROA{digest[16:32].upper()}:{session[:64]}",
            "SecretAccessKey": secret,
            "SessionToken": digest,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": digest}


@lru_cache(maxsize=128)
def _client(service: str, region: str, key: str, secret: str, token: str | None) -> Any:
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token)
    return session.client(service, region_name=region, endpoint_url=url(), config=_QUICK)


def client(service: str, role_arn: str, session: str = "embedded-aws") -> Any:
    """A boto3 client that calls this embedded AWS with the credentials of a role. Never call it on the event loop."""
    credentials = role_credentials(role_arn, session)
    return _client(service, get_region(), *credentials.values())


def operator_client(service: str) -> Any:
    """A boto3 client of the operator, for the work that AWS itself does behind the scenes."""
    return _client(service, get_region(), OPERATOR_KEY, OPERATOR_KEY, None)


def authorize(
    role_arn: str,
    action: str,
    resource: str = "*",
    context: dict[str, Any] | None = None,
    session: str = "authorize",
) -> None:
    """Raise ApiError AccessDeniedException, in AWS's words, unless the role's policies allow the action.

    `context` holds the condition keys of the request (`iam:PassedToService`); `session` names the role's session.
    """
    key = role_credentials(role_arn, session)["AWS_ACCESS_KEY_ID"]
    denied = adapter.IAM_ENFORCE.get()(
        key, action, action.split(":")[0], get_region(), resource_arn=resource, service_context=context
    )
    if denied is not None:
        principal = getattr(denied, "principal_arn", role_arn)
        raise ApiError(
            "AccessDeniedException",
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action",
            403,
        )


def act_as(role_arn: str, session: str, headers: dict[str, str]) -> dict[str, str]:
    """The headers of a call within the process as if the role had signed it; handlers see the role as the caller."""
    key = role_credentials(role_arn, session)["AWS_ACCESS_KEY_ID"]
    signed = re.sub(r"Credential=[^/]*/", f"Credential={key}/", headers.get("authorization", ""))
    headers = {**headers, "authorization": signed}
    adapter.PIN_CALLER.get()(headers)
    return headers


# Work in the background


def spawn_thread(function: Callable[..., Any], *args: Any) -> threading.Thread:
    """Run a function on a daemon thread in the account and region of the current request."""
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(function, *args), daemon=True, name=function.__name__)
    thread.start()
    return thread


def when_ready(function: Callable[[], Any]) -> None:
    """Run a function on a thread as soon as the embedded AWS answers requests."""

    def wait() -> None:
        _ready.wait()
        function()

    spawn_thread(wait)


def mark_ready() -> None:
    """Called once, by `__main__`, when the port answers."""
    _ready.set()


def child_env(role_arn: str | None, session: str, **extra: object) -> dict[str, str]:
    """The environment of a job's process: endpoint, region and credentials of its role.

    Without a role the job is isolated: no endpoint, no credentials, every connection refused (see `sandbox/`). With
    one it reaches the embedded AWS and nothing else. Nothing of the operator's own AWS configuration reaches the
    child. A PYTHONPATH among `extra` is kept, behind the sandbox.
    """
    keep = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
    network = {"AWS_ENDPOINT_URL": url(), **role_credentials(role_arn, session)} if role_arn else {}
    extra["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_SANDBOX), str(extra.get("PYTHONPATH", ""))]))
    return {
        **keep,
        **network,
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
        "SOLVENT_NETWORK": "loopback" if role_arn else "none",
        **{k: str(v) for k, v in extra.items()},
    }


def log_lines(group: str, stream: str, text: str) -> None:
    """Append text to a CloudWatch log stream, creating group and stream; only the last 1,000 lines are kept."""
    logs = operator_client("logs")
    for create, names in (
        (logs.create_log_group, {"logGroupName": group}),
        (logs.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
    ):
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            create(**names)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in text.splitlines() if line.strip()][-1000:]
    if events:
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


# Services


class JsonService:
    """A service of the AWS JSON protocols, in the form that ministack expects of a service module.

    `operations` maps an operation's name to a function of its input. `state` holds named dictionaries of plain JSON
    values; it survives `down` and `up`. `rest(method, path)` names the operation of a call that carries no target
    header. `on_restore` runs once the embedded AWS answers again after state was loaded (to restart endpoint servers,
    say).
    """

    def __init__(
        self,
        operations: Mapping[str, Operation | RawOperation],
        state: dict[str, dict[str, Any]],
        *,
        rest: Callable[[str, str], str] | None = None,
        on_restore: Callable[[], Any] | None = None,
        on_reset: Callable[[], Any] | None = None,
        content_type: str = "application/x-amz-json-1.1",
    ) -> None:
        self.operations, self.state = operations, state
        self._rest, self._on_restore, self._on_reset = rest, on_restore, on_reset
        self._content_type = content_type

    def operation(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """The operation that a request names, or "" when it names none."""
        target = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        return target or (self._rest(method, path) if self._rest else "")

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Response:
        """The entry point that ministack calls on its event loop; the work happens on a thread."""
        return await asyncio.to_thread(self._run, method, path, headers, body)

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call an operation in this process. Raises ApiError."""
        function = self.operations.get(operation)
        if function is None or getattr(function, "is_raw", False):
            raise ApiError("UnknownOperationException", f"The embedded AWS does not implement {operation}.")
        return function(payload) or {}  # type: ignore[call-arg, arg-type, return-value]

    def _run(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        name = self.operation(method, path, headers)
        function = self.operations.get(name)
        try:
            if function is not None and getattr(function, "is_raw", False):
                return function(path, headers, body)  # type: ignore[call-arg, arg-type, return-value]
            answer = self.call(name, json.loads(body or b"{}"))
            return json_response(answer, content_type=self._content_type)
        except ApiError as error:
            return error_response_json(error.code, error.message, error.status)
        except Exception as error:  # a bug of ours: say so, and keep serving
            log.exception("%s failed", name)
            return error_response_json("InternalFailure", repr(error), 500)

    # What ministack's persistence and reset call

    def get_state(self) -> dict[str, Any]:
        return json.loads(json.dumps(self.state, default=str))

    def load_persisted_state(self, saved: dict[str, Any]) -> None:
        for name, values in saved.items():
            self.state.setdefault(name, {}).update(values)
        if self._on_restore:
            when_ready(self._on_restore)

    def reset(self) -> None:
        if self._on_reset:
            self._on_reset()
        for values in self.state.values():
            values.clear()


@dataclass(frozen=True)
class _Registered:
    service: JsonService
    resource: IamResource | None


_registered: dict[str, _Registered] = {}


def register(
    name: str,
    service: JsonService,
    target_prefix: str,
    *,
    iam: str | None = None,
    resource: IamResource | None = None,
) -> None:
    """Add a service to the embedded AWS: routing, persistence, reset and IAM enforcement.

    `name` is the name in the signature's credential scope ("sagemaker", "redshift-data"); `target_prefix` the part of
    X-Amz-Target before the dot; `iam` the prefix of its IAM actions when it differs from `name`. `resource(operation,
    payload, path)` gives the ARN that the call is authorized against ("*" without one).
    """
    key = name.replace("-", "_")
    app.SERVICE_REGISTRY[name] = {"module": key}
    app.SERVICE_HANDLERS[name] = service.handle_request
    adapter.LOADED_MODULES.get()[key] = service
    adapter.STATE_MAP.get()[key] = key
    adapter.SERVICE_PATTERNS.get()[name] = {"target_prefixes": [f"{target_prefix}."], "host_patterns": []}
    adapter.IAM_NAMESPACE.get()[name] = iam or name
    _registered[name] = _Registered(service, resource)


def _payload(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    try:
        return json.loads(body or b"{}") if headers.get("x-amz-target") else {}
    except ValueError:
        return {}


def install_iam() -> None:
    """Teach the IAM check the actions and resources of our services, and policy variables."""

    def action(inner: Any, name: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
        if name not in _registered:
            return inner(name, method, path, headers, body, query)
        operation = _registered[name].service.operation(method, path, headers)
        return f"{adapter.IAM_NAMESPACE.get()[name]}:{operation}" if operation else None

    def resource(
        inner: Any,
        name: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        if name not in _registered:
            return inner(name, method, path, headers, body, query, region, account)
        known = _registered[name]
        operation = known.service.operation(method, path, headers)
        if known.resource is None or not operation:
            return "*"
        return known.resource(operation, _payload(headers, body), path)

    def conditions(inner: Any, blocks: dict[str, Any], request: Any) -> bool:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        def filled(value: Any) -> Any:
            if isinstance(value, list):
                return [filled(item) for item in value]
            if not isinstance(value, str):
                return value
            found = adapter.CONDITION_KEY.get()
            return re.sub(r"\$\{([\w:/-]+)\}", lambda m: str(found(m[1], request) or m[0]), value)

        with_values = {
            operator: {key: filled(value) for key, value in block.items()} if isinstance(block, dict) else block
            for operator, block in (blocks or {}).items()
        }
        return bool(inner(with_values, request))

    adapter.IAM_ACTION.wrap(action)
    adapter.IAM_RESOURCE.wrap(resource)
    adapter.IAM_CONDITIONS.wrap(conditions)
