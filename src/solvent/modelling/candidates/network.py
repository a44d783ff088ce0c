"""A neural network: one hidden layer on quantile-normal numbers and one-hot categories."""

import warnings
from collections.abc import Sequence

import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from solvent.modelling.candidates import Parameters, pipeline
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature


class Network:
    name = "network"
    explains = False
    grid: Sequence[Parameters] = (
        {"hidden_layer_sizes": [16], "alpha": 10.0},
        {"hidden_layer_sizes": [8], "alpha": 30.0},
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
        classifier = MLPClassifier(**parameters, solver="lbfgs", max_iter=100, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # steps are bounded; the penalty settles the rest
            return pipeline.fit(classifier, frame, y, weights, features, normal=True)


CANDIDATE = Network()
