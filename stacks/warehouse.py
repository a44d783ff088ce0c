"""The warehouse: Redshift Serverless, reached through the Data API, and its migrations at deploy time."""

import json

from aws_cdk import CustomResource, Duration, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_redshiftserverless as redshift
from constructs import Construct

from solvent import naming
from stacks import bundling
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.function import CALLED_BY_CLOUDFORMATION, Function
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import OBJECTS, READ_STREAM, allow, use_key
from stacks.lake import LakeStack
from stacks.network import NetworkStack

ADMIN_USER = "admin"
SECOND_FACTOR = {
    "Bool": {"aws:MultiFactorAuthPresent": "true"},
    "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},  # seconds
}
LOG_EXPORTS = ("connectionlog", "useractivitylog", "userlog")


class WarehouseStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Warehouse", config=config, description="Redshift Serverless and its migrations")
        self.copy_role = self._copy_role(lake)
        self.namespace = self._namespace(lake)
        self._log_groups(lake)
        self.workgroup = self._workgroup(network)
        self.workgroup_arn = self.workgroup.attr_workgroup_workgroup_arn
        for redshift_role in naming.ASSUMED:
            self._assumed(redshift_role, self.names.person(redshift_role))
        for group in self.config.warehouse.row_level_security:
            self._assumed("regional_analyst", self.names.regional(group))
        self._migrations(lake, network)

    def _copy_role(self, lake: LakeStack) -> iam.Role:
        """What `IAM_ROLE default` means: reading the published tables, and what the options need."""
        role = iam.Role(
            self,
            "CopyRole",
            role_name=self.names.named("warehouse-copy"),
            description="What IAM_ROLE default means in the warehouse",
            assumed_by=iam.CompositePrincipal(  # AWS asks for both
                iam.ServicePrincipal("redshift.amazonaws.com"),
                iam.ServicePrincipal("redshift-serverless.amazonaws.com"),
            ),
        )
        zones = ("cleaned", "training", "artifacts")
        allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{self.bucket_name(zone)}" for zone in zones])
        allow(role, "s3:GetObject", on=[*self.objects("cleaned"), *self.objects("training")], why=OBJECTS)
        allow(role, "s3:GetObject", on=self.objects("artifacts", "predictions/"), why=OBJECTS)
        use_key(role, lake.key)
        if self.config.warehouse.sql_model:
            endpoints = [self.arn("sagemaker", f"endpoint/{self.names.endpoint(p)}") for p in naming.PORTFOLIOS]
            allow(role, "sagemaker:InvokeEndpoint", on=endpoints)
        if self.config.warehouse.streaming_view:
            self._read_stream(role)
        return role

    def _read_stream(self, role: iam.Role) -> None:
        """https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-streaming-ingestion-getting-started.html"""
        allow(role, *READ_STREAM, on=[self.arn("kinesis", f"stream/{self.names.stream}")])
        allow(role, "kinesis:ListStreams", on=["*"], why="kinesis:ListStreams knows no resources; it shows names")

    def _namespace(self, lake: LakeStack) -> redshift.CfnNamespace:
        names = self.names
        namespace = redshift.CfnNamespace(
            self,
            "Namespace",
            namespace_name=names.workgroup,
            db_name=naming.DATABASE,
            admin_username=ADMIN_USER,
            manage_admin_password=True,
            admin_password_secret_kms_key_id=lake.key.key_id,
            kms_key_id=lake.key.key_id,
            default_iam_role_arn=self.copy_role.role_arn,
            iam_roles=[self.copy_role.role_arn],
            log_exports=list(LOG_EXPORTS),
            final_snapshot_name=names.named("final") if self.config.warehouse.snapshot_on_delete else None,
            final_snapshot_retention_period=35 if self.config.warehouse.snapshot_on_delete else None,
        )
        namespace.apply_removal_policy(self.removal_policy)
        return namespace

    def _log_groups(self, lake: LakeStack) -> None:
        """Redshift makes these groups itself, for ever and under its own key, if they are not there when it starts.

        https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-audit-logging.html
        """
        for kind in LOG_EXPORTS:
            name = f"/aws/redshift/{self.names.workgroup}/{kind}"
            self.namespace.node.add_dependency(LogGroup(self, kind.capitalize(), name=name, key=lake.key))

    def _assumed(self, redshift_role: str, name: str) -> None:
        """What people and programs assume to ask the warehouse. A caller is a user there without any rights.

        The tag makes Redshift give that user the role of that name:
        https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html
        """
        # whoever of this account may call sts:AssumeRole on it; an administrator by a second factor of the last hour
        assumed_by: iam.IPrincipal = iam.AccountRootPrincipal()
        if redshift_role == naming.ADMIN:
            assumed_by = iam.PrincipalWithConditions(iam.AccountRootPrincipal(), SECOND_FACTOR)
        role = iam.Role(
            self,
            name.removeprefix(self.names.prefix).title().replace("-", ""),
            role_name=name,
            description=f"Asks the warehouse through the Data API, as its role {redshift_role}",
            assumed_by=assumed_by,
            max_session_duration=Duration.hours(1),
        )
        Tags.of(role).add("RedshiftDbRoles", redshift_role)
        allow(
            role,
            "redshift-data:BatchExecuteStatement",
            "redshift-data:ExecuteStatement",
            "redshift-serverless:GetCredentials",
            on=[self.workgroup_arn],
        )
        own_statements(role)

    def _workgroup(self, network: NetworkStack) -> redshift.CfnWorkgroup:
        warehouse = self.config.warehouse
        parameters = {
            "require_ssl": "true",
            "enable_user_activity_logging": "true",
            "max_query_execution_time": str(warehouse.query_timeout_seconds),
        }
        workgroup = redshift.CfnWorkgroup(
            self,
            "Workgroup",
            workgroup_name=self.names.workgroup,
            namespace_name=self.names.workgroup,
            base_capacity=warehouse.base_capacity,
            max_capacity=warehouse.maximum_capacity,
            enhanced_vpc_routing=True,
            publicly_accessible=False,
            subnet_ids=network.isolated_subnet_ids,
            security_group_ids=[network.warehouse_security_group.security_group_id],
            config_parameters=[
                redshift.CfnWorkgroup.ConfigParameterProperty(parameter_key=name, parameter_value=value)
                for name, value in parameters.items()
            ],
        )
        workgroup.node.add_dependency(self.namespace)
        workgroup.apply_removal_policy(self.removal_policy)
        return workgroup

    def _migrations(self, lake: LakeStack, network: NetworkStack) -> None:
        # A change of a migration, mart, procedure or option changes a property: CloudFormation calls again.
        options = ",".join(self.config.warehouse.options)
        regions = json.dumps(self.config.warehouse.row_level_security)
        # The resource type shows Namespace.AdminPasswordSecretArn, but not as a read-only property: Fn::GetAtt refuses
        # it (aws-cdk issue 29930). The Data API takes the secret's name as well, which is fixed
        # (redshift!<namespace>-<user>); Secrets Manager appends six random characters to the ARN.
        secret = f"redshift!{self.names.workgroup}-{ADMIN_USER}"
        self.migrate = Function(
            self,
            "Migrate",
            name="migrate",
            description="Brings the warehouse up to date: migrations, procedures of the loads, marts, options",
            key=lake.key,
            network=network,
            no_dead_letters=CALLED_BY_CLOUDFORMATION,
            environment={"ADMIN_SECRET_ARN": secret, "OPTIONS": options, "REGIONS": regions},
            timeout_seconds=900,
        )
        role = self.migrate.own_role
        allow(role, "redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement", on=[self.workgroup_arn])
        own_statements(role)
        allow(
            role,
            "secretsmanager:GetSecretValue",
            on=[self.arn("secretsmanager", f"secret:{secret}-??????")],
            why="Secrets Manager appends six random characters to a secret's name in its ARN",
        )
        migrations = CustomResource(
            self,
            "Migrations",
            resource_type="Custom::WarehouseMigrations",
            service_token=self.migrate.function_arn,
            service_timeout=Duration.minutes(15),
            properties={
                "Workgroup": self.names.workgroup,
                "Content": bundling.build().warehouse,
                "Options": options,
                "Regions": regions,
            },
        )
        migrations.node.add_dependency(self.workgroup)


def own_statements(role: iam.Role) -> None:
    """Follow, read and cancel the statements that the caller has submitted itself."""
    allow(
        role,
        "redshift-data:CancelStatement",
        "redshift-data:DescribeStatement",
        "redshift-data:GetStatementResult",
        on=["*"],
        conditions={"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
        why="a statement has no ARN; the condition leaves only the caller's own statements",
    )
