"""The Glue jobs: a delivery into raw, cleaned and training tables; the stream's small files into large ones."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from solvent import naming
from stacks import bundling
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.compaction import Compaction
from stacks.constructs.dependencies import policy_of
from stacks.constructs.glue_connection import GlueConnection
from stacks.constructs.glue_logs import allow_logs, log_groups, prefix
from stacks.constructs.glue_security import security_configuration
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
        log_groups(self, job=self.names.etl_job, security="glue", key=lake.key)
        self.security = security_configuration(self, name="glue", key=lake.key)
        self.role = self._role(lake)
        self.connection = (
            GlueConnection(self, name="glue", group=network.glue_security_group, network=network)
            if config.network.private_compute
            else None
        )
        if self.connection:
            self.connection.let(self.role)
        self.job = self._job()
        self.job.node.add_dependency(self.security, policy_of(self.role))
        self.compaction = Compaction(self, lake=lake)

    @property
    def placement(self) -> glue.CfnJob.ConnectionsListProperty | None:
        """Jobs run in the VPC where there is a connection."""
        return glue.CfnJob.ConnectionsListProperty(connections=[self.connection.name]) if self.connection else None

    def _job(self) -> glue.CfnJob:
        etl = self.config.etl
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
            connections=self.placement,
            default_arguments={
                "--extra-py-files": self.libraries.s3_object_url,
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",  # a run reads exactly the files of its manifest
                "--enable-metrics": "true",
                "--custom-logGroup-prefix": prefix(self),
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
            on=self.objects("artifacts", naming.SUPPRESSED),
            why="one object per erasure, and per run that kept rows out: their keys hold ids unknown at deploy time",
        )
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
        allow_logs(role, self)
        return role
