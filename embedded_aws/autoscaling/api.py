"""Application Auto Scaling's operations by name, and the resource each call is authorized against."""

from typing import Any

from embedded_aws import service
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


def register() -> None:
    """Add application-autoscaling to the embedded AWS."""
    endpoints.on_delete.append(targets.forget_endpoint)
    autoscaling = JsonService(OPERATIONS, targets.state)
    service.register("application-autoscaling", autoscaling, "AnyScaleFrontendService", resource=resource)
