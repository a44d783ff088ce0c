"""Scalable targets: which variant may have how many instances.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

import re
import time
import uuid
from collections.abc import Iterable
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import endpoints
from embedded_aws.sagemaker.store import state as sagemaker
from embedded_aws.service import ApiError

Json = dict[str, Any]

NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_VARIANT = re.compile(r"^endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)$")
_BURSTABLE = re.compile(r"^ml\.t\d")
_ROLE = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
_IDENTITY = ("ServiceNamespace", "ResourceId", "ScalableDimension")

state: dict[str, dict[str, Any]] = {"targets": {}, "policies": {}}  # both by resource id; a list of policies each


def check(request: Json) -> str:
    """The resource id of a request. Raises ApiError ValidationException for what the embedded AWS cannot scale."""
    if request["ServiceNamespace"] != NAMESPACE or request.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise ApiError(
            "ValidationException",
            f"The embedded AWS scales {DIMENSION} of the namespace {NAMESPACE} only, not "
            f"{request.get('ScalableDimension', 'all dimensions')} of {request['ServiceNamespace']}.",
        )
    return str(request.get("ResourceId", ""))


def find(request: Json) -> Json:
    """The scalable target of a request. Raises ApiError ObjectNotFoundException in AWS's words."""
    found = state["targets"].get(check(request))
    if found is None:
        raise ApiError(
            "ObjectNotFoundException",
            f"No scalable target found for service namespace: {request['ServiceNamespace']}, resource ID: "
            f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}",
        )
    return found


def register(request: Json) -> Json:
    """RegisterScalableTarget: a new one, or the named properties of one that exists."""
    resource = check(request)
    known = state["targets"].get(resource)
    for field in ("MinCapacity", "MaxCapacity"):
        if known is None and field not in request:
            raise ApiError("ValidationException", f"{field} must be specified when registering a new scalable target.")
    limits = {**(known or {}), **request}
    if not 0 <= limits["MinCapacity"] <= limits["MaxCapacity"]:
        raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity.")
    endpoint, variant = _variant(resource)
    if _BURSTABLE.match(variant.get("InstanceType", "")):
        raise ApiError(
            "ValidationException",
            f"You cannot register a variant with {variant['InstanceType']} instance type as a scalable target. This "
            "is because the burstable performance of these instances can lead to unpredictable behavior with Auto "
            "Scaling.",
        )
    target = known or {
        **{field: request[field] for field in _IDENTITY},
        "RoleARN": f"arn:aws:iam::{service.account()}:role/{_ROLE}/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "CreationTime": time.time(),
        "SuspendedState": dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        ),
        "ScalableTargetARN": service.arn("application-autoscaling", f"scalable-target/{uuid.uuid4()}"),
    }
    target.update({field: request[field] for field in ("MinCapacity", "MaxCapacity") if field in request})
    target["SuspendedState"].update(request.get("SuspendedState", {}))
    state["targets"][resource] = target
    _into_range(endpoint, variant["VariantName"], target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def deregister(request: Json) -> Json:
    """DeregisterScalableTarget; its policies go, too."""
    find(request)
    state["targets"].pop(request["ResourceId"])
    state["policies"].pop(request["ResourceId"], None)
    return {}


def describe(request: Json) -> Json:
    """DescribeScalableTargets."""
    check(request)
    wanted = request.get("ResourceIds") or []
    if "ScalableDimension" in request and not wanted:
        raise ApiError(
            "ValidationException", "If you specify a scalable dimension, you must also specify a resource ID."
        )
    found = [t for resource, t in sorted(state["targets"].items()) if not wanted or resource in wanted]
    return page("ScalableTargets", found, request, most=50)


def forget_endpoint(name: str) -> None:
    """What DeleteEndpoint does: the scalable targets of its variants are deregistered.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
    """
    for kind in state.values():
        for resource in [r for r in kind if r.startswith(f"endpoint/{name}/")]:
            kind.pop(resource)


def check_update(name: str, variants: list[Json]) -> None:
    """Raise ApiError ValidationException for an update that SageMaker refuses: a variant that scales would go, or get
    another instance type.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    types = {variant["VariantName"]: variant.get("InstanceType") for variant in variants}
    for resource in [r for r in state["targets"] if r.startswith(f"endpoint/{name}/")]:
        _, now = _variant(resource)
        if types.get(now["VariantName"]) != now["InstanceType"]:
            raise ApiError(
                "ValidationException",
                f"The variant {now['VariantName']} of endpoint {name} is a target of auto scaling: deregister it "
                "before an update that removes it or changes its instance type.",
            )


def page(field: str, found: Iterable[Json], request: Json, *, most: int) -> Json:
    """One page of a Describe call, of at most `most` items."""
    start, size = int(request.get("NextToken") or 0), min(int(request.get("MaxResults", most)), most)
    items = list(found)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return {field: items[start : start + size], **more}


def _variant(resource: str) -> tuple[Json, Json]:
    """Endpoint and configured variant of a resource id. Raises ApiError ValidationException when there is none."""
    match = _VARIANT.match(resource)
    endpoint = sagemaker["endpoint"].get(match["endpoint"]) if match else None
    config = sagemaker["endpoint-config"].get(endpoint["EndpointConfigName"], {}) if endpoint else {}
    for variant in config.get("ProductionVariants", []):
        if match and endpoint and variant["VariantName"] == match["variant"]:
            return endpoint, variant
    raise ApiError("ValidationException", f"SageMaker has no such endpoint variant: {resource}")


def _into_range(endpoint: Json, name: str, target: Json) -> None:
    """The capacity of an active resource is changed to a value inside of the range."""
    if endpoint["EndpointStatus"] != "InService":
        return
    count = next(v["CurrentInstanceCount"] for v in endpoint["ProductionVariants"] if v["VariantName"] == name)
    wanted = min(max(count, target["MinCapacity"]), target["MaxCapacity"])
    if wanted != count:
        change = {"VariantName": name, "DesiredInstanceCount": wanted}
        endpoints.update_weights(
            {"EndpointName": endpoint["EndpointName"], "DesiredWeightsAndCapacities": [change]},
        )
