"""Whether who holds a lock is still at work: executions, and the job that erases."""

from typing import Any

import pytest
from fakes import Executions, JobRuns, client_error

from solvent.holders import Holders, job_run


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        ("STARTING", True),
        ("RUNNING", True),
        ("STOPPING", True),
        ("SUCCEEDED", False),
        ("FAILED", False),
        ("TIMEOUT", False),
    ],
)
def test_a_job_run_holds_while_it_works(state: str, alive: bool) -> None:
    assert Holders(Executions(), JobRuns(jr_1=state)).alive(job_run("solvent-dev-erase", "jr_1")) is alive


def test_a_run_or_an_execution_that_nobody_knows_holds_nothing() -> None:
    holders = Holders(Executions(), JobRuns())
    assert not holders.alive(job_run("solvent-dev-erase", "jr_1"))
    assert not holders.alive("arn:aws:states:eu-west-1:1:execution:solvent-dev-ingest:x")


def test_a_refusal_is_not_taken_for_an_absence() -> None:
    class Denied:
        def __getattr__(self, name: str) -> Any:
            def call(**_: Any) -> Any:
                raise client_error("AccessDeniedException")

            return call

    for owner in (job_run("j", "r"), "arn:aws:states:eu-west-1:1:execution:x:y"):
        with pytest.raises(Exception, match="AccessDenied"):
            Holders(Denied(), Denied()).alive(owner)
