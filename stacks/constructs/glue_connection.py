"""A Glue job's place in the VPC: a network connection, and what the job's role needs to use it."""

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam

from stacks.constructs.base import SolventStack
from stacks.constructs.permissions import acknowledge, allow
from stacks.network import NetworkStack


class GlueConnection:
    """The connection `solvent-<environment>-<name>`: workers of jobs that name it run in the first isolated subnet."""

    def __init__(self, scope: SolventStack, *, name: str, group: ec2.SecurityGroup, network: NetworkStack) -> None:
        self._scope, self._network, self._group = scope, network, group
        self.name = scope.names.named(name)
        subnet = network.vpc.isolated_subnets[0]
        connection = glue.CfnConnection(
            scope,
            "Connection",
            catalog_id=Aws.ACCOUNT_ID,
            connection_input=glue.CfnConnection.ConnectionInputProperty(
                name=self.name,
                description="Runs jobs in the platform's network",
                connection_type="NETWORK",
                connection_properties={},
                physical_connection_requirements=glue.CfnConnection.PhysicalConnectionRequirementsProperty(
                    availability_zone=network.config.availability_zones[0],
                    subnet_id=subnet.subnet_id,
                    security_group_id_list=[group.security_group_id],
                ),
            ),
        )
        acknowledge(
            connection,
            "CloudFormation-Validate::W3010",
            "the zone comes from the configuration, and Glue wants that of the subnet spelled out",
        )

    def let(self, role: iam.Role) -> None:
        """Let a job's role run its workers there."""
        scope, network = self._scope, self._network
        allow(
            role, "glue:GetConnection", on=[scope.arn("glue", "catalog"), scope.arn("glue", f"connection/{self.name}")]
        )
        allow(role, "ec2:CreateNetworkInterface", on=network.arns_for_interfaces(self._group))
        allow(
            role,
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            on=[scope.arn("ec2", "network-interface/*")],
            conditions=network.in_this_vpc,
            why="Glue makes the network interfaces of a job itself: their ids are unknown at deploy time; "
            "the condition limits them to this VPC",
        )
        allow(role, "ec2:DescribeVpcAttribute", on=[scope.arn("ec2", f"vpc/{network.vpc.vpc_id}")])
        allow(
            role,
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcEndpoints",
            on=["*"],
            why="EC2's Describe actions know no resources; Glue checks the network before it starts a job",
        )
        allow(
            role,
            "ec2:CreateTags",
            on=[scope.arn("ec2", "network-interface/*")],
            conditions={"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}},
            why="Glue tags the network interfaces that it has just made",
        )
