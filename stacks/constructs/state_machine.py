"""A state machine: its definition as data, its role written out, logs of everything but the data, and traces."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn

from stacks.constructs.base import SolventStack
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import acknowledge, service_role


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
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            removal_policy=scope.removal_policy,
        )
        self.own_role = role
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", WHY_ALL_RESOURCES)


WHY_ALL_RESOURCES = (
    "X-Ray and the log delivery API know no resources; nor do redshift-data:DescribeStatement (a statement has no ARN) "
    "and sagemaker:ListTags, which Step Functions calls before its jobs exist"
)
