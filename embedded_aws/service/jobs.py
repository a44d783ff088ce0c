"""What a job's process gets: its environment, and a log stream for what it prints."""

import contextlib
import os
import time
from pathlib import Path

from embedded_aws import adapter
from embedded_aws.service.credentials import authorize, operator_client, role_credentials
from embedded_aws.service.errors import ApiError
from embedded_aws.service.place import arn, region, url

_SANDBOX = Path(__file__).parents[1] / "sandbox"
# Settings of the embedded AWS itself are no business of a job.
_NOT_INHERITED = (
    "AWS_",
    "MINISTACK",
    "PYTHONPATH",
    "GATEWAY_PORT",
    "SOLVENT_",
    "STATE_DIR",
    "S3_",
    "AUTH",
    "BIND_HOST",
)


def child_env(role_arn: str | None, session: str, **extra: object) -> dict[str, str]:
    """The environment of a job's process: endpoint, region and credentials of its role.

    Without a role the job is isolated: no endpoint, no credentials, every connection refused (see `sandbox/`). With
    one it reaches the embedded AWS and nothing else. Nothing of the operator's own AWS configuration reaches the
    child. A PYTHONPATH among `extra` is kept, behind the sandbox.
    """
    keep = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
    network = {"AWS_ENDPOINT_URL": url(), **role_credentials(role_arn, session)} if role_arn else {}
    extra["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_SANDBOX), str(extra.get("PYTHONPATH", ""))]))
    return {
        **keep,
        **network,
        "AWS_REGION": region(),
        "AWS_DEFAULT_REGION": region(),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
        "SOLVENT_NETWORK": "loopback" if role_arn else "none",
        "SOLVENT_PARENT": str(os.getpid()),  # the job ends with this process, however that ends
        **{k: str(v) for k, v in extra.items()},
    }


def may_log(role_arn: str, group: str, stream: str) -> bool:
    """Whether a role may write to a log stream, and make what is not there yet.

    Where it may not, AWS loses the lines without a word.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    there = adapter.LOG_GROUPS.get().get(group)
    resource = arn("logs", f"log-group:{group}:log-stream:{stream}")
    wanted = ["logs:PutLogEvents"]
    if there is None or stream not in there["streams"]:
        wanted.insert(0, "logs:CreateLogStream")
    if there is None:
        wanted.insert(0, "logs:CreateLogGroup")
    try:
        for action in wanted:
            authorize(role_arn, action, resource)
    except ApiError:
        return False
    return True


def log_lines(group: str, stream: str, text: str, role: str) -> None:
    """Append text to a CloudWatch log stream with a job's role, creating group and stream; only the last 1,000 lines
    are kept. Lost where the role may not write them.
    """
    if not may_log(role, group, stream):
        return
    logs = operator_client("logs")
    for create, names in (
        (logs.create_log_group, {"logGroupName": group}),
        (logs.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
    ):
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            create(**names)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in text.splitlines() if line.strip()][-1000:]
    if events:
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
