"""`solvent rollback`, `challenger` and `compare`: what they change, what they say, and when they refuse."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from engine_client import Asked, data_api
from fakes import NAMES, SageMaker
from moto import mock_aws
from warehouse_cases import ADMIN, copied, fill

from solvent import client
from solvent.cli import variants
from solvent.holders import Holders, rollback
from solvent.ledger import Ledger, PortfolioBusy

ENDPOINT = NAMES.endpoint("lending")
A, B = f"{ENDPOINT}-a", f"{ENDPOINT}-b"
RUN = "arn:aws:states:eu-west-1:1:execution:solvent-dev-train:r"


class Place:
    """An environment whose endpoint went from A to B. `status` is that of every execution."""

    names = NAMES
    endpoint_url = None

    def __init__(self) -> None:
        self.sagemaker, self.status, self.session = SageMaker(), "RUNNING", boto3.Session(region_name="eu-west-1")
        self.table = self.session.resource("dynamodb").create_table(
            TableName=NAMES.runs_table,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for name in (A, B):
            self.sagemaker.go_live(ENDPOINT, name)
        self.sagemaker.after_update = ["InService"]

    @property
    def lock(self) -> str:
        """Who holds the portfolio's lock, "" when nobody does."""
        return str(self.table.get_item(Key={"pk": "lock#lending"}).get("Item", {}).get("owner", ""))

    @lock.setter
    def lock(self, owner: str) -> None:
        self.table.put_item(Item={"pk": "lock#lending", "owner": owner})

    def describe_execution(self, **_: Any) -> dict[str, str]:
        return {"status": self.status}

    def client(self, service: str) -> Any:
        return self.sagemaker if service == "sagemaker" else self

    def bucket(self, zone: str) -> str:
        return zone

    @property
    def live(self) -> str:
        return str(self.sagemaker.endpoints[ENDPOINT]["config"])


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with mock_aws():
        made = Place()
        monkeypatch.setattr(variants, "target", lambda env: made)
        yield made


def test_the_way_back_can_be_listed_and_gone(place: Place, solvent: Any) -> None:
    assert solvent("rollback", "--list") == (0, f"{B}\n{A}\n", "")
    assert place.live == B
    code, said, _ = solvent("rollback")
    assert (code, place.live) == (0, A) and f"in service on {A}" in said
    code, _, said = solvent("rollback")
    assert code == 1 and "Nothing was changed" in said


def test_a_run_that_might_deploy_comes_first_unless_one_says_otherwise(place: Place, solvent: Any) -> None:
    place.lock = RUN
    code, _, said = solvent("rollback")
    assert (code, place.live) == (1, B) and RUN in said and "--during-a-run" in said
    assert solvent("rollback", "--list")[0] == 0
    assert solvent("rollback", "--during-a-run")[0] == 0
    assert place.live == A


def test_the_lock_of_a_run_that_is_no_more_does_not_count(place: Place, solvent: Any) -> None:
    place.lock, place.status = RUN, "ABORTED"
    assert solvent("rollback")[0] == 0
    assert place.live == A


def test_a_run_that_begins_meanwhile_waits_until_the_way_back_is_gone(
    place: Place, solvent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, begun = place.sagemaker.update_endpoint, []

    def while_a_run_begins(**request: Any) -> Any:
        with pytest.raises(PortfolioBusy, match="worked on by rollback:"):
            Ledger(place.table, alive=Holders(place, place).alive).acquire("lending", RUN)
        begun.append(RUN)
        return update(**request)

    monkeypatch.setattr(place.sagemaker, "update_endpoint", while_a_run_begins)
    assert solvent("rollback")[0] == 0
    assert (begun, place.live, place.lock) == ([RUN], A, "")
    assert solvent("rollback", "--to", "unknown")[0] == 1
    assert place.lock == ""


def test_a_rollback_that_never_ended_holds_for_a_while_only(place: Place, solvent: Any) -> None:
    place.lock = rollback(minutes=15)
    code, _, said = solvent("rollback")
    assert (code, place.live) == (1, B) and "worked on by rollback:" in said
    place.lock = rollback(minutes=-1)
    assert solvent("rollback")[0] == 0
    assert (place.live, place.lock) == (A, "")


def test_a_challengers_share_is_set_and_what_is_no_share_is_refused(place: Place, solvent: Any) -> None:
    place.sagemaker.endpoints[ENDPOINT]["weights"] = {"champion": 1.0}
    code, _, said = solvent("challenger", "0.3")
    assert code == 1 and "has no challenger" in said
    place.sagemaker.endpoints[ENDPOINT]["weights"] = {"champion": 0.9, "challenger": 0.1}
    assert solvent("challenger", "0.3") == (0, "Weights: champion 0.7, challenger 0.3\n", "")
    assert solvent("challenger", "1.5")[0] == 2
    assert place.sagemaker.endpoints[ENDPOINT]["weights"] == {"champion": 0.7, "challenger": 0.3}


class Captured:
    """Both variants live since yesterday, and what each answered in one captured object."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.answers = answers

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        return {"EndpointConfigName": B, "ProductionVariants": [{"VariantName": name} for name in self.answers]}

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"CreationTime": datetime.now(UTC) - timedelta(days=1)}

    def get_paginator(self, _: str) -> Any:
        found = {"LastModified": datetime.now(UTC)}
        return SimpleNamespace(paginate=lambda *, Prefix, **_: [{"Contents": [{"Key": Prefix, **found}]}])  # noqa: N803

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        outputs = [
            {"encoding": "JSON", "data": json.dumps(one)} for one in self.answers[Key.rstrip("/").split("/")[-1]]
        ]
        lines = [json.dumps({"captureData": {"endpointOutput": output}}) for output in outputs]
        return {"Body": io.BytesIO("\n".join(lines).encode())}

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        return {"Datapoints": [{"Sum": 3000.0, "SampleCount": 2.0}]}


def answer(loan_id: str, probability: float, decision: str, version: str) -> dict[str, Any]:
    return {"loan_id": loan_id, "probability": probability, "decision": decision, "model_version": version}


def test_both_variants_are_shown_with_what_came_of_whom_they_judged(
    template: Any, tmp_path: Path, place: Place, solvent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = copied(template, tmp_path / "copy")
    scored = [{"loan_id": f"L{n:06d}", "as_of": "2026-01-31", "model_version": "1"} for n in (1, 2, 3)]
    labels = [{"loan_id": f"L{n:06d}", "defaulted": bad} for n, bad in ((1, 0), (2, 1), (4, 1))]
    fill(known, {"lending.predictions": scored, "lending.application_features": labels})
    monkeypatch.setattr(client, "warehouse", lambda _: data_api(Asked(known.database, ADMIN)))
    captured = Captured(
        champion=[
            answer("L000001", 0.1, "approve", "3"),
            answer("L000002", 0.6, "decline", "3"),
            answer("L000003", 0.2, "approve", "3"),  # scored, and not labelled yet
        ],
        challenger=[answer("L000004", 0.3, "approve", "4")],  # never scored in a batch
    )
    monkeypatch.setattr(place, "client", lambda service: captured)
    code, said, _ = solvent("compare", "--hours", "24")
    assert code == 0
    header, *rows = [
        [cell.strip() for cell in line.strip("│┃ ").replace("┃", "│").split("│")]
        for line in said.splitlines()
        if "champion" in line or "challenger" in line or "variant" in line
    ]
    champion, challenger = (dict(zip(header, row, strict=False)) for row in rows)
    assert (champion["version"], champion["answers"], champion["approve rate"]) == ("3", "3", "0.666667")
    assert (champion["latency ms"], champion["labelled"]) == ("1.5", "2")
    assert (champion["expected"], champion["bad"]) == ("0.35", "0.5")
    assert (challenger["version"], challenger["answers"], challenger["labelled"]) == ("4", "1", "0")
    known.database.close()
