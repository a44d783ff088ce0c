"""Adding a service to the embedded AWS: routing, persistence, reset, and the IAM check of its calls."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack import app

from embedded_aws import adapter
from embedded_aws.service.protocol import JsonService

IamResource = Callable[[str, dict[str, Any], str], str]


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
