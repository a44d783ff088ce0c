"""`solvent erase`: what it asks, refuses and shows."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from fakes import ACCOUNT, NAMES, REGION, bucket
from moto import mock_aws
from rich.console import Console

from solvent import naming
from solvent.cli import erase
from solvent.client import PlatformError
from solvent.erasure import request
from solvent.erasure.request import ErasureError


class Glue:
    """One job whose runs end as told; `busy` refuses a second run at once."""

    def __init__(self, *states: str, busy: bool = False) -> None:
        self.states, self.busy, self.started = list(states), busy, []  # type: ignore[var-annotated]

    def start_job_run(self, **request: Any) -> dict[str, str]:
        if self.busy:
            code = {"Error": {"Code": "ConcurrentRunsExceededException", "Message": ""}}
            raise ClientError(code, "StartJobRun")  # type: ignore[arg-type]
        self.started.append(request)
        return {"JobRunId": "jr_1"}

    def get_job_run(self, **_: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"JobRun": {"JobRunState": state, "ErrorMessage": "ErasureError: 1 places have something."}}


class Target:
    endpoint_url = "http://127.0.0.1"
    names = NAMES

    def __init__(self, glue: Any = None) -> None:
        self.glue = glue

    def bucket(self, zone: str) -> str:
        return bucket(zone)

    def client(self, service: str) -> Any:
        return self.glue if service == "glue" else boto3.client(service, region_name=REGION)


@pytest.fixture
def target() -> Any:
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket=bucket("artifacts"), CreateBucketConfiguration={"LocationConstraint": REGION})
        yield Target(Glue("STARTING", "RUNNING", "SUCCEEDED"))


ASKED: dict[str, Any] = {"portfolio": "lending", "customer": "C000001", "reason": "asked", "dry_run": False}


def test_the_id_stands_in_the_request_alone(target: Any) -> None:
    """A job's arguments stay in Glue's history."""
    erasure_id = erase.ask(target, **ASKED)
    put_proof(target, erasure_id)
    erase.follow(target, erasure_id, Console(quiet=True))
    assert target.glue.started == [{"JobName": NAMES.erase_job, "Arguments": {"--erasure_id": erasure_id}}]
    asked = request.get(target.client("s3"), bucket("artifacts"), erasure_id)
    assert asked
    assert (asked.customer, asked.reason, asked.person) == ("C000001", "asked", None)
    assert ACCOUNT in asked.requested_by


def put_proof(target: Any, erasure_id: str) -> None:
    body = json.dumps({"erasure_id": erasure_id}).encode()
    target.client("s3").put_object(Bucket=bucket("artifacts"), Key=naming.proof_key(erasure_id), Body=body)


def test_an_erasure_that_has_not_ended_is_taken_up_again(target: Any) -> None:
    first = erase.ask(target, **ASKED)
    assert erase.ask(target, **ASKED) == first
    assert erase.ask(target, **{**ASKED, "dry_run": True}) != first
    assert erase.ask(target, **{**ASKED, "customer": "C000002"}) != first


@pytest.mark.parametrize("customer", ["C1", "Ana Diaz", "C000001; DROP TABLE"])
def test_what_is_no_id_is_refused_and_not_repeated(target: Any, customer: str) -> None:
    with pytest.raises(ErasureError, match="Nothing was erased") as refused:
        erase.ask(target, **{**ASKED, "customer": customer})
    assert customer not in str(refused.value)
    listed = target.client("s3").list_objects_v2(Bucket=bucket("artifacts"))
    assert listed["KeyCount"] == 0


def test_a_portfolio_of_companies_has_nobody_to_erase(target: Any) -> None:
    with pytest.raises(ErasureError, match="no natural person"):
        erase.ask(target, **{**ASKED, "portfolio": "bankruptcy"})


def test_a_failed_job_says_why_and_how_to_go_on(target: Any) -> None:
    target.glue = Glue("RUNNING", "FAILED")
    with pytest.raises(PlatformError, match=r"1 places have something\. Give the same command again"):
        erase.follow(target, "x", Console(quiet=True))


def test_another_erasure_at_work_is_said(target: Any) -> None:
    target.glue = Glue("RUNNING", busy=True)
    with pytest.raises(PlatformError, match="Another erasure is at work"):
        erase.follow(target, "x", Console(quiet=True))
