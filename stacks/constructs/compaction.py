"""The Glue job that compacts closed days of the stream, its role, and what starts it every night."""

from typing import TYPE_CHECKING

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_scheduler as scheduler

from solvent import naming
from stacks import bundling
from stacks.constructs.dead_letters import DeadLetterQueue
from stacks.constructs.dependencies import policy_of
from stacks.constructs.glue_logs import allow_logs, log_groups, prefix
from stacks.constructs.permissions import UPLOAD, allow, service_role, use_key
from stacks.lake import LakeStack

if TYPE_CHECKING:
    from stacks.etl import EtlStack

WHY = "objects of micro-batches and of compacted days: shard, sequence number and hash are in their keys"
# Scheduler calls the API itself: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
START = "arn:aws:scheduler:::aws-sdk:glue:startJobRun"


class Compaction:
    """Belongs to the stack of the Glue jobs, whose security configuration, connection and libraries it shares."""

    def __init__(self, scope: "EtlStack", *, lake: LakeStack) -> None:
        self._scope = scope
        self.script = assets.Asset(scope, "CompactScript", path=str(bundling.build().glue_job("compact")))
        log_groups(scope, job=scope.names.compact_job, security="glue", key=lake.key, construct_id="CompactLogs")
        self.role = self._role(lake)
        self.job = self._job()
        self.job.node.add_dependency(scope.security, policy_of(self.role))
        self.dead_letters = DeadLetterQueue(scope, "CompactDeadLetters", name="compact-failed", key=lake.key)
        self._start_nightly(lake)

    def _role(self, lake: LakeStack) -> iam.Role:
        scope = self._scope
        role = service_role(
            scope,
            "CompactRole",
            name="compact",
            service="glue.amazonaws.com",
            description="Glue job that compacts the stream",
        )
        allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{scope.bucket_name('raw')}"])
        allow(role, "s3:GetObject", "s3:DeleteObject", on=scope.objects("raw", naming.STREAM), why=WHY)
        allow(role, "s3:GetObject", *UPLOAD, on=scope.objects("raw", naming.COMPACTED), why=WHY)
        for asset in (self.script, scope.libraries):
            allow(role, "s3:GetObject", on=[f"arn:aws:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"])
        use_key(role, lake.key, write=True)
        allow_logs(role, scope)
        if scope.connection:
            scope.connection.let(role)
        return role

    def _job(self) -> glue.CfnJob:
        scope = self._scope
        etl = scope.config.etl
        return glue.CfnJob(
            scope,
            "CompactJob",
            name=scope.names.compact_job,
            description="Closed days of the stream: many small objects become one Parquet object",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=self.script.s3_object_url
            ),
            glue_version=etl.glue_version,
            worker_type="G.1X",
            number_of_workers=2,  # the least that Glue starts; one of them does the work
            timeout=etl.timeout_minutes,
            max_retries=0,  # the next night does what this one did not
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            security_configuration=scope.names.named("glue"),
            connections=scope.placement,
            default_arguments={
                "--extra-py-files": scope.libraries.s3_object_url,
                "--job-language": "python",
                "--job-bookmark-option": "job-bookmark-disable",
                "--enable-metrics": "true",
                "--custom-logGroup-prefix": prefix(scope),
                "--raw_bucket": scope.bucket_name("raw"),
            },
        )

    def _start_nightly(self, lake: LakeStack) -> None:
        scope, stream = self._scope, self._scope.config.stream
        role = service_role(
            scope,
            "CompactScheduleRole",
            name="compact-nightly",
            service="scheduler.amazonaws.com",
            description="Starts the compaction",
        )
        allow(role, "glue:StartJobRun", on=[scope.arn("glue", f"job/{scope.names.compact_job}")])
        allow(role, "sqs:SendMessage", on=[self.dead_letters.queue_arn])
        allow(role, "kms:Decrypt", "kms:GenerateDataKey", on=[lake.key.key_arn])
        schedule = scheduler.CfnSchedule(
            scope,
            "CompactNightly",
            name=scope.names.named("compact"),
            description="Compacts the closed days of the stream",
            schedule_expression=stream.compaction_schedule,
            schedule_expression_timezone="UTC",  # the days of the stream are
            state="ENABLED" if stream.compaction_enabled else "DISABLED",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=lake.key.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=START,
                role_arn=role.role_arn,
                input=f'{{"JobName":"{scope.names.compact_job}"}}',
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
        schedule.node.add_dependency(policy_of(role), self.job)
