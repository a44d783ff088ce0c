import numpy as np
import pandas as pd
import pytest

from solvent.modelling import balance
from solvent.specification import Feature

FEATURES = (Feature("x", "numeric", ("t.x",), "X"), Feature("c", "categorical", ("t.c",), "C"))
FRAME = pd.DataFrame(
    {
        "x": [1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0, 8.0, 90.0, 91.0],
        "c": ["a", "b", None, "a", "b", "a", "b", "a", "z", "z"],
    }
)
Y = np.array([0] * 7 + [1] * 3)


def test_weighted_outcomes_count_the_same() -> None:
    weights = balance.weights(Y)
    assert weights[Y == 1].sum() == pytest.approx(weights[Y == 0].sum())
    assert weights.mean() == pytest.approx(1)


def test_smote_adds_rows_of_the_rarer_outcome_between_its_own_and_leaves_the_others_as_they_are() -> None:
    frame, y = balance.resampled(FRAME, Y, FEATURES, seed=0)
    assert np.bincount(y).tolist() == [7, 7]
    pd.testing.assert_series_equal(frame["x"][:10], FRAME["x"], check_names=False)
    assert frame["c"][2] is None
    made = frame[10:]
    assert made["x"].between(8, 91).all()
    assert set(made["c"]) <= {"a", "z"}


def test_smote_takes_numbers_alone_and_gives_up_on_a_single_case() -> None:
    frame, y = balance.resampled(FRAME[["x"]], Y, FEATURES[:1], seed=0)
    assert len(frame) == len(y) == 14
    assert list(frame) == ["x"]
    alone = np.array([0] * 9 + [1])
    assert (balance.resampled(FRAME, alone, FEATURES, seed=0)[1] == alone).all()
