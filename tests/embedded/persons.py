"""Those who decide on prod's model packages, and who are told of what fails; and the patience of a test."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solvent import datasets
from solvent.client import Platform

PHASES = ("ingest", "train", "score", "pipeline")


def wait(found: Callable[[], Any], timeout: float = 10, *, unless: Callable[[], Any] = lambda: None) -> Any:
    """The first true answer of `found`; fails the test after `timeout` seconds, or at a true answer of `unless`."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        assert not (over := unless()), f"it ended first: {over}"
        time.sleep(0.05)
    raise AssertionError(f"nothing within {timeout} s")


def hurry(platform: Platform) -> None:
    """An environment's machines as they are, but that they pause for a second where they pause."""
    states = platform.target.client("stepfunctions")
    for arn in map(platform.machine_arn, PHASES):
        definition = json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"])
        for state in definition["States"].values():
            if state["Type"] == "Wait":
                state["Seconds"] = 1
            for retry in state.get("Retry", []):
                retry["IntervalSeconds"] = 1
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


def begin(platform: Platform, phase: str, request: dict[str, Any]) -> str:
    """The ARN of a new execution."""
    states = platform.target.client("stepfunctions")
    arn = platform.machine_arn(phase)
    return str(states.start_execution(stateMachineArn=arn, input=json.dumps(request))["executionArn"])


def ended(platform: Platform, execution: str) -> dict[str, Any] | None:
    """DescribeExecution, once it is over."""
    found = platform.target.client("stepfunctions").describe_execution(executionArn=execution)
    return dict(found) if found["status"] != "RUNNING" else None


def item(platform: Platform, key: str) -> dict[str, Any]:
    """An item of the ledger, {} where there is none."""
    table = platform.target.session.resource("dynamodb", endpoint_url=platform.target.endpoint_url)
    found = table.Table(platform.names.runs_table).get_item(Key={"pk": key}, ConsistentRead=True)
    return dict(found.get("Item", {}))


class Persons:
    """Who may decide on an environment's model packages. `sagemaker` is a client that may do that and nothing else."""

    def __init__(self, platform: Platform, sagemaker: Any) -> None:
        self._platform, self._sagemaker = platform, sagemaker

    def asked(self, folder: Path, *, without: int = 0) -> tuple[str, str, str]:
        """(execution, manifest, package) of a pipeline whose model waits.

        The delivery lacks its last events: another run, whose model is as good and so passes the gates.
        """
        target = folder / str(without)
        target.mkdir()
        datasets.write("synthetic", target, size=400, seed=2)
        events = target / "application_event.csv"
        lines = events.read_text().splitlines(keepends=True)
        events.write_text("".join(lines[: len(lines) - without]))
        manifest = self._platform.load(target)
        execution = begin(self._platform, "pipeline", {"manifest": manifest})

        def found() -> str | None:
            latest = item(self._platform, "latest#lending")
            mine = latest.get("manifest") == manifest
            return self.awaited(f"train#lending#{latest['run_id']}") if mine else None

        return execution, manifest, wait(found, 240, unless=lambda: ended(self._platform, execution))

    def awaited(self, run: str) -> str | None:
        """The package that a run waits for, by the ledger."""
        found = item(self._platform, f"run#{run}")
        return str(found["model_package"]) if found.get("status") == "awaiting_approval" else None

    def decide(self, package: str, status: str) -> None:
        """What docs/reference.md has people do: `aws sagemaker update-model-package`."""
        self._sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)
