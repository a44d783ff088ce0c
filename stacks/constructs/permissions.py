"""Permissions, written out one statement at a time: what a role may do, on what, and why any wildcard is there."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Acknowledgment, Aws, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from stacks.constructs.base import SolventStack

UPLOAD = ("s3:PutObject", "s3:AbortMultipartUpload")  # of who writes large objects: what fails half-way costs money
OBJECTS = "one run's objects: their keys hold a run id that is unknown at deploy time"


def service_role(
    scope: SolventStack, construct_id: str, *, name: str, service: str, description: str, guarded: bool = True
) -> iam.Role:
    """A role that one AWS service assumes, for resources of this account only (confused-deputy protection)."""
    conditions = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}} if guarded else None
    return iam.Role(
        scope,
        construct_id,
        role_name=scope.names.named(name),
        description=description,
        assumed_by=iam.ServicePrincipal(service, conditions=conditions),
    )


def allow(
    role: iam.Role,
    *actions: str,
    on: Sequence[str],
    why: str | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Let a role call `actions` on the ARNs `on`. A wildcard needs `why`: it acknowledges cdk-nag's finding."""
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(on), conditions=dict(conditions or {}))
    )
    for resource in on:
        if "*" in (shown := _as_nag_shows_it(role, resource)):
            if why is None:
                raise ValueError(f"{role.node.path}: {shown} is a wildcard, say why")
            acknowledge(role, f"AwsSolutions-IAM5[Resource::{shown}]", why)


def use_key(role: iam.Role, key: kms.IKey, *, write: bool = False) -> None:
    """Read (and write) what is encrypted with the platform's key."""
    allow(role, "kms:Decrypt", *(["kms:GenerateDataKey"] if write else []), on=[key.key_arn])


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding on one resource, with its reason."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def _as_nag_shows_it(scope: IConstruct, value: str) -> str:
    """The text in which cdk-nag names a resource: references in angle brackets."""
    return _flat(Stack.of(scope).resolve(value))


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(map(_flat, parts))
    return str(value)
