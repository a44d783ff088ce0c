"""A model that waits for a person: the portfolio stays free, and nothing older replaces what went live meanwhile.

`dev` approves by itself, so its machine `train` is told to register packages as `prod` does.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from solvent import datasets
from solvent.client import Platform

pytestmark = pytest.mark.embedded


@pytest.fixture
def live(platform: Platform, tmp_path: Path) -> str:
    """The model that is live before anything waits."""
    done = platform.run("pipeline", {"manifest": delivered(platform, tmp_path, without=0)}, timeout=240)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    return str(platform.champion()["model"])


@pytest.fixture
def persons_approve(platform: Platform, live: str) -> Iterator[None]:
    states, arn = platform.target.client("stepfunctions"), platform.machine_arn("train")
    before = states.describe_state_machine(stateMachineArn=arn)["definition"]
    changed = json.loads(before)
    changed["States"]["RegisterModel"]["Parameters"]["ModelApprovalStatus"] = "PendingManualApproval"
    changed["States"]["WaitApproval"]["Seconds"] = 1
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(changed))
    yield
    states.update_state_machine(stateMachineArn=arn, definition=before)


def delivered(platform: Platform, folder: Path, without: int) -> str:
    """A delivery that lacks its last events: another run, whose model is as good and so passes the gates."""
    target = folder / str(without)
    target.mkdir()
    datasets.write("synthetic", target, size=400, seed=2)
    events = target / "application_event.csv"
    lines = events.read_text().splitlines(keepends=True)
    events.write_text("".join(lines[: len(lines) - without]))
    return platform.load(target)


def start(platform: Platform, phase: str, request: dict[str, Any]) -> str:
    states = platform.target.client("stepfunctions")
    given = {"stateMachineArn": platform.machine_arn(phase), "input": json.dumps(request)}
    return str(states.start_execution(**given)["executionArn"])


def item(platform: Platform, key: str) -> dict[str, Any]:
    table = platform.target.session.resource("dynamodb", endpoint_url=platform.target.endpoint_url)
    found = table.Table(platform.names.runs_table).get_item(Key={"pk": key}, ConsistentRead=True)
    return dict(found.get("Item", {}))


def waiting(platform: Platform, execution: str, manifest: str) -> dict[str, Any]:
    """The ledger's item of the pipeline's `train`, once it waits for a person."""

    def found() -> dict[str, Any] | None:
        latest = item(platform, "latest#lending")
        if latest.get("manifest") != manifest:
            return None
        run = item(platform, f"run#train#lending#{latest['run_id']}")
        return run if run.get("status") == "awaiting_approval" else None

    return until(found, lambda: ended(platform, execution))


def ended(platform: Platform, execution: str) -> dict[str, Any] | None:
    found = platform.target.client("stepfunctions").describe_execution(executionArn=execution)
    return found if found["status"] != "RUNNING" else None


def until(found: Callable[[], Any], stop: Callable[[], Any] = lambda: None, seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert not (over := stop()), f"it ended first: {over}"
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return answer


def decide(platform: Platform, package: str, status: str) -> None:
    platform.target.client("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)


def test_a_model_that_waits_for_a_person_keeps_nobody_out(
    platform: Platform, live: str, persons_approve: None, tmp_path: Path
) -> None:
    begun = []
    for events in (1, 2):
        manifest = delivered(platform, tmp_path, without=events)
        execution = start(platform, "pipeline", {"manifest": manifest})
        begun.append((manifest, execution, waiting(platform, execution, manifest)["model_package"]))
    (_, older, old_package), (manifest, newer, new_package) = begun
    # A manifest's arrival starts `ingest`, too: it may have the lock for a moment.
    until(lambda: item(platform, "lock#lending") == {})

    score = platform.run("score", {"portfolio": "lending"}, timeout=120)
    assert score.status == "SUCCEEDED", score.cause
    assert item(platform, f"run#score#lending#{score.output['run_id']}#{live}")["status"] == "completed"

    twice = platform.run("pipeline", {"manifest": manifest}, timeout=60)
    assert (twice.status, twice.error) == ("FAILED", "RunUnderWay")
    assert platform.champion()["model"] == live

    decide(platform, new_package, "Approved")
    done = until(lambda: ended(platform, newer))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    champion = platform.champion()
    assert new_package.endswith(f"/{champion['version']}")
    run_id = json.loads(done["output"])["run_id"]
    assert item(platform, f"run#score#lending#{run_id}#{champion['model']}")["status"] == "completed"

    decide(platform, old_package, "Approved")
    late = until(lambda: ended(platform, older))
    assert late["status"] == "FAILED"
    assert f"version {champion['version']} went live" in late["cause"]
    assert platform.champion() == champion
    assert item(platform, "lock#lending") == {}
