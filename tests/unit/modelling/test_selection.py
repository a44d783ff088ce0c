import numpy as np
import pytest

from solvent.modelling import candidates, selection
from solvent.modelling.competing import OutOfFold
from solvent.modelling.selection import Contender

RUN = OutOfFold(np.zeros(0), np.zeros(0, dtype=np.int64), ({"C": 1.0},), 0.5)


def contender(name: str, *values: float) -> Contender:
    return Contender(
        candidates.named(name), RUN, np.zeros(0), {"pr_auc": values, "expected_cost": [-v for v in values]}
    )


FOREST = contender("forest", 0.9, 0.9, 0.9)
BOOSTED = contender("xgboost", 0.6, 0.7, 0.8)  # standard error .0577


@pytest.mark.parametrize("metric", ["pr_auc", "expected_cost"])
def test_the_scorecard_is_preferred_within_one_standard_error_and_what_cannot_be_explained_never_wins(
    metric: str,
) -> None:
    near, far = contender("scorecard", 0.65, 0.65, 0.65), contender("scorecard", 0.64, 0.64, 0.64)
    assert selection.champion([FOREST, BOOSTED, near], metric) is near
    assert selection.champion([FOREST, BOOSTED, far], metric) is BOOSTED
    better = contender("scorecard", 0.9, 0.9, 0.9)
    assert selection.champion([BOOSTED, better], metric) is better


def test_the_table_says_of_each_why_it_was_chosen_or_not() -> None:
    near = contender("scorecard", 0.65, 0.65, 0.65)
    rows = {r["name"]: r for r in selection.comparison([FOREST, BOOSTED, near], near, "pr_auc")}
    assert [name for name, r in rows.items() if r["chosen"]] == ["scorecard"]
    assert "within one standard error (0.0577)" in rows["scorecard"]["why"]
    assert "no exact explanation" in rows["forest"]["why"]
    assert "simpler" in rows["xgboost"]["why"]
    assert rows["xgboost"]["pr_auc"]["mean"] == pytest.approx(0.7)
    assert rows["xgboost"]["pr_auc"]["low"] < 0.6
    assert (rows["forest"]["parameters"], rows["forest"]["fit_seconds"]) == ([{"C": 1.0}], 0.5)
    rows = {r["name"]: r for r in selection.comparison([FOREST, BOOSTED], BOOSTED, "pr_auc")}
    assert rows["xgboost"]["why"] == "best pr_auc of those that can be explained: 0.7000"
