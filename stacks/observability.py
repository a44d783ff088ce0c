"""Observability: alarms that tell the notifications topic, and one dashboard per environment."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from solvent import naming
from stacks.api import ApiStack
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.function import Function
from stacks.etl import EtlStack
from stacks.ingestion import IngestionStack
from stacks.orchestration import OrchestrationStack


class ObservabilityStack(SolventStack):
    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        ingestion: IngestionStack,
        etl: EtlStack,
        orchestration: OrchestrationStack,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, "Observability", config=config, description="alarms and dashboard")
        self._action = actions.SnsAction(orchestration.topic)
        functions = orchestration.functions
        self._machines()
        self._functions(
            [ingestion.ingest, functions.run_control, functions.warehouse_load, functions.model_gate, api.function]
        )
        self._queues([ingestion.dead_letters, etl.compaction.dead_letters, orchestration.dead_letters])
        self._stream()
        self._endpoints()
        self._dashboard()

    def _metric(
        self, namespace: str, name: str, dimensions: dict[str, str], *, statistic: str = "Sum", minutes: int = 5
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=Duration.minutes(minutes),
        )

    def _alarm(self, name: str, description: str, metric: cloudwatch.Metric, *, threshold: float = 1) -> None:
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in name.split("-")),
            alarm_name=self.names.named(name),
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)

    def _execution_metric(self, phase: str, name: str) -> cloudwatch.Metric:
        machine = self.arn("states", f"stateMachine:{self.names.state_machine(phase)}")
        return self._metric("AWS/States", name, {"StateMachineArn": machine})

    def _machines(self) -> None:
        for phase in naming.PHASES:
            self._alarm(
                f"{phase}-failed", f"An execution of {phase} failed", self._execution_metric(phase, "ExecutionsFailed")
            )
            self._alarm(
                f"{phase}-timed-out",
                f"An execution of {phase} timed out",
                self._execution_metric(phase, "ExecutionsTimedOut"),
            )

    def _functions(self, functions: Sequence[Function]) -> None:
        for function in functions:
            name = function.name
            metric = self._metric("AWS/Lambda", "Errors", {"FunctionName": self.names.named(name)})
            self._alarm(f"{name}-errors", f"Function {name} threw errors", metric)

    def _queues(self, queues: Sequence[sqs.Queue]) -> None:
        for name, queue in zip(("events-failed", "compact-failed", "triggers-failed"), queues, strict=True):
            metric = self._metric(
                "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.queue_name}, statistic="Maximum"
            )
            self._alarm(f"{name}-waiting", f"Something lies in the dead-letter queue {name}", metric)

    def _stream(self) -> None:
        metric = self._metric(
            "AWS/Lambda",
            "IteratorAge",
            {"FunctionName": self.names.named("stream-ingest")},
            statistic="Maximum",
        )
        half = self.config.stream.maximum_record_age_minutes * 60_000 / 2
        self._alarm(
            "stream-late", "Events wait for half of the time after which they are given up", metric, threshold=half
        )

    def _endpoints(self) -> None:
        for portfolio in naming.PORTFOLIOS:
            metric = self._endpoint_metric(portfolio, "Invocation5XXErrors")
            self._alarm(f"{portfolio}-endpoint-failing", f"The endpoint of {portfolio} answers with errors", metric)

    def _endpoint_metric(self, portfolio: str, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        dimensions = {"EndpointName": self.names.endpoint(portfolio), "VariantName": naming.CHAMPION}
        return self._metric("AWS/SageMaker", name, dimensions, statistic=statistic)

    def _dashboard(self) -> None:
        stream = {"StreamName": self.names.stream}
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.names.prefix)
        succeeded = [self._execution_metric(phase, "ExecutionsSucceeded") for phase in naming.PHASES]
        failed = [self._execution_metric(phase, "ExecutionsFailed") for phase in naming.PHASES]
        dashboard.add_widgets(
            cloudwatch.GraphWidget(title="Executions", left=succeeded, right=failed, width=12),
            cloudwatch.GraphWidget(
                title="Stream",
                left=[self._metric("AWS/Kinesis", "IncomingRecords", stream)],
                right=[
                    self._metric(
                        "AWS/Lambda",
                        "IteratorAge",
                        {"FunctionName": self.names.named("stream-ingest")},
                        statistic="Maximum",
                    )
                ],
                width=12,
            ),
        )
        for portfolio in naming.PORTFOLIOS:
            dashboard.add_widgets(
                cloudwatch.GraphWidget(
                    title=f"Endpoint {portfolio}",
                    left=[self._endpoint_metric(portfolio, "Invocations")],
                    right=[
                        self._endpoint_metric(portfolio, name)
                        for name in ("Invocation4XXErrors", "Invocation5XXErrors")
                    ],
                    width=12,
                ),
                cloudwatch.GraphWidget(
                    title=f"Latency {portfolio} (µs)",
                    left=[self._endpoint_metric(portfolio, "ModelLatency", statistic) for statistic in ("p50", "p95")],
                    width=12,
                ),
            )
