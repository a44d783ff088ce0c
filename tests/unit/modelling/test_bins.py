import numpy as np
import pandas as pd
import pytest

from solvent.modelling import bins
from solvent.specification import Feature

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=800)
Y = (RANDOM.random(800) < 1 / (1 + np.exp(-1.5 * X))).astype(np.int64)
UP = Feature("x", "numeric", ("t.x",), "X", monotone=1)


def test_bins_rise_where_the_specification_says_that_risk_may_only_rise() -> None:
    found = bins.optimal(pd.Series(X), Y, UP, most=6)
    weights = found.evidence(found.codes(pd.Series(X)), Y)[: found.regular]
    assert 2 <= found.regular <= 6
    assert (np.diff(weights) > 0).all()
    against = bins.optimal(pd.Series(X), Y, Feature("x", "numeric", ("t.x",), "X", monotone=-1), most=6)
    assert against.regular == 1  # no falling bins in rising risk


def test_a_missing_value_has_a_bin_and_an_unseen_level_the_average_weight() -> None:
    levels = pd.Series(["a", "b", None, "b"] * 50)
    y = np.array([1, 0, 1, 0] * 45 + [0, 1, 0, 1] * 5)  # no level is pure: optbinning would join it to another
    found = bins.optimal(levels, y, Feature("c", "categorical", ("t.c",), "C"), most=6)
    codes = found.codes(levels)
    *regular, other, missing = found.evidence(codes, y)
    assert found.codes(pd.Series(["b", "never seen", None])).tolist() == [1, 2, 3]
    assert regular[0] > 0 > regular[1]
    assert missing > 0
    assert other == pytest.approx(np.mean([regular[0], regular[1], missing, regular[1]]))


def test_levels_of_one_group_share_their_evidence() -> None:
    found = bins.Bins(Feature("c", "categorical", ("t.c",), "C"), levels=("a", "b", "c"), groups=(0, 1, 0))
    y = np.array([1, 1, 0, 0, 0, 1])
    weights = found.evidence(found.codes(pd.Series(["a", "a", "b", "b", "c", "c"])), y)
    assert weights[0] == weights[2] > weights[1]


def test_a_pure_bin_claims_no_certainty() -> None:
    found = bins.Bins(UP, edges=(0.0,))
    weights = found.evidence(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    assert np.isfinite(weights).all()
    assert abs(weights[:2]).max() < 1


@pytest.mark.parametrize("values", [[None] * 40, [1.0] * 40])
def test_a_feature_that_says_nothing_has_one_bin(values: list[float | None]) -> None:
    found = bins.optimal(pd.Series(values, dtype="float64"), np.arange(40) % 2, UP, most=6)
    assert found.edges == ()
