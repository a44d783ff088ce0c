"""Scaling policies: checked and kept. None ever acts, as no metric of an endpoint is published here.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

import time
import uuid
from typing import Any

from embedded_aws import service
from embedded_aws.autoscaling import targets
from embedded_aws.autoscaling.targets import state
from embedded_aws.service import ApiError

Json = dict[str, Any]

_CONFIGURATION = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
}
_IDENTITY = ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")


def put(request: Json) -> Json:
    """PutScalingPolicy: a new policy of a registered target, or a changed one."""
    targets.find(request)
    kept = state["policies"].setdefault(request["ResourceId"], [])
    policy = next((p for p in kept if p["PolicyName"] == request["PolicyName"]), None)
    kind = request.get("PolicyType") or (policy or {}).get("PolicyType", "")
    field = _CONFIGURATION.get(kind)
    if field is None or (policy is None and field not in request):
        raise ApiError(
            "ValidationException",
            f"A policy of a SageMaker variant needs a PolicyType of {' or '.join(_CONFIGURATION)} and the "
            f"configuration that belongs to it; PolicyType is '{kind}'.",
        )
    if policy is None:
        name = f"resource/{targets.NAMESPACE}/{request['ResourceId']}:policyName/{request['PolicyName']}"
        policy = {
            **{key: request[key] for key in _IDENTITY},
            "PolicyARN": service.arn("autoscaling", f"scalingPolicy:{uuid.uuid4()}:{name}"),
            "CreationTime": time.time(),
            "Alarms": [],
        }
        kept.append(policy)
    policy["PolicyType"] = kind
    policy.update({field: request[field]} if field in request else {})
    return {"PolicyARN": policy["PolicyARN"], "Alarms": []}


def describe(request: Json) -> Json:
    """DescribeScalingPolicies."""
    resource = targets.check(request)
    if "ScalableDimension" in request and not resource:
        raise ApiError(
            "ValidationException", "If you specify a scalable dimension, you must also specify a resource ID."
        )
    names = request.get("PolicyNames")
    found = [
        policy
        for of, policies in sorted(state["policies"].items())
        for policy in policies
        if resource in ("", of) and (not names or policy["PolicyName"] in names)
    ]
    return targets.page("ScalingPolicies", found, request, most=10)


def delete(request: Json) -> Json:
    """DeleteScalingPolicy."""
    resource = targets.check(request)
    kept = state["policies"].get(resource, [])
    left = [policy for policy in kept if policy["PolicyName"] != request["PolicyName"]]
    if len(left) == len(kept):
        raise ApiError(
            "ObjectNotFoundException",
            f"No scaling policy found for service namespace: {request['ServiceNamespace']}, resource ID: {resource}, "
            f"scalable dimension: {request['ScalableDimension']}, policy name: {request['PolicyName']}",
        )
    state["policies"][resource] = left
    return {}
