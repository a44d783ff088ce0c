"""The logs of a Glue job: where Glue writes them, and what its role needs to write there."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from stacks.constructs.base import SolventStack
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import allow


def log_groups(scope: SolventStack, *, job: str, security: str, key: kms.IKey, construct_id: str = "Logs") -> None:
    """Where Glue 5.x writes: daemons and the Glue logger to `error`, the script's stdout and stderr to `output`.

    With a security configuration Glue puts its name and the role's between prefix and end; role and job have the same
    name here: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
    """
    folder = f"{prefix(scope)}/{scope.names.named(security)}-role/{job}"
    for end in ("error", "output"):
        LogGroup(scope, f"{construct_id}{end.capitalize()}", name=f"{folder}/{end}", key=key)


def prefix(scope: SolventStack) -> str:
    """The job's argument `--custom-logGroup-prefix`."""
    return f"/{scope.names.prefix}/glue"


def allow_logs(role: iam.Role, scope: SolventStack) -> None:
    """Write logs and metrics."""
    allow(
        role,
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        on=[scope.arn("logs", f"log-group:{prefix(scope)}/*")],
        why="Glue names the streams, puts the names of security configuration and role into those of the groups",
    )
    allow(
        role,
        "cloudwatch:PutMetricData",
        on=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        why="PutMetricData knows no resources; the namespace is fixed by a condition",
    )
