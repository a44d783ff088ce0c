"""The Glue job that erases a person from lake and warehouse."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from solvent import naming
from stacks import bundling
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.dependencies import policy_of
from stacks.constructs.glue_logs import allow_logs, log_groups, prefix
from stacks.constructs.permissions import UPLOAD, acknowledge, allow, service_role, use_key
from stacks.etl import EtlStack
from stacks.lake import LakeStack
from stacks.warehouse import WarehouseStack, own_statements

EVERYWHERE = "a person's rows may be in any object of a zone, and in any version of it"


class ErasureStack(SolventStack):
    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        lake: LakeStack,
        etl: EtlStack,
        warehouse: WarehouseStack,
    ) -> None:
        super().__init__(scope, "Erasure", config=config, description="Glue job: erases a person")
        self.script = assets.Asset(self, "Script", path=str(bundling.build().glue_job("erase")))
        self._etl = etl
        log_groups(self, job=self.names.erase_job, security="glue", key=lake.key)
        self.role = self._role(lake, warehouse)
        if etl.connection:
            etl.connection.let(self.role)
        self.job = self._job()
        for rule in ("AwsSolutions-GL1", "AwsSolutions-GL3"):
            acknowledge(
                self.job, rule, "the security configuration encrypts both; it is of stack Etl, found by its name"
            )
        self.job.node.add_dependency(policy_of(self.role))
        self.add_stack_dependency(etl)  # its security configuration and connection, by name

    def _job(self) -> glue.CfnJob:
        etl, connection = self.config.etl, self._etl.connection
        placement = glue.CfnJob.ConnectionsListProperty(connections=[connection.name]) if connection else None
        return glue.CfnJob(
            self,
            "Job",
            name=self.names.erase_job,
            description="Erases a person from every zone, version and table, and writes proof",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=self.script.s3_object_url
            ),
            glue_version=etl.glue_version,
            worker_type=etl.worker_type,
            number_of_workers=2,  # the fewest that Glue takes: the work is one process and S3
            timeout=self.config.retention.erase_timeout_minutes,
            max_retries=0,  # started again, it goes on where it was; a person should know of it
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            security_configuration=self.names.named("glue"),
            connections=placement,
            default_arguments={
                "--extra-py-files": self._etl.libraries.s3_object_url,
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",
                "--enable-metrics": "true",
                "--custom-logGroup-prefix": prefix(self),
                "--TempDir": f"s3://{self.bucket_name('artifacts')}/glue-temporary/",
                "--runs_table": self.names.runs_table,
                "--workgroup": self.names.workgroup,
                "--decision_years": str(self.config.retention.decision_years),
                "--busy_wait_minutes": str(self.config.orchestration.busy_wait_minutes),
                **{f"--{zone}_bucket": self.bucket_name(zone) for zone in naming.ZONES},
            },
        )

    def _role(self, lake: LakeStack, warehouse: WarehouseStack) -> iam.Role:
        role = service_role(
            self, "Role", name="erase", service="glue.amazonaws.com", description="Glue job that erases a person"
        )
        buckets = [f"arn:aws:s3:::{self.bucket_name(zone)}" for zone in naming.ZONES]
        allow(role, "s3:ListBucket", "s3:ListBucketVersions", on=buckets)
        allow(
            role,
            "s3:GetObject",
            "s3:GetObjectVersion",
            *UPLOAD,
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            on=[arn for zone in naming.ZONES for arn in self.objects(zone)],
            why=EVERYWHERE,
        )
        libraries = self._etl.libraries
        for asset in (self.script, libraries):
            allow(role, "s3:GetObject", on=[f"arn:aws:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"])
        use_key(role, lake.key, write=True)
        self._lock(role, lake)
        allow(
            role,
            "redshift-data:BatchExecuteStatement",
            "redshift-data:ExecuteStatement",
            "redshift-serverless:GetCredentials",
            on=[warehouse.workgroup_arn],
        )
        own_statements(role)
        allow_logs(role, self)
        return role

    def _lock(self, role: iam.Role, lake: LakeStack) -> None:
        """Take the portfolio's lock, and see whether who holds it is still at work."""
        table = self.arn("dynamodb", f"table/{self.names.runs_table}")
        allow(
            role,
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            on=[table],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["lock#*"]}},  # no run's record
        )
        allow(
            role,
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            on=[lake.key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{self.config.region}.amazonaws.com"}},
        )
        allow(
            role,
            "states:DescribeExecution",
            on=[self.arn("states", f"execution:{self.names.state_machine(phase)}:*") for phase in naming.PHASES],
            why="executions are named at run time",
        )
        allow(role, "glue:GetJobRun", on=[self.arn("glue", f"job/{self.names.erase_job}")])
