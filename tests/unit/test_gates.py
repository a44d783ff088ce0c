import copy
from typing import Any

import pytest

from examples import GOOD
from solvent import gates, specification

SPEC = specification.load("lending")


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """GOOD with each `a.b.c` set."""
    evaluation: dict[str, Any] = copy.deepcopy(GOOD)
    for path, value in changes.items():
        *parents, name = path.split(".")
        inner = evaluation
        for parent in parents:
            inner = inner[parent]
        inner[name] = value
    return evaluation


@pytest.mark.parametrize(
    ("change", "champion", "named"),
    [
        ({}, None, []),
        ({}, {"auc": 0.795, "label_sources": ["observed"]}, []),
        ({"auc": 0.649}, None, ["minimum_auc"]),
        ({"auc": float("nan")}, None, ["minimum_auc"]),
        ({"rows": 199}, None, ["minimum_rows"]),
        ({}, {"auc": 0.81, "label_sources": ["observed"]}, ["maximum_auc_loss_to_champion"]),
        ({}, {"auc": 0.81, "label_sources": ["published"]}, []),  # another kind of label: not comparable
        ({"auc": 0.5, "rows": 3}, {"auc": 0.9, "label_sources": ["observed"]},
         ["minimum_rows", "minimum_auc", "maximum_auc_loss_to_champion"]),
        ({"calibration.brier": 0.21}, None, ["baseline"]),
        ({"calibration.log_loss": 0.62}, None, ["baseline"]),
        ({"decision.cost": 1.2}, None, ["baseline"]),  # by lot, half approved: 1.1
        ({"leakage.feature_auc.amount": 0.81}, None, ["leakage"]),
        ({"leakage.known_afterwards": [{"feature": "amount", "column": "loans.status"}]}, None, ["leakage"]),
        ({"calibration.slope_interval": [0.3, 0.66]}, None, ["calibration"]),
        ({"calibration.slope_interval": [1.51, 1.9]}, None, ["calibration"]),
        ({"calibration.slope_interval": [0.3, 0.68]}, None, []),  # too few rows to say
        ({"calibration.expected_calibration_error": float("nan")}, None, ["calibration"]),
        ({"stability.shifts": [{"of": "later half", "psi": 0.3, "chance": 0.1, "rows": 500}]}, None, ["stability"]),
        ({"stability.shifts": [{"of": "fold 1", "psi": 0.3, "chance": 0.1, "rows": 50}]}, None, []),
        ({"stability.shifts": [{"of": "later half", "psi": 0.3, "chance": 0.4, "rows": 500}]}, None, []),
        ({"stability.fold_auc_spread": 0.26}, None, ["stability"]),
        ({"stability.fold_auc_spread": 0.26, "stability.spread_chance": 0.3}, None, []),
        ({"fairness.sex": {"absent": True}}, None, ["fairness"]),
        ({"parity": {"rows": 9, "maximum_difference": 2e-5}}, None, ["parity"]),
        ({"parity": {"rows": 9, "maximum_difference": 1e-5}, "latency_microseconds": 80}, None, []),
        ({"latency_microseconds": 5001.0}, None, ["latency"]),
        ({"artifact_bytes": 20_000_001}, None, ["size"]),
    ],
)  # fmt: skip
def test_every_gate_that_does_not_hold_is_named(change: Any, champion: Any, named: list[str]) -> None:
    found = gates.failures(SPEC, changed(change), champion)
    assert [f.partition(":")[0] for f in found] == named


def test_a_failed_gate_says_by_how_much() -> None:
    assert "0.0500 below 0.65" in gates.failures(SPEC, changed({"auc": 0.6}), None)[0]
    assert (
        "0.0200 above 0.08" in gates.failures(SPEC, changed({"calibration.expected_calibration_error": 0.1}), None)[0]
    )


@pytest.mark.parametrize("section", ["leakage", "calibration", "stability", "fairness", "decision"])
def test_what_was_not_measured_does_not_pass(section: str) -> None:
    evaluation = {k: v for k, v in GOOD.items() if k != section}
    assert any(section in failure and "train again" in failure for failure in gates.failures(SPEC, evaluation, None))


def test_a_leaking_level_is_named_with_its_figures() -> None:
    level = {"feature": "purpose", "level": "other", "rows": 91, "bad_rate": 1.0, "base_rate": 0.22}
    (said,) = gates.failures(SPEC, changed({"leakage.levels": [{**level, "probability": 2e-60}]}), None)
    assert said.startswith("leakage: column 'purpose', level 'other': the bad rate of its 91 rows is 100%")
    assert "2.0e-60" in said
    assert gates.failures(SPEC, changed({"leakage.levels": [{**level, "probability": 1e-5}]}), None) == []


class TestFairness:
    def champion(self, ratio: float | None) -> dict[str, Any]:
        return changed({"fairness.sex.ratio": ratio})

    def evaluation(self, ratio: float | None, labels: float = 0.78) -> dict[str, Any]:
        return changed({"fairness.sex.ratio": ratio, "fairness.sex.label_ratio": labels})

    @pytest.mark.parametrize(
        ("ratio", "champion", "refused", "review"),
        [
            (0.81, 0.99, False, False),  # above four fifths, whatever the champion had
            (0.75, 0.79, True, True),  # worse than champion and labels
            (0.75, 0.74, False, True),  # no worse than the champion
            (0.75, None, False, True),  # a group too small in the champion's data
            (float("nan"), 0.79, False, True),
            (None, 0.79, False, False),
        ],
    )
    def test_below_four_fifths_a_person_decides_and_worse_than_both_is_refused(
        self, ratio: float | None, champion: float | None, refused: bool, review: bool
    ) -> None:
        found = gates.failures(SPEC, self.evaluation(ratio), self.champion(champion))
        assert [f.partition(":")[0] for f in found] == ["fairness"] * refused
        assert [r.partition(":")[0] for r in gates.reviews(SPEC, self.evaluation(ratio))] == ["fairness"] * review

    def test_no_worse_than_the_labels_is_not_refused(self) -> None:
        assert gates.failures(SPEC, self.evaluation(0.75, labels=0.7), self.champion(0.9)) == []

    def test_a_first_model_is_reviewed_not_refused(self) -> None:
        assert gates.failures(SPEC, self.evaluation(0.5), None) == []
        (said,) = gates.reviews(SPEC, self.evaluation(0.5))
        assert "by sex" in said
        assert "0.300 below 0.8" in said
