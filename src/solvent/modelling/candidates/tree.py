"""A decision tree, small enough to be read."""

from collections.abc import Sequence

import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from solvent.modelling.candidates import Parameters, pipeline
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature


class Tree:
    name = "tree"
    explains = False
    grid: Sequence[Parameters] = (
        {"max_depth": 5, "min_samples_leaf": 0.02},
        {"max_depth": 4, "min_samples_leaf": 0.01},
        {"max_depth": 6, "min_samples_leaf": 0.01},
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
        classifier = DecisionTreeClassifier(**parameters, random_state=seed)
        return pipeline.fit(classifier, frame, y, weights, features, normal=False)


CANDIDATE = Tree()
