import numpy as np
import pandas as pd
import pytest

from solvent.modelling import stability
from solvent.specification import Feature

AMOUNT = Feature("amount", "numeric", ("loan_application.amount",), "Amount")
PURPOSE = Feature("purpose", "categorical", ("loan_application.purpose",), "Purpose")
ROWS = 1000
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame({"amount": RANDOM.normal(size=ROWS), "purpose": RANDOM.choice(["a", "b"], ROWS)})
Y = (RANDOM.random(ROWS) < 0.3).astype(np.int64)
ESTIMATES = np.clip(0.2 + 0.3 * Y + RANDOM.normal(0, 0.1, ROWS), 0, 1)
FOLDS = np.arange(ROWS) % 5
DATES = pd.Series(pd.date_range("2024-01-01", periods=ROWS))


def test_samples_of_one_population_stay_within_chance() -> None:
    found = stability.judge(FRAME, Y, ESTIMATES, FOLDS, [AMOUNT, PURPOSE], DATES)
    assert [shift["of"] for shift in found["shifts"]] == [*(f"fold {k}" for k in range(1, 6)), "later half"]
    assert all(shift["psi"] < shift["chance"] for shift in [*found["shifts"], *found["features"]])
    assert len(found["fold_auc"]) == 5
    assert 0 < found["fold_auc_spread"] < 0.2


def test_scores_and_features_that_move_with_time_are_seen_the_largest_first() -> None:
    later = np.arange(ROWS) >= ROWS // 2
    frame = FRAME.assign(purpose=np.where(later, "b", "a"))
    found = stability.judge(frame, Y, np.clip(ESTIMATES + 0.3 * later, 0, 1), FOLDS, [AMOUNT, PURPOSE], DATES)
    assert found["shifts"][-1]["psi"] > 1 > found["shifts"][-1]["chance"]
    assert [moved["feature"] for moved in found["features"]] == ["purpose", "amount"]


def test_a_fold_whose_scores_differ_is_named() -> None:
    found = stability.judge(FRAME, Y, np.clip(ESTIMATES + 0.3 * (FOLDS == 2), 0, 1), FOLDS, [])
    assert max(found["shifts"], key=lambda shift: shift["psi"])["of"] == "fold 3"


def test_the_index_is_the_textbooks() -> None:
    # Two cells: 50 % and 50 % become 25 % and 75 %.
    codes = np.array([0, 1] * 50 + [0] * 25 + [1] * 75)
    found = stability._shift(codes, np.arange(200) >= 100)
    assert found["psi"] == pytest.approx(0.25 * np.log(0.75 / 0.5) + 0.25 * np.log(0.5 / 0.25))


@pytest.mark.parametrize("dates", [None, pd.Series([pd.NaT] * ROWS), pd.Series([pd.Timestamp("2024-01-01")] * ROWS)])
def test_without_dates_that_part_them_there_are_no_halves(dates: "pd.Series[pd.Timestamp] | None") -> None:
    found = stability.judge(FRAME, Y, ESTIMATES, FOLDS, [AMOUNT], dates)
    assert len(found["shifts"]) == 5
    assert found["features"] == []


def test_a_spread_that_equally_good_folds_have_by_chance_grows_as_they_shrink() -> None:
    rng = np.random.default_rng(0)
    ranges = {}
    for rows in (50, 500):
        y = (np.arange(rows * 5) % 5 == 0).astype(np.int64)
        folds = np.repeat(np.arange(5), rows)
        found = []
        for _ in range(100):
            judged = stability.judge(pd.DataFrame(index=range(len(y))), y, y + rng.normal(size=len(y)), folds, [])
            found.append(judged["fold_auc_spread"] <= judged["spread_chance"])
            ranges[rows] = judged["spread_chance"]
        assert np.mean(found) >= 0.98
    assert ranges[50] > 2.5 * ranges[500]
