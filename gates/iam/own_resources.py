"""The resources of a role's statements: each must be of this platform, by reference or by a name that it gives."""

import re
from typing import Any

from gates.assembly import ACCOUNT
from gates.iam.roles import Statement
from gates.ownership import MARKER, Platform

# Resources without a name of ours, because AWS names them or has one for the whole account and region.
NAMELESS = re.compile(
    r"ec2:(\*|network-interface|subnet|security-group)/\*"
    r"|glue:catalog"
    r"|application-autoscaling:scalable-target/\*"
    r"|iam:role/aws-service-role/.+"
    r"|logs:log-group:/aws/sagemaker/.+"
)


def stranger(resource: str, platform: Platform) -> bool:
    """Whether a resource is of another account or region, of no name of ours, or refers to nothing."""
    if resource == "*":  # judged as a wildcard
        return False
    if MARKER.fullmatch(resource):
        return resource not in platform.kinds
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[:2] != ["arn", "aws"]:
        return True
    _, _, service, region, account, name = parts
    if service == "s3":
        return not platform.is_bucket(name.partition("/")[0])
    if region not in (platform.region, "") or account not in (ACCOUNT, ""):
        return True
    if NAMELESS.fullmatch(f"{service}:{name}"):
        return False
    if markers := MARKER.findall(name):
        return not all(marker in platform.kinds for marker in markers)
    return not _named(name, platform)


def _named(name: str, platform: Platform) -> bool:
    """A part that begins as ours do; without a wildcard it must be a name that something of the platform has."""
    ours = [part for part in re.split(r"[/:!]", name) if part.startswith(platform.beginnings)]
    return bool(ours) and all(_known(part, platform) for part in ours)


def _known(part: str, platform: Platform) -> bool:
    fixed = re.split(r"[*?]", part)[0]
    begins = tuple(f"{beginning.removesuffix('-')}-" for beginning in platform.beginnings)
    return part in platform.names or (fixed != part and fixed.startswith(begins))


def lacking(statement: Statement, action: str, runs_statements: bool, region: str) -> str:
    """The condition that an action needs and the statement does not have, as words; empty when it has it.

    `runs_statements`: the role sends SQL itself, so what it asks for are its own statements.
    """
    allowed = required_conditions(region).get(action)
    if action in OF_ONE_S_OWN and not runs_statements:
        allowed = None  # a state machine asks for what its function sent: the owner is the function's session
    if allowed is None or dict(statement.conditions) in allowed:
        return ""
    return " or ".join(map(str, allowed))


OF_ONE_S_OWN = (
    "redshift-data:CancelStatement",
    "redshift-data:DescribeStatement",
    "redshift-data:GetStatementResult",
)


def required_conditions(region: str) -> dict[str, list[dict[str, dict[str, Any]]]]:
    """Action -> the conditions, one of which every statement with the action must have, word for word."""
    owner = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
    ledger = {"StringEquals": {"kms:ViaService": f"dynamodb.{region}.amazonaws.com"}}
    return {
        "cloudwatch:PutMetricData": [
            {"StringEquals": {"cloudwatch:namespace": "Glue"}},
            {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        ],
        "kms:CreateGrant": [{"Bool": {"kms:GrantIsForAWSResource": "true"}}],
        "ec2:CreateTags": [{"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}}],
        **{f"kms:{verb}": [ledger] for verb in ("Encrypt", "ReEncryptFrom", "ReEncryptTo")},
        **{action: [owner] for action in OF_ONE_S_OWN},
    }
