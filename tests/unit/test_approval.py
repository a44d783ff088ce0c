"""While a package waits for a person the portfolio is free, and nothing older replaces what went live meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from test_runs import NAMES, PIPELINE, World

from solvent.approval import Approval, NewerChampion
from solvent.champion import UnknownVersion
from solvent.ledger import PortfolioBusy
from solvent.runs import RunUnderWay

PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/solvent-dev-lending/3"


class Waiting(World):
    """A world in which `train` runs; with `root`, under a pipeline."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.approval = Approval(self.control.ledger, self.sagemaker)
        self.executions.statuses["c"] = "RUNNING"
        self.ingested()

    def paused(self, execution: str = "a", **request: Any) -> dict[str, Any]:
        run = self.begin("train", execution=execution, **request)
        assert self.approval.pause(run=run, package=PACKAGE) == {"released": True}
        return run

    def status(self, run: dict[str, Any]) -> Any:
        return self.control.ledger.run(f"train#lending#{run['run_id']}").get("status")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Waiting]:
    with mock_aws():
        yield Waiting(tmp_path)


def test_others_work_while_a_package_waits(world: Waiting) -> None:
    run = world.paused()
    assert (world.lock(), world.status(run)) == (None, "awaiting_approval")
    world.go_live("model-1")
    score = world.begin("score", execution="b")
    world.control.complete(run=score, result={})
    world.control = world.with_code("2")
    ingest = world.begin("ingest", execution="b")
    assert (ingest["completed"], world.lock()) == (False, "b")


def test_approved_it_waits_for_who_works_now_and_goes_on(world: Waiting) -> None:
    run = world.paused()
    world.go_live("model-1", version="2")
    score = world.begin("score", execution="b")
    with pytest.raises(PortfolioBusy, match="by b"):
        world.approval.resume(run=run, version=3)
    assert world.lock() == "b"
    world.control.complete(run=score, result={})
    assert world.approval.resume(run=run, version=3) == {"live_version": 2}
    assert (world.lock(), world.status(run)) == ("a", "running")
    world.control.complete(run=run, result={})
    assert (world.lock(), world.status(run)) == (None, "completed")


def test_under_a_pipeline_it_is_the_pipelines_lock(world: Waiting) -> None:
    pipeline = world.begin("pipeline", execution=PIPELINE)
    run = world.paused("b", root=PIPELINE)
    assert world.lock() is None
    assert world.approval.resume(run=run, version=3) == {"live_version": None}
    assert world.lock() == PIPELINE
    world.control.complete(run=run, result={})
    assert world.lock() == PIPELINE
    world.control.complete(run=pipeline, result={})
    assert world.lock() is None


def test_pausing_and_resuming_can_be_repeated(world: Waiting) -> None:
    run = world.paused()
    assert world.approval.pause(run=run, package=PACKAGE) == {"released": False}
    assert [world.approval.resume(run=run, version=3) for _ in range(2)] == [{"live_version": None}] * 2
    assert world.lock() == "a"


def test_pausing_again_leaves_the_lock_of_another_alone(world: Waiting) -> None:
    run = world.paused()
    world.go_live("model-1")
    world.begin("score", execution="b")
    world.approval.pause(run=run, package=PACKAGE)
    assert world.lock() == "b"


def test_an_older_package_does_not_replace_a_newer_champion(world: Waiting) -> None:
    run = world.paused()
    world.go_live("model-4", version="10")
    with pytest.raises(NewerChampion, match=r"Version 3 of .*version 10 went live.*stays.*`train` again"):
        world.approval.resume(run=run, version=3)
    world.control.fail(execution="a", error={"Error": "NewerChampion", "Cause": "x"}, run=run)
    assert (world.lock(), world.status(run)) == (None, "failed")
    assert world.begin("train", execution="b")["attempt"] == 2


def test_a_live_model_without_version_is_not_replaced(world: Waiting) -> None:
    run = world.paused()
    world.sagemaker.go_live(NAMES.endpoint("lending"), "somebodys")
    with pytest.raises(UnknownVersion, match="MODEL_VERSION"):
        world.approval.resume(run=run, version=3)


@pytest.mark.parametrize("phase", ["train", "pipeline"])
def test_a_run_that_waits_is_not_begun_a_second_time(world: Waiting, phase: str) -> None:
    if phase == "pipeline":
        world.begin("pipeline", execution=PIPELINE)
        run = world.paused("b", root=PIPELINE)
    else:
        run = world.paused()
    with pytest.raises(RunUnderWay, match=PACKAGE if phase == "train" else "goes on by itself"):
        world.begin(phase, execution="c")
    assert (world.lock(), world.status(run)) == (None, "awaiting_approval")


def test_another_run_trains_while_one_waits(world: Waiting) -> None:
    world.paused()
    world.control = world.with_code("2")
    world.control.complete(run=world.begin("ingest", execution="b"), result={})
    assert world.begin("train", execution="b")["attempt"] == 1
    assert world.lock() == "b"


def test_an_execution_that_was_stopped_while_it_waited_blocks_nobody(world: Waiting) -> None:
    run = world.paused()
    world.executions.statuses["a"] = "ABORTED"
    again = world.begin("train", execution="b")
    assert (again["attempt"], world.lock(), world.status(run)) == (2, "b", "running")


def test_a_rejected_package_fails_the_run_and_leaves_the_lock_of_another_alone(world: Waiting) -> None:
    run = world.paused()
    world.go_live("model-1")
    world.begin("score", execution="b")
    world.control.fail(execution="a", error={"Error": "ModelRejected", "Cause": "x"}, run=run)
    assert (world.lock(), world.status(run)) == ("b", "failed")
