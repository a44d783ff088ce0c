"""Where Glue jobs log, and what their roles need for it."""

from aws_cdk import aws_iam as iam

from stacks.constructs.base import SolventStack
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import allow
from stacks.lake import LakeStack


def glue_logs(scope: SolventStack, lake: LakeStack, role: str, *, construct_id: str = "Logs") -> str:
    """Make the log groups of a job whose role is `solvent-<environment>-<role>`; returns the prefix for the job.

    Glue 5.x writes daemons and the Glue logger to `error`, the script's stdout and stderr to `output`. With a security
    configuration it puts that configuration's name and the role's between prefix and end:
    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
    """
    folder = f"{_prefix(scope)}/{scope.names.named('glue')}-role/{scope.names.named(role)}"
    for end in ("error", "output"):
        LogGroup(scope, f"{construct_id}{end.capitalize()}", name=f"{folder}/{end}", key=lake.key)
    return _prefix(scope)


def may_log(scope: SolventStack, role: iam.Role) -> None:
    """Let a job's role write its logs and metrics."""
    allow(
        role,
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        on=[scope.arn("logs", f"log-group:{_prefix(scope)}/*")],
        why="Glue names the streams, puts the names of security configuration and role into those of the groups",
    )
    allow(
        role,
        "cloudwatch:PutMetricData",
        on=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        why="PutMetricData knows no resources; the namespace is fixed by a condition",
    )


def _prefix(scope: SolventStack) -> str:
    return f"/{scope.names.prefix}/glue"
