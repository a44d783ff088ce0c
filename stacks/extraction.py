"""The Glue job that reads databases into the landing zone."""

import json

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from solvent import naming
from solvent.extraction import databases
from stacks import bundling
from stacks.config import Config, Database
from stacks.constructs.base import SolventStack
from stacks.constructs.dependencies import policy_of
from stacks.constructs.glue_connection import GlueConnection
from stacks.constructs.glue_logs import allow_logs, log_groups, prefix
from stacks.constructs.glue_security import security_configuration
from stacks.constructs.permissions import UPLOAD, allow, service_role, use_key
from stacks.lake import LakeStack
from stacks.network import NetworkStack

WORKERS = 2  # what Glue asks for at least; all the work is the driver's


class ExtractionStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Extraction", config=config, description="Glue job: databases to landing")
        artifacts = bundling.build()
        self.script = assets.Asset(self, "Script", path=str(artifacts.glue_job("extract")))
        self.libraries = assets.Asset(self, "Libraries", path=str(artifacts.glue_libraries))
        self.drivers = assets.Asset(self, "Drivers", path=str(artifacts.database_drivers))
        log_groups(self, job=self.names.extract_job, security="extract", key=lake.key)
        self.security = security_configuration(self, name="extract", key=lake.key)
        self.role = self._role(lake)
        self.connection = (
            GlueConnection(self, name="extract", group=network.extract_security_group, network=network)
            if config.extraction.private
            else None
        )
        if self.connection:
            self.connection.let(self.role)
        self.job = self._job()
        self.job.node.add_dependency(self.security, policy_of(self.role))
        for schedule in config.extraction.schedules:
            self._schedule(schedule.extraction, schedule.cron)

    def _job(self) -> glue.CfnJob:
        extraction = self.config.extraction
        placement = glue.CfnJob.ConnectionsListProperty(connections=[self.connection.name]) if self.connection else None
        return glue.CfnJob(
            self,
            "Job",
            name=self.names.extract_job,
            description="databases and exported files -> landing; the manifest lands last and starts ingest",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=self.script.s3_object_url
            ),
            glue_version=self.config.etl.glue_version,
            worker_type=extraction.worker_type,
            number_of_workers=WORKERS,
            timeout=extraction.timeout_minutes,
            max_retries=0,  # who starts it again goes on where it stopped
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=extraction.concurrent_runs),
            security_configuration=self.names.named("extract"),
            connections=placement,
            default_arguments={
                "--extra-py-files": f"{self.libraries.s3_object_url},{self.drivers.s3_object_url}",
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",  # the watermarks are our own
                "--enable-metrics": "true",
                "--custom-logGroup-prefix": prefix(self),
                "--TempDir": f"s3://{self.bucket_name('artifacts')}/glue-temporary/",
                "--source": "all",
                "--full": "false",
                "--as_of": "today",
                "--databases": json.dumps({d.name: self._address(d) for d in extraction.databases}, sort_keys=True),
                **{f"--{zone}_bucket": self.bucket_name(zone) for zone in ("landing", "artifacts")},
                **self._wheels(),
            },
        )

    def _address(self, database: Database) -> dict[str, str]:
        """As the job takes it: where, and the name of the secret; never what is in it."""
        return {"url": database.url, "secret": self._secret(database), "tls": database.tls}

    def _secret(self, database: Database) -> str:
        return database.secret or self.names.database_secret(database.name)

    def _wheels(self) -> dict[str, str]:
        """Compiled drivers: installed by Glue when the job starts, from S3 alone, for there is no internet."""
        found = [f"s3://{self.bucket_name('artifacts')}/wheels/{d.wheels}" for d in self._compiled]
        option = {"--python-modules-installer-option": "--no-index"}
        return {"--additional-python-modules": ",".join(found), **option} if found else {}

    @property
    def _compiled(self) -> list[Database]:
        return [d for d in self.config.extraction.databases if databases.kind(d.url).native]

    def _schedule(self, extraction: str, cron: str) -> None:
        trigger = glue.CfnTrigger(
            self,
            f"Nightly{extraction.title().replace('-', '')}",
            name=self.names.named(f"extract-{extraction}"),
            description=f"Starts the extraction {extraction}",
            type="SCHEDULED",
            schedule=cron,
            start_on_creation=True,
            actions=[
                glue.CfnTrigger.ActionProperty(job_name=self.names.extract_job, arguments={"--extraction": extraction})
            ],
        )
        trigger.add_dependency(self.job)

    def _role(self, lake: LakeStack) -> iam.Role:
        role = service_role(
            self, "Role", name="extract", service="glue.amazonaws.com", description="Glue job that reads databases"
        )
        landing, artifacts = self.bucket_name("landing"), self.bucket_name("artifacts")
        allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{landing}", f"arn:aws:s3:::{artifacts}"])
        allow(
            role,
            "s3:PutObject",
            on=self.objects("landing", *(f"{portfolio}/" for portfolio in naming.PORTFOLIOS)),
            why="the files of a delivery: their keys hold an id that is made when the extraction begins",
        )
        allow(
            role,
            "s3:GetObject",
            on=self.objects("landing", naming.EXPORTS),
            why="exported files have the names that the exporting system gives them",
        )
        allow(
            role,
            "s3:GetObject",
            "s3:PutObject",
            on=self.objects("artifacts", naming.EXTRACTIONS),
            why="the state of extractions, by their names and the ids of their deliveries",
        )
        allow(
            role,
            "s3:GetObject",
            *UPLOAD,
            "s3:DeleteObject",
            on=self.objects("artifacts", "glue-temporary/"),
            why="Glue's temporary objects",
        )
        for database in self._compiled:
            allow(role, "s3:GetObject", on=[f"arn:aws:s3:::{artifacts}/wheels/{database.wheels}"])
        for asset in (self.script, self.libraries, self.drivers):
            allow(role, "s3:GetObject", on=[f"arn:aws:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"])
        use_key(role, lake.key, write=True)
        for database in self.config.extraction.databases:
            self._may_read(role, database)
        allow_logs(role, self)
        return role

    def _may_read(self, role: iam.Role, database: Database) -> None:
        if database.secret:
            allow(role, "secretsmanager:GetSecretValue", on=[database.secret])
        else:
            allow(
                role,
                "secretsmanager:GetSecretValue",
                on=[self.arn("secretsmanager", f"secret:{self._secret(database)}-??????")],
                why="Secrets Manager ends the ARN of a secret with six characters of its own",
            )
        if database.secret_key:
            allow(role, "kms:Decrypt", on=[database.secret_key])
