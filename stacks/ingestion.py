"""Streaming ingestion: Kinesis -> Lambda -> raw zone.

What cannot be read goes to quarantine; what cannot be written after all retries leaves a message in a queue.
"""

from aws_cdk import Duration, Tags
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from solvent import naming
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.dead_letters import DeadLetterQueue
from stacks.constructs.dependencies import policy_of
from stacks.constructs.function import Function
from stacks.constructs.permissions import READ_STREAM, acknowledge, allow, use_key
from stacks.lake import LakeStack
from stacks.network import NetworkStack


class IngestionStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Ingestion", config=config, description="streaming ingestion into the raw zone")
        self.stream = kinesis.Stream(
            self,
            "Events",
            stream_name=self.names.stream,
            stream_mode=kinesis.StreamMode.PROVISIONED,
            shard_count=config.stream.shards,
            retention_period=Duration.hours(config.stream.retention_hours),
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=lake.key,
            removal_policy=self.removal_policy,
        )
        acknowledge(
            self.stream,
            "AwsSolutions-KDS3",
            "the rule prefers AWS's key, which is free; the platform's key has a policy of ours, and cheap requests",
        )
        if config.warehouse.streaming_view:
            self._say_where_records_are()
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", name="events-failed", key=lake.key)
        self.ingest = Function(
            self,
            "StreamIngest",
            name="stream-ingest",
            description="Validates events of the stream and writes them to the raw zone, or to quarantine",
            key=lake.key,
            network=network,
            no_dead_letters="Lambda polls the stream and waits: what no retry could write goes to the mapping's queue",
            timeout_seconds=60,
        )
        allow(
            self.ingest.own_role,
            "s3:PutObject",
            on=[*self.objects("raw", "stream/"), *self.objects("quarantine", "stream/")],
            why="objects of micro-batches, named by shard and sequence number",
        )
        use_key(self.ingest.own_role, lake.key, write=True)
        self._read_stream()

    def _say_where_records_are(self) -> None:
        """A tag. AWS's Redshift reads the stream; the embedded AWS answers the view from what the function stored."""
        [event] = naming.EVENTS
        Tags.of(self.stream).add("RecordsStoredAt", f"s3://{self.bucket_name('raw')}/{naming.stream_prefix(event)}")

    def _read_stream(self) -> None:
        stream, role = self.config.stream, self.ingest.own_role
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=self.ingest.function_name,
            event_source_arn=self.stream.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=stream.batch_size,
            maximum_batching_window_in_seconds=stream.batch_window_seconds,
            # The defaults retry a bad batch for ever and so block its shard.
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=stream.retry_attempts,
            maximum_record_age_in_seconds=stream.maximum_record_age_minutes * 60,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.dead_letters.queue_arn)
            ),
        )
        allow(role, *READ_STREAM, on=[self.stream.stream_arn])
        allow(role, "sqs:SendMessage", on=[self.dead_letters.queue_arn])
        mapping.node.add_dependency(policy_of(role))  # Lambda checks the role when the mapping is made
