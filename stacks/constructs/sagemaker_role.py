"""Execution roles of SageMaker: what every job, model and endpoint needs, before its own data."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from stacks.constructs.base import SolventStack
from stacks.constructs.images import repository_arn
from stacks.constructs.permissions import allow, service_role, use_key
from stacks.network import NetworkStack


def sagemaker_role(
    scope: SolventStack,
    construct_id: str,
    *,
    name: str,
    description: str,
    key: kms.IKey,
    network: NetworkStack,
    log_groups: str,
) -> iam.Role:
    """A role that pulls the image, logs and measures; data is granted by the caller."""
    role = service_role(scope, construct_id, name=name, service="sagemaker.amazonaws.com", description=description)
    reason = "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resources"
    if network.config.network.private_compute:
        reason += ", and SageMaker makes network interfaces before they have a name"
        allow(
            role,
            "ec2:CreateNetworkInterface",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            on=["*"],
            why=reason,
        )
    allow(role, "ecr:GetAuthorizationToken", on=["*"], why=reason)
    allow(
        role,
        "cloudwatch:PutMetricData",
        on=["*"],
        conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        why=reason,
    )
    allow(
        role,
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        on=[repository_arn(scope.config.region)],
    )
    allow(
        role,
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        on=[scope.arn("logs", f"log-group:/aws/sagemaker/{log_groups}")],
        why="SageMaker names the log streams (and the log group of an endpoint) after jobs and endpoints",
    )
    use_key(role, key, write=True)
    allow(
        role,
        "kms:CreateGrant",
        on=[key.key_arn],
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},  # the encrypted volumes of instances
    )
    allow(role, "kms:DescribeKey", on=[key.key_arn])
    return role
