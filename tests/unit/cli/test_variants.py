"""`solvent rollback`, `challenger` and `compare`: what they change, what they say, and when they refuse."""

from types import SimpleNamespace
from typing import Any

import pytest
from fakes import NAMES, SageMaker

from solvent import comparison
from solvent.cli import variants
from solvent.comparison import Variant

ENDPOINT = NAMES.endpoint("lending")
A, B = f"{ENDPOINT}-a", f"{ENDPOINT}-b"
RUN = "arn:aws:states:eu-west-1:1:execution:solvent-dev-train:r"


class Place:
    """An environment whose endpoint went from A to B; `lock` is the owner of the portfolio's lock, if it has one."""

    names = NAMES
    endpoint_url = None

    def __init__(self) -> None:
        self.sagemaker, self.lock, self.status = SageMaker(), "", "RUNNING"
        for name in (A, B):
            self.sagemaker.go_live(ENDPOINT, name)
        self.sagemaker.after_update = ["InService"]
        self.session = SimpleNamespace(resource=lambda *_, **__: SimpleNamespace(Table=lambda _: self))

    def get_item(self, *, Key: dict[str, str], **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Item": {**Key, "owner": self.lock}} if self.lock else {}

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
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place()
    monkeypatch.setattr(variants, "target", lambda env: made)
    return made


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


def test_a_challengers_share_is_set_and_what_is_no_share_is_refused(place: Place, solvent: Any) -> None:
    place.sagemaker.endpoints[ENDPOINT]["weights"] = {"champion": 1.0}
    code, _, said = solvent("challenger", "0.3")
    assert code == 1 and "has no challenger" in said
    place.sagemaker.endpoints[ENDPOINT]["weights"] = {"champion": 0.9, "challenger": 0.1}
    assert solvent("challenger", "0.3") == (0, "Weights: champion 0.7, challenger 0.3\n", "")
    assert solvent("challenger", "1.5")[0] == 2
    assert place.sagemaker.endpoints[ENDPOINT]["weights"] == {"champion": 0.7, "challenger": 0.3}


def test_both_variants_are_shown_with_what_came_of_whom_they_judged(
    place: Place, solvent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = Variant("champion", {"3"}, [0.1, 0.2, 0.6], 2, {"L1": 0.1, "L2": 0.6}, {"L1": 0, "L2": 1}, 1.5)
    asked: dict[str, Any] = {}

    def found(_: Any, portfolio: str, **given: Any) -> list[Variant]:
        asked.update(given, portfolio=portfolio)
        return [champion, Variant("challenger")]

    monkeypatch.setattr(comparison.Comparison, "variants", found)
    code, said, _ = solvent("compare", "--hours", "24")
    assert code == 0
    assert asked == {"portfolio": "lending", "entity": "loan_id", "favourable": "approve", "hours": 24}
    header, *rows = [
        [cell.strip() for cell in line.strip("│┃ ").replace("┃", "│").split("│")]
        for line in said.splitlines()
        if "champion" in line or "challenger" in line or "variant" in line
    ]
    shown = dict(zip(header, rows[0], strict=True))
    assert (shown["answers"], shown["approve rate"], shown["latency ms"]) == ("3", "0.666667", "1.5")
    assert (shown["labelled"], shown["expected"], shown["bad"]) == ("2", "0.35", "0.5")
    assert rows[1][0] == "challenger" and rows[1][2] == "0"
