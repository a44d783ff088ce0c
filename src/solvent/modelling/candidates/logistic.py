"""Logistic regression (L1 or L2) on quantile-normal numbers and one-hot categories."""

from collections.abc import Sequence

import pandas as pd
from sklearn.linear_model import LogisticRegression

from solvent.modelling.candidates import Parameters, pipeline
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature


class Logistic:
    name = "logistic"
    explains = False
    grid: Sequence[Parameters] = (
        {"C": 0.03, "penalty": "l2"},
        {"C": 0.1, "penalty": "l2"},
        {"C": 0.01, "penalty": "l2"},
        {"C": 0.1, "penalty": "l1"},
    )

    def fit(
        self,
        frame: pd.DataFrame,
        y: Ints,
        weights: Floats,
        *,
        features: Sequence[Feature],
        parameters: Parameters,
        seed: int,
    ) -> pipeline.Piped:
        classifier = LogisticRegression(
            C=parameters["C"],
            l1_ratio={"l1": 1.0, "l2": 0.0}[parameters["penalty"]],
            solver="liblinear" if parameters["penalty"] == "l1" else "newton-cholesky",
            max_iter=500,
            random_state=seed,
        )
        return pipeline.fit(classifier, frame, y, weights, features, normal=True)


CANDIDATE = Logistic()
