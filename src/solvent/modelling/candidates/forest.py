"""A random forest."""

from collections.abc import Sequence

import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from solvent.modelling.candidates import Parameters, pipeline
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature


class Forest:
    name = "forest"
    explains = False
    grid: Sequence[Parameters] = (
        {"n_estimators": 300, "min_samples_leaf": 3, "max_features": "sqrt"},
        {"n_estimators": 300, "min_samples_leaf": 10, "max_features": "sqrt"},
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
        classifier = RandomForestClassifier(**parameters, n_jobs=1, random_state=seed)
        return pipeline.fit(classifier, frame, y, weights, features, normal=False)


CANDIDATE = Forest()
