"""Gradient boosting as data: the booster, the inputs that make its matrix, and the calibration of its margins.

Whatever is fitted, exported, explained or served goes through this one definition of the matrix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Input:
    """One feature as the model takes it.

    Numeric: one column, NaN for null; `minimum` and `maximum` are the contract's range. Categorical: a column per level
    and one for null; a level that training has not seen is 0 in all of them. `monotone` is +1 where a higher value may
    only raise the probability, -1 where it may only lower it. `reference` is the value that reasons compare with.
    """

    name: str
    kind: str
    text: str
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    monotone: int = 0
    reference: float | str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the matrix columns."""
        if self.kind == "numeric":
            return (self.name,)
        return (*(f"{self.name}={level}" for level in self.levels), f"{self.name} is null")

    def encode(self, values: "pd.Series[Any]") -> Matrix:
        """The columns of a feature, (n, len(columns))."""
        if self.kind == "numeric":
            numbers = pd.to_numeric(values.astype("object").where(values.notna(), np.nan))
            return np.asarray(numbers, dtype=np.float32).reshape(-1, 1)
        found = np.zeros((len(values), len(self.columns)), dtype=np.float32)
        codes = pd.Index(self.levels, dtype="object").get_indexer(pd.Index(values, dtype="object"))
        known = np.flatnonzero(codes >= 0)
        found[known, codes[known]] = 1.0
        found[:, -1] = values.isna().to_numpy()
        return found


@dataclass(frozen=True)
class Calibration:
    """Platt's: probability = 1 / (1 + exp(-(slope * margin + intercept))), slope > 0, so ranks stay."""

    slope: float = 1.0
    intercept: float = 0.0

    def probabilities(self, margins: Floats) -> Floats:
        """Probabilities of margins (log-odds), both (n,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * margins + self.intercept))), dtype=np.float64)


@dataclass(frozen=True)
class Boosted:
    """A fitted booster. `calibration` is chosen on margins out of fold, never on those of the rows that were fitted."""

    booster: xgboost.Booster
    inputs: tuple[Input, ...]
    calibration: Calibration = Calibration()

    def matrix(self, frame: pd.DataFrame) -> Matrix:
        """What the booster reads, (n, columns of all inputs)."""
        return np.hstack([i.encode(frame[i.name]) for i in self.inputs])

    def margins(self, frame: pd.DataFrame) -> Floats:
        """Log-odds before calibration, (n,)."""
        return np.asarray(self.booster.inplace_predict(self.matrix(frame), predict_type="margin"), dtype=np.float64)

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """Calibrated probabilities of the bad outcome, (n,)."""
        return self.calibration.probabilities(self.margins(frame))


def fit(
    frame: pd.DataFrame,
    y: NDArray[np.int64],
    inputs: Sequence[Input],
    *,
    rounds: int,
    parameters: Mapping[str, Any],
    weights: Floats | None = None,
) -> Boosted:
    """Boost `rounds` trees under the inputs' monotone directions. `parameters` are XGBoost's; y (n,) of 0 and 1."""
    columns = [column for i in inputs for column in i.columns]
    directions = [i.monotone if i.kind == "numeric" else 0 for i in inputs for _ in i.columns]
    unfitted = Boosted(xgboost.Booster(), tuple(inputs))
    matrix = xgboost.DMatrix(unfitted.matrix(frame), label=y, weight=weights, feature_names=None)
    settings = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "monotone_constraints": f"({','.join(str(d) for d in directions)})",
        **parameters,
    }
    assert len(directions) == len(columns)
    return Boosted(xgboost.train(settings, matrix, num_boost_round=rounds), tuple(inputs))
