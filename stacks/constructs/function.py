"""A Lambda function of `lambdas/<name>`: package, role, log group, traces and, where configured, a place in the VPC."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from stacks import bundling
from stacks.constructs.base import SolventStack
from stacks.constructs.dependencies import wait_only_for_policy
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import acknowledge, allow, service_role
from stacks.network import NetworkStack

RUNTIME = lambda_.Runtime.PYTHON_3_14


class Function(lambda_.Function):
    """`lambdas/<directory>` as function `solvent-<environment>-<name>`, with a role of its own that may only log.

    `no_dead_letters` says who learns of a failed invocation, as no function of this platform has a dead-letter queue.
    """

    own_role: iam.Role
    name: str

    def __init__(
        self,
        scope: SolventStack,
        construct_id: str,
        *,
        name: str,
        description: str,
        key: kms.IKey,
        network: NetworkStack,
        no_dead_letters: str,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: int = 30,
        memory_mb: int = 256,
        layers: Sequence[lambda_.ILayerVersion] = (),
    ) -> None:
        role = service_role(
            scope,
            f"{construct_id}Role",
            name=name,
            service="lambda.amazonaws.com",
            description=f"Execution role of {scope.names.named(name)}",
            guarded=False,  # Lambda sends no aws:SourceAccount when it assumes an execution role
        )
        group = LogGroup(scope, f"{construct_id}Logs", name=f"/aws/lambda/{scope.names.named(name)}", key=key)
        super().__init__(
            scope,
            construct_id,
            function_name=scope.names.named(name),
            description=description,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(bundling.build().function(name.replace("-", "_")))),
            role=role.without_policy_updates(),  # CDK adds nothing to it: every statement is written out here
            log_group=group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            layers=list(layers) or None,
            environment_encryption=key,
            environment={
                "ENVIRONMENT": scope.config.environment,
                "ACCOUNT_ID": Aws.ACCOUNT_ID,
                **(environment or {}),
            },
            **_placement(network),
        )
        self.own_role, self.name = role, name
        acknowledge(self, "Serverless-LambdaDLQ", no_dead_letters)
        allow(
            role,
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            on=[scope.arn("logs", f"log-group:/aws/lambda/{scope.names.named(name)}:*")],
            why="the log streams of this function's own log group; their names are chosen by Lambda",
        )
        allow(role, "kms:Decrypt", on=[key.key_arn])  # its environment variables
        wait_only_for_policy(self, role)
        allow(
            role, "xray:PutTelemetryRecords", "xray:PutTraceSegments", on=["*"], why="X-Ray's actions know no resources"
        )
        if network.config.network.private_compute:
            _enter_network(scope, role)


# CloudFormation calls asynchronously, so that a queue could take what failed; but its event holds the signed address
# at which anybody may answer for this function.
CALLED_BY_CLOUDFORMATION = "CloudFormation waits for the answer, and fails the deploy when none comes in time"
CALLED_BY_STATES = "a state machine calls it and waits: the error goes to the state's Retry and Catch"


def _enter_network(scope: SolventStack, role: iam.Role) -> None:
    """The function's network interfaces: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html."""
    # Lambda tries the role out when a function is made; that page asks for all ids of what is deleted, as `*/*`.
    allow(
        role,
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        on=[scope.arn("ec2", "*/*")],
        why="Lambda's page asks for all ids to delete, and names no resources with which its check before a function "
        "is made still passes; limiting to our subnets waits for a deploy on AWS",
    )
    allow(
        role,
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
        on=[scope.arn("ec2", "network-interface/*")],
        why="Lambda makes the network interfaces of a function in a VPC itself: their ids are unknown at deploy time",
    )
    allow(
        role,
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        on=["*"],
        why="EC2's Describe actions know no resources; Lambda looks for the interfaces it has made",
    )


def _placement(network: NetworkStack) -> dict[str, Any]:
    if not network.config.network.private_compute:
        return {}
    return {
        "vpc": network.vpc,
        "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        "security_groups": [network.compute_security_group],
    }
