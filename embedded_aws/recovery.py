"""What ran when the embedded AWS ended, however it ended: it is marked as failed, and `lifecycle.up` says so.

AWS does not end, so there is no AWS behaviour to keep. Training and transform jobs and statements of the Data API are
marked by their own services.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded_aws import adapter

FILE = "interrupted.json"  # in the home: what was interrupted, for `lifecycle.up`
WHY = "The embedded AWS ended while this ran; start it again."
_STACKS = {"CREATE": "ROLLBACK_FAILED", "DELETE": "DELETE_FAILED"}  # an update is UPDATE_FAILED: deploy or roll back


def install(home: Path) -> None:
    """After the state of the last time is read: mark what ran, and leave word of it in the home."""

    def load(inner: Any) -> None:
        inner()
        found = [*_executions(), *_job_runs(), *_stacks()]
        (home / FILE).write_text(json.dumps(found))

    adapter.LOAD_STATE.wrap(load)


def _executions() -> Iterator[str]:
    """Executions, which ministack marks with an error of its own while it reads them."""
    for execution in adapter.SFN_EXECUTIONS.get().all_values():
        if execution.get("error") == "States.ServiceRestart" and execution["cause"] != WHY:
            execution["cause"] = WHY
            yield f"execution {execution['executionArn'].split(':', 6)[-1]}"


def _job_runs() -> Iterator[str]:
    for runs in adapter.GLUE_RUNS.get().all_values():
        for run in runs:
            if run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING"):
                run.update(JobRunState="FAILED", ErrorMessage=WHY)
                yield f"Glue job run {run['JobName']}"


def _stacks() -> Iterator[str]:
    for stack in adapter.STACKS.get().all_values():
        change, _, progress = stack["StackStatus"].partition("_")
        if progress.endswith("IN_PROGRESS") and change != "REVIEW":
            stack.update(StackStatus=_STACKS.get(change, "UPDATE_FAILED"), StackStatusReason=WHY)
            yield f"stack {stack['StackName']}"
