"""The Glue job that turns a delivery into raw, cleaned and training tables."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks import bundling
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.dependencies import policy_of
from stacks.constructs.glue_connection import GlueConnection
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import OBJECTS, UPLOAD, allow, service_role, use_key
from stacks.lake import LakeStack
from stacks.network import NetworkStack

WRITTEN_ZONES = ("raw", "cleaned", "training", "quarantine")


class EtlStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Etl", config=config, description="Glue job: landing to raw, cleaned and training")
        artifacts = bundling.build()
        self.script = assets.Asset(self, "Script", path=str(artifacts.glue_script))
        self.libraries = assets.Asset(self, "Libraries", path=str(artifacts.glue_libraries))
        self.log_prefix = f"/{self.names.prefix}/glue"
        self._log_groups(lake)
        self.security = self._security_configuration(lake)
        self.role = self._role(lake)
        self.connection = (
            GlueConnection(self, name="glue", group=network.glue_security_group, network=network, role=self.role)
            if config.network.private_compute
            else None
        )
        self.job = self._job()
        self.job.node.add_dependency(self.security, policy_of(self.role))

    def _log_groups(self, lake: LakeStack) -> None:
        """Where Glue 5.x writes: daemons and the Glue logger to `error`, the script's stdout and stderr to `output`.

        With a security configuration Glue puts its name and the role's between prefix and end:
        https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
        """
        folder = f"{self.log_prefix}/{self.names.named('glue')}-role/{self.names.named('etl')}"
        for end in ("error", "output"):
            LogGroup(self, f"Logs{end.capitalize()}", name=f"{folder}/{end}", key=lake.key)

    def _security_configuration(self, lake: LakeStack) -> glue.CfnSecurityConfiguration:
        kms_key = lake.key.key_arn
        properties = glue.CfnSecurityConfiguration
        return properties(
            self,
            "Security",
            name=self.names.named("glue"),
            encryption_configuration=properties.EncryptionConfigurationProperty(
                s3_encryptions=[properties.S3EncryptionProperty(s3_encryption_mode="SSE-KMS", kms_key_arn=kms_key)],
                cloud_watch_encryption=properties.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=kms_key
                ),
                job_bookmarks_encryption=properties.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=kms_key
                ),
            ),
        )

    def _job(self) -> glue.CfnJob:
        etl = self.config.etl
        placement = glue.CfnJob.ConnectionsListProperty(connections=[self.connection.name]) if self.connection else None
        return glue.CfnJob(
            self,
            "Job",
            name=self.names.etl_job,
            description="landing -> raw -> cleaned -> training; rejected rows to quarantine with their reason",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=self.script.s3_object_url
            ),
            glue_version=etl.glue_version,
            worker_type=etl.worker_type,
            number_of_workers=etl.workers,
            timeout=etl.timeout_minutes,
            max_retries=0,  # the state machine retries what is worth a retry
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=etl.concurrent_runs),
            security_configuration=self.names.named("glue"),
            connections=placement,
            default_arguments={
                "--extra-py-files": self.libraries.s3_object_url,
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",  # a run reads exactly the files of its manifest
                "--enable-metrics": "true",
                "--custom-logGroup-prefix": self.log_prefix,
                "--TempDir": f"s3://{self.bucket_name('artifacts')}/glue-temporary/",
                **{f"--{zone}_bucket": self.bucket_name(zone) for zone in ("landing", *WRITTEN_ZONES, "artifacts")},
            },
        )

    def _role(self, lake: LakeStack) -> iam.Role:
        role = service_role(self, "Role", name="etl", service="glue.amazonaws.com", description="Glue ETL job")
        zones = ("landing", *WRITTEN_ZONES, "artifacts")
        allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{self.bucket_name(zone)}" for zone in zones])
        allow(role, "s3:GetObject", on=self.objects("landing"), why=OBJECTS)
        for zone in WRITTEN_ZONES:
            # Spark deletes what a failed attempt left before it writes again.
            allow(role, "s3:GetObject", *UPLOAD, "s3:DeleteObject", on=self.objects(zone), why=OBJECTS)
        allow(role, *UPLOAD, on=self.objects("artifacts", "runs/"), why=OBJECTS)
        allow(
            role,
            "s3:GetObject",
            *UPLOAD,
            "s3:DeleteObject",
            on=self.objects("artifacts", "glue-temporary/"),
            why="Glue's temporary objects",
        )
        for asset in (self.script, self.libraries):
            allow(role, "s3:GetObject", on=[f"arn:aws:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"])
        use_key(role, lake.key, write=True)
        self._logs(role)
        return role

    def _logs(self, role: iam.Role) -> None:
        allow(
            role,
            "logs:AssociateKmsKey",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            on=[self.arn("logs", f"log-group:{self.log_prefix}/*")],
            why="Glue names the streams, puts the names of security configuration and role into those of the groups",
        )
        allow(
            role,
            "cloudwatch:PutMetricData",
            on=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
            why="PutMetricData knows no resources; the namespace is fixed by a condition",
        )
