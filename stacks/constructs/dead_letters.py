"""Dead-letter queues: encrypted, TLS only, kept for the longest time SQS allows."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from stacks.constructs.base import SolventStack
from stacks.constructs.permissions import acknowledge


class DeadLetterQueue(sqs.Queue):
    """`solvent-<environment>-<name>`: what no retry could deliver, for 14 days."""

    def __init__(self, scope: SolventStack, construct_id: str, *, name: str, key: kms.IKey) -> None:
        super().__init__(
            scope,
            construct_id,
            queue_name=scope.names.named(name),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=scope.removal_policy,
        )
        for rule in ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"):
            acknowledge(self, rule, "it is itself a dead-letter queue")
