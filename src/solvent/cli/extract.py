"""`solvent extract`: start the job that reads a database, and follow it by the state that it keeps in the lake."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from solvent import naming
from solvent.client import PlatformError
from solvent.extraction import definition
from solvent.target import Target

ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")


@dataclass(frozen=True)
class Extracted:
    """A finished extraction. `manifest` is None when nothing has changed; `rows` by source."""

    mode: str
    manifest: str | None
    rows: dict[str, int]
    seconds: float


class Extraction:
    """One extraction of one deployed environment."""

    def __init__(self, target: Target, name: str) -> None:
        """Raises InvalidExtraction for a name that nobody has defined."""
        self.definition = definition.load(name)
        self._target, self._name = target, name

    def run(
        self,
        *,
        source: str | None = None,
        full: bool = False,
        as_of: str | None = None,
        heard: Callable[[dict[str, int]], None] = lambda _: None,
        timeout: float = 24 * 3600,
    ) -> Extracted:
        """Start the job and follow it; `heard` is told {source: rows so far}. Raises PlatformError with the cause."""
        if source:
            self.definition.source(source)
        glue, job = self._target.client("glue"), self._target.names.extract_job
        begun, pause = time.monotonic(), 0.3
        arguments = {
            "--extraction": self._name,
            "--source": source or "all",
            "--full": "true" if full else "false",
            "--as_of": as_of or "today",
        }
        try:
            run = glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"]
        except glue.exceptions.EntityNotFoundException as error:
            raise PlatformError(f"There is no job {job}: deploy the platform first.") from error
        except glue.exceptions.ConcurrentRunsExceededException as error:
            raise PlatformError(f"{job} works for others now (extraction.concurrent_runs). Try again later.") from error
        before = self._state()
        while True:
            found = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
            state = self._state()
            if state and state != before:
                heard(_rows(state))
            if found["JobRunState"] in ENDED:
                break
            if time.monotonic() - begun > timeout:
                raise PlatformError(f"{job} {run} still runs after {timeout:.0f} s. It goes on by itself.")
            time.sleep(pause)
            pause = min(pause * 1.1, 5 if self._target.endpoint_url is None else 0.5)
        if found["JobRunState"] != "SUCCEEDED":
            raise PlatformError(f"{self._name} {found['JobRunState']}: {found.get('ErrorMessage', 'no message')}")
        assert state is not None, "a job that succeeded has left its state"
        return self._extracted(state, time.monotonic() - begun)

    def _extracted(self, state: dict[str, Any], seconds: float) -> Extracted:
        rows = _rows(state)
        landed = any(source["chunks"] for source in state["sources"].values())
        key = naming.manifest_key(self.definition.portfolio, state["delivery_id"])
        manifest = f"s3://{self._target.bucket('landing')}/{key}" if landed else None
        return Extracted(state["mode"], manifest, rows, seconds)

    def _state(self) -> dict[str, Any] | None:
        key = naming.extraction_key(self._name, "state.json")
        try:
            answer = self._target.client("s3").get_object(Bucket=self._target.bucket("artifacts"), Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found


def _rows(state: dict[str, Any]) -> dict[str, int]:
    return {name: sum(c["rows"] for c in source["chunks"]) for name, source in sorted(state["sources"].items())}
