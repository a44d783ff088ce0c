"""A support vector machine with a radial kernel, by Nystroem features so that it fits 30,000 rows."""

from collections.abc import Sequence

import pandas as pd
from sklearn.kernel_approximation import Nystroem
from sklearn.svm import LinearSVC

from solvent.modelling.candidates import Parameters, pipeline
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature


class SupportVectors:
    name = "svm"
    explains = False
    grid: Sequence[Parameters] = (
        {"C": 0.1, "gamma": 0.3, "components": 300},
        {"C": 0.01, "gamma": 0.3, "components": 300},
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
        kernel = Nystroem(
            gamma=parameters["gamma"] / len(features),
            n_components=min(parameters["components"], len(y)),
            random_state=seed,
        )
        classifier = LinearSVC(C=parameters["C"], random_state=seed)
        return pipeline.fit(classifier, frame, y, weights, features, normal=True, kernel=kernel)


CANDIDATE = SupportVectors()
