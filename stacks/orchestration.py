"""Orchestration: the four state machines, the functions and the ledger behind them, and what starts them."""

from aws_cdk import Aws
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from solvent import naming
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.dead_letters import DeadLetterQueue
from stacks.constructs.dependencies import policy_of
from stacks.constructs.images import image_uri
from stacks.constructs.permissions import allow, service_role
from stacks.constructs.run_functions import RunFunctions
from stacks.constructs.state_machine import StateMachine
from stacks.lake import LakeStack
from stacks.network import NetworkStack
from stacks.serving import ServingStack
from stacks.state_machines import ingest, pipeline, score, train
from stacks.state_machines.parts import Parts
from stacks.state_machines.permissions import grant
from stacks.training import TrainingStack
from stacks.warehouse import WarehouseStack

DEFINITIONS = {
    "ingest": ingest.definition,
    "train": train.definition,
    "score": score.definition,
    "pipeline": pipeline.definition,
}


class OrchestrationStack(SolventStack):
    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        lake: LakeStack,
        network: NetworkStack,
        warehouse: WarehouseStack,
        training: TrainingStack,
        serving: ServingStack,
    ) -> None:
        super().__init__(scope, "Orchestration", config=config, description="state machines, ledger of runs, triggers")
        self._lake = lake
        self.topic = self._topic()
        self.runs = self._ledger()
        self.functions = RunFunctions(
            self, lake=lake, network=network, warehouse=warehouse, training=training, runs=self.runs
        )
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", name="triggers-failed", key=lake.key)
        parts = self._parts(network, training, serving)
        self.machines = {phase: self._machine(phase, parts) for phase in naming.PHASES}
        self._start_on_delivery()
        self._start_nightly()

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Notifications",
            topic_name=self.names.named("notifications"),
            display_name=f"Solvent {self.config.environment}",
            master_key=self._lake.key,
            enforce_ssl=True,
        )
        # `enforce_ssl` writes a topic policy, which replaces the one that SNS gives a topic. Roles of this account are
        # allowed by their own policies; alarms have none, so the topic has to let them in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if self.config.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self.config.alarm_email))
        return topic

    def _ledger(self) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Runs",
            table_name=self.names.runs_table,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._lake.key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=not self.config.removable,
            removal_policy=self.removal_policy,
        )

    def _parts(self, network: NetworkStack, training: TrainingStack, serving: ServingStack) -> Parts:
        source = training.source
        return Parts(
            config=self.config,
            run_control=self.functions.run_control.function_arn,
            warehouse_load=self.functions.warehouse_load.function_arn,
            model_gate=self.functions.model_gate.function_arn,
            experiment_log=self.functions.experiment_log.function_arn,
            topic=self.topic.topic_arn,
            key=self._lake.key.key_arn,
            image=image_uri(self.config.region),
            training_role=training.role.role_arn,
            autopilot_role=training.autopilot_role.role_arn if training.autopilot_role else None,
            model_role=serving.role.role_arn,
            training_source=source.s3_object_url,
            training_source_key=source.s3_object_key,
            training_packages=training.packages.s3_object_url,
            artifacts_bucket=self.bucket_name("artifacts"),
            machines={
                phase: self.arn("states", f"stateMachine:{self.names.state_machine(phase)}") for phase in naming.PHASES
            },
            vpc=network.job_placement,
        )

    def _machine(self, phase: str, parts: Parts) -> StateMachine:
        machine = StateMachine(self, phase, definition=DEFINITIONS[phase](parts), key=self._lake.key)
        grant(phase, machine.own_role, self, parts)
        return machine

    def _start_on_delivery(self) -> None:
        """A manifest is a delivery's last object: its arrival starts `ingest`, once per delivery."""
        bucket, key = (
            events.EventField.from_path("$.detail.bucket.name"),
            events.EventField.from_path("$.detail.object.key"),
        )
        rule = events.Rule(
            self,
            "DeliveryArrived",
            rule_name=self.names.named("delivery-arrived"),
            description="A delivery's manifest has landed: start ingest",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self.bucket_name("landing")]},
                    "object": {"key": [{"suffix": "/manifest.json"}]},
                },
            ),
        )
        role = service_role(
            self, "DeliveryRole", name="delivery-arrived", service="events.amazonaws.com", description="Starts ingest"
        )
        allow(role, "states:StartExecution", on=[self.machines["ingest"].state_machine_arn])
        rule.add_target(
            targets.SfnStateMachine(
                self.machines["ingest"],
                input=events.RuleTargetInput.from_object({"manifest": f"s3://{bucket}/{key}"}),
                dead_letter_queue=self.dead_letters,
                role=role,
            )
        )

    def _start_nightly(self) -> None:
        orchestration = self.config.orchestration
        role = service_role(
            self, "ScheduleRole", name="nightly", service="scheduler.amazonaws.com", description="Starts score"
        )
        allow(role, "states:StartExecution", on=[self.machines["score"].state_machine_arn])
        allow(role, "sqs:SendMessage", on=[self.dead_letters.queue_arn])
        allow(role, "kms:Decrypt", "kms:GenerateDataKey", on=[self._lake.key.key_arn])
        for portfolio in naming.PORTFOLIOS:
            schedule = scheduler.CfnSchedule(
                self,
                f"Nightly{portfolio.capitalize()}",
                name=self.names.named(f"score-{portfolio}"),
                description=f"Scores all open loans of {portfolio}",
                schedule_expression=orchestration.score_schedule,
                schedule_expression_timezone=orchestration.schedule_time_zone,
                state="ENABLED" if orchestration.schedule_enabled else "DISABLED",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                kms_key_arn=self._lake.key.key_arn,
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=self.machines["score"].state_machine_arn,
                    role_arn=role.role_arn,
                    input=f'{{"portfolio":"{portfolio}"}}',
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                    ),
                ),
            )
            schedule.node.add_dependency(policy_of(role))
