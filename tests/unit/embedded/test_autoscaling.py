"""Scalable targets and policies keep Application Auto Scaling's rules.

The quotations are from its API reference, the SageMaker developer guide, and answers of AWS.
"""

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ministack")
from embedded_aws.autoscaling import policies, targets
from embedded_aws.autoscaling.api import OPERATIONS, resource
from embedded_aws.sagemaker import endpoints, store
from embedded_aws.service import ApiError

RESOURCE = "endpoint/lending/variant/all"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
POLICY = {
    **TARGET,
    "PolicyName": "busy",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0},
}


@pytest.fixture(autouse=True)
def endpoint() -> Iterator[dict[str, Any]]:
    clear()
    variant = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    store.state["endpoint-config"]["first"] = {"ProductionVariants": [variant]}
    counts = {"VariantName": "all", "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}
    found = {
        "EndpointName": "lending",
        "EndpointArn": store.arn("endpoint", "lending"),
        "EndpointConfigName": "first",
        "EndpointStatus": "InService",
        "ProductionVariants": [counts],
    }
    store.state["endpoint"]["lending"] = found
    yield found
    clear()


def clear() -> None:
    for records in (*store.state.values(), *targets.state.values()):
        records.clear()


def code(operation: str, **request: Any) -> str:
    with pytest.raises(ApiError) as refused:
        OPERATIONS[operation](request)
    return refused.value.code


def described(**request: Any) -> list[dict[str, Any]]:
    return list(targets.describe({"ServiceNamespace": "sagemaker", **request})["ScalableTargets"])


def test_a_variant_that_does_not_exist_cannot_be_registered() -> None:
    limits = {"MinCapacity": 1, "MaxCapacity": 2}
    for missing in ("endpoint/other/variant/all", "endpoint/lending/variant/other", "lending"):
        assert code("RegisterScalableTarget", **{**TARGET, "ResourceId": missing}, **limits) == "ValidationException"
    assert described() == []


@pytest.mark.contract(
    "auto-scaling.limits",
    page="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html",
    quote="This property is required when registering a new scalable target.",
)
def test_new_targets_need_both_limits_and_later_ones_only_what_changes() -> None:
    # "When you register a new scalable target, you must specify values for the minimum and maximum capacity."
    assert code("RegisterScalableTarget", **TARGET, MinCapacity=1) == "ValidationException"
    assert code("RegisterScalableTarget", **TARGET, MinCapacity=3, MaxCapacity=2) == "ValidationException"
    first = targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 4})
    # "Any parameters that you don't specify are not changed by this update request."
    assert targets.register({**TARGET, "MaxCapacity": 6}) == first
    assert [(t["MinCapacity"], t["MaxCapacity"]) for t in described()] == [(1, 6)]


@pytest.mark.contract(
    "auto-scaling.range",
    page="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html",
    says="A capacity outside of the new range is moved into it.",
)
def test_capacity_is_moved_into_the_range_of_an_active_variant(endpoint: dict[str, Any]) -> None:
    # "If the specified resource is not active in the target service, this operation does not change the resource's
    # current capacity. Otherwise, it changes the resource's current capacity to a value that is inside of this range."
    endpoint["EndpointStatus"] = "Updating"
    targets.register({**TARGET, "MinCapacity": 3, "MaxCapacity": 4})
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    endpoint["EndpointStatus"] = "InService"
    targets.register({**TARGET, "MaxCapacity": 5})
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 3


def test_burstable_instances_are_refused() -> None:
    # "You cannot register a variant with ml.t2.medium instance type as a scalable target."
    store.state["endpoint-config"]["first"]["ProductionVariants"][0]["InstanceType"] = "ml.t2.medium"
    assert code("RegisterScalableTarget", **TARGET, MinCapacity=1, MaxCapacity=2) == "ValidationException"


def test_a_dimension_is_asked_for_together_with_a_resource() -> None:
    # "If you specify a scalable dimension, you must also specify a resource ID."
    targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 2})
    dimension = {k: TARGET[k] for k in ("ServiceNamespace", "ScalableDimension")}
    assert code("DescribeScalableTargets", **dimension) == "ValidationException"
    assert code("DescribeScalingPolicies", **dimension) == "ValidationException"
    assert len(described(ScalableDimension=TARGET["ScalableDimension"], ResourceIds=[RESOURCE])) == 1
    assert described(ResourceIds=["endpoint/other/variant/all"]) == []


@pytest.mark.contract(
    "auto-scaling.policies",
    page="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html",
    quote=(
        "Deregistering a scalable target deletes the scaling policies and the scheduled actions that are "
        "associated with it."
    ),
)
def test_a_policy_needs_its_target_and_goes_with_it() -> None:
    # "You cannot create a scaling policy until you have registered the resource as a scalable target."
    assert code("PutScalingPolicy", **POLICY) == "ObjectNotFoundException"
    targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 2})
    made = policies.put(POLICY)
    assert policies.put(POLICY)["PolicyARN"] == made["PolicyARN"]
    assert code("PutScalingPolicy", **{**POLICY, "PolicyType": "PredictiveScaling"}) == "ValidationException"
    found = policies.describe({"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE})["ScalingPolicies"]
    assert [(p["PolicyName"], p["PolicyType"]) for p in found] == [("busy", "TargetTrackingScaling")]
    # "Deregistering a scalable target deletes the scaling policies [...] that are associated with it."
    targets.deregister(TARGET)
    assert policies.describe({"ServiceNamespace": "sagemaker"})["ScalingPolicies"] == []
    assert code("DeregisterScalableTarget", **TARGET) == "ObjectNotFoundException"
    assert code("DeleteScalingPolicy", **POLICY) == "ObjectNotFoundException"


@pytest.mark.contract(
    "auto-scaling.endpoint-deleted",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html",
    says="Deleting an endpoint with a scaling policy asks for the permission to deregister its target.",
)
def test_targets_go_with_their_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    # SageMaker deregisters the targets of an endpoint that is deleted.
    monkeypatch.setattr(endpoints, "on_delete", [targets.forget_endpoint])
    targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 2})
    policies.put(POLICY)
    endpoints.delete({"EndpointName": "lending"})
    assert targets.state == {"targets": {}, "policies": {}}


def test_pages_end() -> None:
    targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 2})
    for number in range(12):
        policies.put({**POLICY, "PolicyName": f"p{number}"})
    first = policies.describe({"ServiceNamespace": "sagemaker"})
    second = policies.describe({"ServiceNamespace": "sagemaker", "NextToken": first["NextToken"]})
    assert (len(first["ScalingPolicies"]), len(second["ScalingPolicies"]), "NextToken" in second) == (10, 2, False)


def test_calls_are_authorized_against_the_target() -> None:
    targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 2})
    arn = described()[0]["ScalableTargetARN"]
    assert ":scalable-target/" in arn
    assert resource("DeregisterScalableTarget", TARGET, "/") == arn
    assert resource("DescribeScalableTargets", TARGET, "/") == "*"


@pytest.mark.contract(
    "auto-scaling.update",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html",
    quote="If the update would change the instance type for any model that is a target for auto scaling, "
    "the update fails.",
)
@pytest.mark.parametrize(
    ("variants", "refused"),
    [
        ([{"VariantName": "all", "InstanceType": "ml.m5.large"}], False),  # another model is allowed
        ([{"VariantName": "all", "InstanceType": "ml.m5.xlarge"}], True),
        ([{"VariantName": "other", "InstanceType": "ml.m5.large"}], True),
    ],
)
def test_a_variant_that_scales_keeps_its_instance_type(variants: list[dict[str, Any]], refused: bool) -> None:
    targets.register({**TARGET, "MinCapacity": 1, "MaxCapacity": 2})
    if refused:
        with pytest.raises(ApiError, match="deregister it before an update"):
            targets.check_update("lending", variants)
        targets.deregister(TARGET)
    targets.check_update("lending", variants)
