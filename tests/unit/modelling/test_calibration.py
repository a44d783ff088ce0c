import numpy as np
import pytest

from solvent.modelling import calibration

RANDOM = np.random.default_rng(0)
MARGINS = RANDOM.normal(size=4000)
Y = (RANDOM.random(4000) < 1 / (1 + np.exp(-(0.5 * MARGINS - 2)))).astype(np.int64)


def test_calibration_finds_the_slope_and_intercept_that_made_the_outcomes() -> None:
    found = calibration.chosen(MARGINS, Y)
    assert found.slope == pytest.approx(0.5, abs=0.15)
    assert found.intercept == pytest.approx(-2, abs=0.15)
    assert found.probabilities(MARGINS).mean() == pytest.approx(Y.mean(), abs=1e-6)


def test_a_fold_is_calibrated_by_the_others_alone() -> None:
    fold_of = np.arange(4000) % 5
    here = fold_of == 1
    before = calibration.across(MARGINS, Y, fold_of)
    after = calibration.across(MARGINS, np.where(here, 1 - Y, Y), fold_of)
    assert (before[here] == after[here]).all()
    assert (before[~here] != after[~here]).all()


def test_margins_that_rank_the_wrong_way_give_the_base_rate_and_keep_their_ranks() -> None:
    found = calibration.chosen(-MARGINS, Y)
    assert found.slope > 0
    assert found.probabilities(-MARGINS) == pytest.approx(np.full(4000, Y.mean()), abs=0.001)
