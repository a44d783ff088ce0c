"""Application Auto Scaling over HTTP: routed, refused and authorized as on AWS. Its rules: tests/unit/embedded."""

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import EmbeddedAws

pytestmark = pytest.mark.embedded

WHERE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
LIMITS = {"MinCapacity": 1, "MaxCapacity": 2}


def as_role(aws: EmbeddedAws, *actions: str, dimension: str | None = None) -> boto3.client:
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    if dimension:
        allowed["Condition"] = {"StringEquals": {"application-autoscaling:scalable-dimension": dimension}}
    role = aws.role(allowed, service="lambda.amazonaws.com")
    answer = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="reader")
    return aws.client("application-autoscaling", answer["Credentials"])


@pytest.mark.contract(
    "auto-scaling.target",
    page="https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html",
    quote="Registers or updates a scalable target, which is the resource that you want to scale.",
)
def test_a_target_needs_its_variant(aws: EmbeddedAws) -> None:
    scaling, resource = aws.client("application-autoscaling"), f"endpoint/{aws.endpoint()}/variant/all"
    with pytest.raises(ClientError) as refused:
        scaling.register_scalable_target(ResourceId="endpoint/no-such/variant/all", **WHERE, **LIMITS)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    scaling.register_scalable_target(ResourceId=resource, **WHERE, **LIMITS)
    pages = scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
    assert resource in [target["ResourceId"] for page in pages for target in page["ScalableTargets"]]
    scaling.deregister_scalable_target(ResourceId=resource, **WHERE)
    with pytest.raises(scaling.exceptions.ObjectNotFoundException, match="No scalable target found"):
        scaling.deregister_scalable_target(ResourceId=resource, **WHERE)


@pytest.mark.contract(
    "auto-scaling.authorization",
    page="https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html",
    says="Each operation is an action that the caller's policies must allow.",
)
def test_a_role_may_do_what_its_policy_says(aws: EmbeddedAws) -> None:
    aws.client("application-autoscaling").register_scalable_target(
        ResourceId=f"endpoint/{aws.endpoint()}/variant/all", **WHERE, **LIMITS
    )
    reader = as_role(aws, "application-autoscaling:DescribeScalableTargets")
    found = reader.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert found
    with pytest.raises(ClientError, match="application-autoscaling:DeregisterScalableTarget") as refused:
        reader.deregister_scalable_target(ResourceId=found[0]["ResourceId"], **WHERE)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    other, same = (
        as_role(aws, "application-autoscaling:DeregisterScalableTarget", dimension=dimension)
        for dimension in ("ecs:service:DesiredCount", WHERE["ScalableDimension"])
    )
    with pytest.raises(ClientError, match="not authorized"):
        other.deregister_scalable_target(ResourceId=found[0]["ResourceId"], **WHERE)
    same.deregister_scalable_target(ResourceId=found[0]["ResourceId"], **WHERE)
