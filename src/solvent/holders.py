"""Who holds a portfolio's lock, and whether they are still at work: state machine executions, the job `erase`, and
`solvent rollback`, which nobody can ask: it holds for a while only."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

_JOB_AT_WORK = ("STARTING", "RUNNING", "STOPPING", "WAITING")


def job_run(job: str, run_id: str) -> str:
    """The owner's name of a Glue job run."""
    return f"glue:{job}:{run_id}"


def rollback(minutes: float) -> str:
    """The owner's name of one `solvent rollback`, which ends with the moment until which it holds."""
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    return f"rollback:{uuid.uuid4().hex[:8]}:{until.isoformat(timespec='seconds')}"


class Holders:
    """`states` and `glue` are boto3 clients."""

    def __init__(self, states: Any, glue: Any) -> None:
        self._states, self._glue = states, glue

    def alive(self, owner: str) -> bool:
        """Whether an execution, a job run or a rollback may still be at work."""
        if owner.startswith("rollback:"):
            return datetime.now(UTC) < datetime.fromisoformat(owner.split(":", 2)[2])
        if owner.startswith("glue:"):
            _, job, run_id = owner.split(":", 2)
            return self._job_alive(job, run_id)
        try:
            status = self._states.describe_execution(executionArn=owner)["status"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ExecutionDoesNotExist", "InvalidArn"):
                return False
            raise
        return status in ("RUNNING", "PENDING_REDRIVE")

    def _job_alive(self, job: str, run_id: str) -> bool:
        try:
            status = self._glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]["JobRunState"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return False
            raise
        return status in _JOB_AT_WORK
