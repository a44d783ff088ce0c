"""A state machine: definition as data, its role written out, our key, logs of everything but the data, and traces."""

import json
from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn

from stacks.constructs.base import SolventStack
from stacks.constructs.dependencies import wait_only_for_policy
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import allow, service_role


class StateMachine(sfn.StateMachine):
    """`solvent-<environment>-<phase>`, Standard."""

    own_role: iam.Role

    def __init__(self, scope: SolventStack, phase: str, *, definition: Mapping[str, Any], key: kms.IKey) -> None:
        name = scope.names.state_machine(phase)
        role = service_role(
            scope,
            f"{phase.capitalize()}Role",
            name=phase,
            service="states.amazonaws.com",
            description=f"State machine {name}",
        )
        group = LogGroup(scope, f"{phase.capitalize()}Logs", name=f"/aws/vendedlogs/states/{name}", key=key)
        super().__init__(
            scope,
            phase.capitalize(),
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            # Not CDK's chain of states: on its way through jsii a `ResultPath: null` would be lost.
            definition_body=sfn.DefinitionBody.from_string(json.dumps(definition)),
            role=role.without_policy_updates(),  # CDK adds nothing to it: every statement is written out
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            removal_policy=scope.removal_policy,
        )
        self.own_role = role
        self._encrypt(scope, name, key)
        _report(role)
        wait_only_for_policy(self, role)

    def _encrypt(self, scope: SolventStack, name: str, key: kms.IKey) -> None:
        """Definition and execution history, which hold what states pass on, under our key.

        Not CDK's `encryption_configuration`: it would open the key to the delivery of logs without any condition.
        https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
        """
        resource = cast(sfn.CfnStateMachine, self.node.default_child)
        resource.encryption_configuration = sfn.CfnStateMachine.EncryptionConfigurationProperty(
            type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key.key_arn
        )
        own = {"kms:EncryptionContext:aws:states:stateMachineArn": scope.arn("states", f"stateMachine:{name}")}
        allow(
            self.own_role,
            "kms:Decrypt",
            "kms:GenerateDataKey",
            on=[key.key_arn],
            conditions={"StringEquals": own},
        )
        # The lines on their way to the log group are encrypted, too; the lake's key lets their delivery decrypt them.
        delivery = {"kms:EncryptionContext:SourceArn": scope.arn("logs", "*")}
        allow(self.own_role, "kms:GenerateDataKey", on=[key.key_arn], conditions={"StringEquals": delivery})


def _report(role: iam.Role) -> None:
    """Logs and traces: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html."""
    allow(
        role,
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        on=["*"],
        why="the log delivery API knows no resources; Step Functions sets the delivery of its logs up as this role",
    )
    allow(
        role,
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
        on=["*"],
        why="X-Ray's actions know no resources",
    )
