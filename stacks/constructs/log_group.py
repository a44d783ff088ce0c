"""Log groups: a name, a retention and the platform's key, always."""

from typing import cast

from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from stacks.constructs.base import SolventStack


class LogGroup(logs.LogGroup):
    """An encrypted log group whose events expire after the configured number of days."""

    def __init__(self, scope: SolventStack, construct_id: str, *, name: str, key: kms.IKey) -> None:
        super().__init__(
            scope, construct_id, log_group_name=name, encryption_key=key, removal_policy=scope.removal_policy
        )
        # CDK names retentions (ONE_WEEK), AWS counts days, and so does the configuration.
        cast(logs.CfnLogGroup, self.node.default_child).retention_in_days = scope.config.log_retention_days
