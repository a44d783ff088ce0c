import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from examples import portfolio
from solvent import specification
from solvent.modelling import competing, data
from solvent.modelling.boosted import Calibration

SPEC = specification.load("lending")
TRAINING = dataclasses.replace(SPEC.training, grids={})
SAMPLE = data.labelled(portfolio(), SPEC, [f for f in SPEC.features if f.name in ("amount", "purpose")])


@dataclasses.dataclass(frozen=True)
class Sign:
    sign: float
    calibration: Calibration = Calibration()

    def margins(self, frame: pd.DataFrame) -> Any:
        return self.sign * frame["amount"].fillna(0).to_numpy()

    probabilities = margins


class Recording:
    """Ranks by amount, or against it; remembers the rows that it was fitted on."""

    name, explains = "scorecard", True
    grid: Sequence[dict[str, float]] = ({"sign": -1.0}, {"sign": 1.0})

    def __init__(self) -> None:
        self.fits: list[tuple[pd.DataFrame, Any, Any]] = []

    def fit(self, frame: pd.DataFrame, y: Any, weights: Any, *, features: Any, parameters: Any, seed: int) -> Sign:
        self.fits.append((frame, y, weights))
        return Sign(parameters["sign"])


def test_a_search_sees_the_fitted_part_of_a_fold_only_and_takes_the_better_setting() -> None:
    candidate = Recording()
    run = competing.out_of_fold(candidate, SAMPLE, TRAINING)
    assert [p["sign"] for p in run.parameters] == [1.0] * 5
    assert set(run.fold_of) == set(range(5))
    per_fold = 2 * TRAINING.inner_folds + 1
    assert len(candidate.fits) == 5 * per_fold
    for number in range(5):
        held_out = set(SAMPLE.frame["customer_id"][run.fold_of == number])
        for frame, _, _ in candidate.fits[number * per_fold : (number + 1) * per_fold]:
            assert not held_out & set(frame["customer_id"])


def test_one_setting_is_no_search() -> None:
    candidate = Recording()
    one = dataclasses.replace(TRAINING, grids={"scorecard": ({"sign": -1.0},)})
    assert competing.tuned(candidate, SAMPLE, one) == {"sign": -1.0}
    assert candidate.fits == []


def test_fitted_rows_are_weighted_or_resampled_as_the_specification_says() -> None:
    weighted, plain, smote = Recording(), Recording(), Recording()
    for candidate, balance in ((weighted, "weights"), (plain, "none"), (smote, "smote")):
        competing.fit(candidate, SAMPLE, {"sign": 1.0}, dataclasses.replace(TRAINING, balance=balance))
    y, weights = weighted.fits[0][1:]
    assert np.isclose(weights[y == 1].sum(), weights[y == 0].sum())
    assert (plain.fits[0][2] == 1).all()
    assert len(plain.fits[0][1]) == len(SAMPLE.y)
    assert smote.fits[0][1].mean() == 0.5
