"""Permissions, written out one statement at a time: what a role may do, on what, and why any wildcard is there.

The reason of a wildcard stands in the template itself: the statement has a Sid, and Metadata of the policy says why.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import Acknowledgment, Aws, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from stacks.constructs.base import SolventStack
from stacks.metadata import REASONS

UPLOAD = ("s3:PutObject", "s3:AbortMultipartUpload")  # of who writes large objects: what fails half-way costs money
OBJECTS = "one run's objects: their keys hold a run id that is unknown at deploy time"
# What a consumer of a Kinesis stream calls.
READ_STREAM = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)


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
    """Let a role call `actions` on the ARNs `on`. A wildcard needs `why`, and nothing else may have it.

    The reason goes into the template, and acknowledges cdk-nag's finding. A reason for `*` names the actions that AWS
    could limit to resources. Raises ValueError.
    """
    shown = [_as_nag_shows_it(role, resource) for resource in on]
    wildcards = [name for name in shown if "*" in name or "?" in name]
    if bool(wildcards) != bool(why):
        raise ValueError(f"{role.node.path}: {actions[0]} on {shown}: a wildcard has a reason, and only a wildcard")
    reasons = _reasons(role)
    sid = _sid(actions[0], reasons) if why else None
    role.add_to_principal_policy(
        iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(on), conditions=dict(conditions or {}))
    )
    if why and sid:
        _policy(role).add_metadata(REASONS, {**reasons, sid: why})
        for name in (name for name in wildcards if "*" in name):  # cdk-nag has nothing against `?`
            acknowledge(role, f"AwsSolutions-IAM5[Resource::{name}]", why)


def use_key(role: iam.Role, key: kms.IKey, *, write: bool = False) -> None:
    """Read (and write) what is encrypted with the platform's key."""
    allow(role, "kms:Decrypt", *(["kms:GenerateDataKey"] if write else []), on=[key.key_arn])


def _policy(role: iam.Role) -> CfnResource:
    return cast(CfnResource, role.node.find_child("DefaultPolicy").node.default_child)


def _reasons(role: iam.Role) -> dict[str, str]:
    """The reasons so far. A statement with a Sid is merged with no other."""
    known = role.node.try_find_child("DefaultPolicy") is not None
    return dict(_policy(role).get_metadata(REASONS) or {}) if known else {}


def _sid(action: str, taken: Mapping[str, str]) -> str:
    """A name that says what the statement is about: `S3PutObject`, and `S3PutObject2` for the next."""
    name = "".join(part[0].upper() + part[1:] for part in action.replace("-", ":").split(":"))
    count = sum(sid.rstrip("0123456789") == name.rstrip("0123456789") for sid in taken)
    return f"{name}{count + 1}" if count else name


def only_logs(scope: SolventStack, role: CfnResource) -> None:
    """Let the role of a function that CDK brings along log for its stack's functions; not AWS's policy for all."""
    groups = scope.arn("logs", f"log-group:/aws/lambda/{scope.stack_name}-*")
    why = "CloudFormation names the function, and Lambda its log group and streams, after the stack"
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    statement = {"Sid": "LogsCreateLogGroup", "Effect": "Allow", "Action": actions, "Resource": groups}
    policy = {"PolicyName": "Logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    role.add_property_deletion_override("ManagedPolicyArns")
    role.add_property_override("Policies", [policy])
    role.add_metadata(REASONS, {"LogsCreateLogGroup": why})
    acknowledge(role, f"AwsSolutions-IAM5[Resource::{_as_nag_shows_it(role, groups)}]", why)


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
