"""What scikit-learn's classifiers share: inputs made from the frame, and margins from whatever they give.

None of them explains itself on every serving path, so they are compared and never served.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from solvent.modelling.boosted import Calibration
from solvent.modelling.calibration import log_odds
from solvent.modelling.candidates import Parameters
from solvent.modelling.data import Floats, Ints, plain
from solvent.specification import Feature


@dataclass(frozen=True)
class Piped:
    """A fitted pipeline from the plain features to a classifier."""

    features: tuple[Feature, ...]
    pipeline: Pipeline
    calibration: Calibration = Calibration()

    def margins(self, frame: pd.DataFrame) -> Floats:
        """Log-odds, or the distance from the hyperplane where there are none, (n,)."""
        rows = plain(frame, self.features)
        if hasattr(self.pipeline, "decision_function"):
            return np.asarray(self.pipeline.decision_function(rows), dtype=np.float64)
        return log_odds(np.asarray(self.pipeline.predict_proba(rows)[:, 1], dtype=np.float64))

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """Calibrated probabilities of the bad outcome, (n,)."""
        return self.calibration.probabilities(self.margins(frame))


@dataclass(frozen=True)
class Peer:
    """A candidate around a classifier that takes sample weights. `make` gives it for settings and a seed.

    `normal`: numbers become quantile-normal, nulls their median and a column that says so: raw ratios are so skewed
    that a linear model loses 5 to 15 points of AUC. Else they stay as they are, nulls included, which trees can read.
    `kernel` gives a step before it, for settings, the numbers of features and rows, and a seed. `bounded`: its steps
    are few on purpose, and that it could go on is no news.
    """

    name: str
    grid: Sequence[Parameters]
    make: Callable[[Parameters, int], Any]
    normal: bool
    kernel: Callable[[Parameters, int, int, int], Any] = lambda *_: "passthrough"
    bounded: bool = False
    explains: bool = False

    def fit(
        self,
        frame: pd.DataFrame,
        y: Ints,
        weights: Floats,
        *,
        features: Sequence[Feature],
        parameters: Parameters,
        seed: int,
    ) -> Piped:
        """Fit on one-hot categories and numbers."""
        steps = [
            ("inputs", _inputs(features, rows=len(y), normal=self.normal)),
            ("kernel", self.kernel(parameters, len(features), len(y), seed)),
            ("classifier", self.make(parameters, seed)),
        ]
        pipeline = Pipeline(steps)
        with warnings.catch_warnings():
            if self.bounded:
                warnings.simplefilter("ignore", ConvergenceWarning)
            pipeline.fit(plain(frame, features), y, classifier__sample_weight=weights)
        return Piped(tuple(features), pipeline)


def _inputs(features: Sequence[Feature], *, rows: int, normal: bool) -> ColumnTransformer:
    numbers: Any = "passthrough"
    if normal:
        quantiles = QuantileTransformer(
            n_quantiles=min(200, rows), output_distribution="normal", subsample=None, random_state=0
        )
        numbers = make_pipeline(
            quantiles, SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        )
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", numbers, [f.name for f in features if f.kind == "numeric"]),
            ("categories", categories, [f.name for f in features if f.kind == "categorical"]),
        ]
    )
