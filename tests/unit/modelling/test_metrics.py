import numpy as np
import pytest

from solvent.modelling import metrics


def test_accuracy_never_comes_without_the_majority_line() -> None:
    found = metrics.figures(np.array([0.1, 0.2, 0.6, 0.4]), np.array([0, 0, 1, 1]))
    assert found["accuracy"] == 0.75
    assert found["majority_accuracy"] == 0.5
    assert found["auc"] == 1.0
    assert found["gini"] == 1.0
    assert found["ks"] == 1.0
    assert found["brier"] == pytest.approx((0.01 + 0.04 + 0.16 + 0.36) / 4)


def test_f2_is_beside_that_of_flagging_everyone_and_its_threshold_comes_from_the_other_folds() -> None:
    y, fold_of = np.array([1, 0, 0, 1, 0, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    p = np.array([0.9, 0.2, 0.1, 0.8, 0.7, 0.3, 0.6, 0.1])
    found = metrics.f2_judged(p, y, fold_of)
    # Fold 1 would flag from .45 up: in fold 0 its two bad ones. Fold 0 from .5 up: in fold 1 a good one, too.
    assert found["f2"] == pytest.approx(5 * 3 / (4 + 4 * 3))
    assert found["decline_rate"] == pytest.approx(4 / 8)
    assert found["f2_flag_everyone"] == pytest.approx(5 * 3 / (8 + 4 * 3))
    assert metrics.f2(np.ones(8, dtype=np.int64), y) == found["f2_flag_everyone"]


def test_the_f2_threshold_beats_every_other() -> None:
    random = np.random.default_rng(0)
    p = random.random(300).round(2)
    y = (random.random(300) < p).astype(np.int64)
    best = metrics.f2(p >= metrics.f2_threshold(p, y), y)
    assert best == pytest.approx(max(metrics.f2(p >= t, y) for t in np.unique(p)))


def test_an_interval_knows_that_folds_share_rows() -> None:
    # sd of 1..5 is 1.5811, t of 4 degrees 2.7764; 1/5 + 1/4 instead of 1/5 alone.
    found = metrics.interval([1.0, 2.0, 3.0, 4.0, 5.0], folds=5)
    assert found["mean"] == 3
    assert found["high"] - found["mean"] == pytest.approx(2.7764 * 1.5811 * np.sqrt(0.45), rel=1e-4)
    assert found["mean"] - found["low"] == pytest.approx(found["high"] - found["mean"])
