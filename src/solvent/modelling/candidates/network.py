"""A neural network: one hidden layer on quantile-normal numbers and one-hot categories."""

from collections.abc import Sequence

import pandas as pd
from sklearn.neural_network import MLPClassifier

from solvent.modelling.candidates import Parameters, pipeline
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature


class Network:
    name = "network"
    explains = False
    grid: Sequence[Parameters] = (
        {"hidden_layer_sizes": [16], "alpha": 1.0},
        {"hidden_layer_sizes": [32], "alpha": 10.0},
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
        classifier = MLPClassifier(**parameters, early_stopping=True, max_iter=200, random_state=seed)
        return pipeline.fit(classifier, frame, y, weights, features, normal=True)


CANDIDATE = Network()
