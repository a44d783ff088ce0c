"""Application Auto Scaling's operations by name, and the resource each call is authorized against."""

import json
from typing import Any

from embedded_aws import adapter, service
from embedded_aws.autoscaling import policies, targets
from embedded_aws.sagemaker import endpoints
from embedded_aws.service import JsonService

Json = dict[str, Any]

OPERATIONS: dict[str, Any] = {
    "RegisterScalableTarget": targets.register,
    "DeregisterScalableTarget": targets.deregister,
    "DescribeScalableTargets": targets.describe,
    "PutScalingPolicy": policies.put,
    "DeleteScalingPolicy": policies.delete,
    "DescribeScalingPolicies": policies.describe,
}


def resource(operation: str, payload: Json, path: str) -> str:
    """The target's ARN; it has an id only once it exists. Describe calls know no resources.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
    """
    if operation.startswith("Describe"):
        return "*"
    known = targets.state["targets"].get(payload.get("ResourceId", ""))
    return known["ScalableTargetARN"] if known else service.arn("application-autoscaling", "scalable-target/*")


def _context(inner: Any, name: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
    """The condition keys of a call, from the same page."""
    keys = dict(inner(name, action, body, parameters))
    if name == "application-autoscaling":
        try:
            payload = json.loads(body or b"{}")
        except ValueError:
            return keys
        named = {"service-namespace": "ServiceNamespace", "scalable-dimension": "ScalableDimension"}
        keys |= {f"{name}:{key}": payload[field] for key, field in named.items() if field in payload}
    return keys


def register() -> None:
    """Add application-autoscaling to the embedded AWS."""
    adapter.REQUEST_CONTEXT.wrap(_context)
    endpoints.on_update.append(targets.check_update)
    endpoints.on_delete.append(targets.forget_endpoint)
    autoscaling = JsonService(OPERATIONS, targets.state)
    service.register("application-autoscaling", autoscaling, "AnyScaleFrontendService", resource=resource)
