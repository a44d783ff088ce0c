"""The network: isolated subnets in three zones, no NAT, gateway endpoints, and interface endpoints where configured."""

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from solvent.extraction import databases
from stacks.config import Config, Database
from stacks.constructs.base import SolventStack
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import allow, service_role

_PROVIDERS = {"experiments": "aws.sagemaker"}  # where an endpoint's name does not begin with com.amazonaws


class NetworkStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, key: kms.IKey) -> None:
        super().__init__(scope, "Network", config=config, description="network without a way to the internet")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=self.names.prefix,
            ip_addresses=ec2.IpAddresses.cidr(config.network.cidr),
            availability_zones=list(config.availability_zones),
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
            ],
        )
        self._gateway_endpoints()
        self._flow_logs(key)
        self.warehouse_security_group = self._security_group("warehouse", "Redshift: reached through the Data API only")
        self._open(self.warehouse_security_group)
        if config.network.private_compute:
            self.compute_security_group = self._security_group("compute", "Functions and SageMaker")
            self._open(self.compute_security_group)
            self.glue_security_group = self._workers("glue", "Workers of Glue jobs")
        if config.extraction.private:
            self.extract_security_group = self._workers("extract", "Workers of the job that reads databases")
            for database in config.extraction.databases:
                self._to_database(database)
        self._interface_endpoints()

    @property
    def isolated_subnet_ids(self) -> list[str]:
        return [subnet.subnet_id for subnet in self.vpc.isolated_subnets]

    def arns_for_interfaces(self, group: ec2.SecurityGroup) -> list[str]:
        """ARNs of what a network interface of `group` is made from: the isolated subnets and the group."""
        subnets = [self.arn("ec2", f"subnet/{subnet}") for subnet in self.isolated_subnet_ids]
        return [*subnets, self.arn("ec2", f"security-group/{group.security_group_id}")]

    @property
    def in_this_vpc(self) -> dict[str, Any]:
        """Condition of actions on network interfaces: only those in this VPC."""
        return {"ArnEquals": {"ec2:Vpc": self.arn("ec2", f"vpc/{self.vpc.vpc_id}")}}

    @property
    def job_placement(self) -> dict[str, Any] | None:
        """SageMaker's VpcConfig for jobs and models; None where they run outside the VPC."""
        if not self.config.network.private_compute:
            return None
        return {
            "SecurityGroupIds": [self.compute_security_group.security_group_id],
            "Subnets": self.isolated_subnet_ids,
        }

    def _flow_logs(self, key: kms.IKey) -> None:
        group = LogGroup(self, "FlowLogs", name=f"/{self.names.prefix}/vpc-flow-logs", key=key)
        role = service_role(
            self, "FlowLogsRole", name="flow-logs", service="vpc-flow-logs.amazonaws.com", description="VPC flow logs"
        )
        # CDK grants the rest of what https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html asks for.
        allow(role, "logs:CreateLogGroup", on=[group.log_group_arn])
        allow(
            role,
            "logs:DescribeLogGroups",
            on=["*"],
            why="logs:DescribeLogGroups knows no resources; it shows names of groups, not what is in them",
        )
        self.vpc.add_flow_log("Flow", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role))

    def _security_group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            f"{name.capitalize()}SecurityGroup",
            vpc=self.vpc,
            security_group_name=self.names.named(name),
            description=description,
            allow_all_outbound=False,
        )

    def _open(self, group: ec2.SecurityGroup) -> None:
        """HTTPS only. The gateway endpoints' addresses are public ones, and there is no other route out of the VPC."""
        group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS; the only routes are the VPC and its gateway endpoints"
        )

    def _workers(self, name: str, description: str) -> ec2.SecurityGroup:
        group = self._security_group(name, description)
        self._open(group)
        workers = (group, ec2.Port.all_tcp(), "Glue: the workers of a job talk to each other")
        group.add_ingress_rule(*workers)
        group.add_egress_rule(*workers)
        return group

    def _to_database(self, database: Database) -> None:
        """The one way to addresses that is not HTTPS: private ones, a single port. A route to them is the bank's."""
        number = databases.port(database.url)
        if number == 443:  # every group lets HTTPS out
            return
        addresses = ec2.Peer.ipv4(database.cidr or "")
        self.extract_security_group.add_egress_rule(addresses, ec2.Port.tcp(number), f"Database {database.name}")

    def _gateway_endpoints(self) -> None:
        """Data leaves through these two to this account only, whoever's credentials sign the call."""
        s3 = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        table = self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        ours = {"StringEquals": {"aws:ResourceAccount": Aws.ACCOUNT_ID}}
        anybody = [iam.AnyPrincipal()]
        table.add_to_policy(
            iam.PolicyStatement(
                sid="TablesOfThisAccount",
                principals=anybody,
                actions=["dynamodb:*"],
                resources=["*"],
                conditions=ours,
            )
        )
        s3.add_to_policy(
            iam.PolicyStatement(
                sid="BucketsOfThisAccount", principals=anybody, actions=["s3:*"], resources=["*"], conditions=ours
            )
        )
        # Glue reads libraries from buckets of AWS, and nobody lists these.
        s3.add_to_policy(
            iam.PolicyStatement(sid="ReadAnywhere", principals=anybody, actions=["s3:GetObject"], resources=["*"])
        )
        # Custom resources answer with a PUT to a bucket of AWS, whose name has the region without dashes:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
        answers = f"cloudformation-custom-resource-response-{self.config.region.replace('-', '')}"
        s3.add_to_policy(
            iam.PolicyStatement(
                sid="AnswersToCloudFormation",
                principals=anybody,
                actions=["s3:PutObject"],
                resources=[f"arn:aws:s3:::{answers}/*"],
            )
        )

    def _interface_endpoints(self) -> None:
        if not self.config.interface_endpoints:
            return
        group = self._security_group("endpoints", "Interface endpoints of AWS services")
        code = ("compute_security_group", "glue_security_group", "extract_security_group")
        for source in (getattr(self, name) for name in code if hasattr(self, name)):
            group.add_ingress_rule(source, ec2.Port.tcp(443), "HTTPS from the platform's code")
        if self.config.warehouse.endpoints:
            group.add_ingress_rule(
                self.warehouse_security_group, ec2.Port.tcp(443), "HTTPS from the warehouse, for its options"
            )
        for service in self.config.interface_endpoints:
            self.vpc.add_interface_endpoint(
                "".join(part.capitalize() for part in service.replace(".", "-").split("-")),
                service=ec2.InterfaceVpcEndpointService(
                    f"{_PROVIDERS.get(service, 'com.amazonaws')}.{self.config.region}.{service}", 443
                ),
                subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
                security_groups=[group],
                private_dns_enabled=True,
                open=False,
            )
