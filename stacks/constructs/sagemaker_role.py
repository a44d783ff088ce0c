"""Execution roles of SageMaker: what every job, model and endpoint needs, before its own data."""

from collections.abc import Sequence

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
    log_groups: Sequence[str],
) -> iam.Role:
    """A role that pulls the image, measures, logs to `log_groups` of /aws/sagemaker/; data is granted by the caller."""
    role = service_role(scope, construct_id, name=name, service="sagemaker.amazonaws.com", description=description)
    if network.config.network.private_compute:
        _enter_network(scope, role, network)
    allow(role, "ecr:GetAuthorizationToken", on=["*"], why="a token is for the registry as a whole, it has no resource")
    allow(
        role,
        "cloudwatch:PutMetricData",
        on=["*"],
        conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        why="PutMetricData knows no resources; a condition names the namespaces",
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
        on=[scope.arn("logs", f"log-group:/aws/sagemaker/{group}:*") for group in log_groups],
        why="SageMaker names the streams of a log group itself; the groups of jobs are shared by the whole account",
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


def _enter_network(scope: SolventStack, role: iam.Role, network: NetworkStack) -> None:
    """The network interfaces of jobs and models: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html."""
    allow(role, "ec2:CreateNetworkInterface", on=network.arns_for_interfaces(network.compute_security_group))
    allow(
        role,
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        on=[scope.arn("ec2", "network-interface/*")],
        conditions=network.in_this_vpc,
        why="SageMaker makes the network interfaces of a job itself: their ids are unknown at deploy time; "
        "the condition limits them to this VPC",
    )
    allow(
        role,
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        on=["*"],
        why="EC2's Describe actions know no resources; SageMaker checks the network before it starts a job",
    )
