"""Gradient boosting under the specification's monotone directions: one ensemble, explained by exact TreeSHAP."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from solvent.modelling import boosted
from solvent.modelling.boosted import Boosted, Input
from solvent.modelling.candidates import Parameters
from solvent.modelling.data import Floats, Ints, reference
from solvent.specification import Feature


class Boosting:
    """`rounds` trees by XGBoost's own parameters; `weighted` is the power of the class weights: 1 as given, 0 none."""

    name = "xgboost"
    explains = True
    grid: Sequence[Parameters] = (
        {"rounds": 150, "max_depth": 3, "eta": 0.05, "subsample": 0.8, "colsample_bytree": 0.5, "weighted": 0},
        {"rounds": 300, "max_depth": 4, "eta": 0.03, "subsample": 0.8, "colsample_bytree": 0.5, "weighted": 0},
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
    ) -> Boosted:
        given = dict(parameters)
        rounds, weighted = given.pop("rounds"), given.pop("weighted", 1)
        # One thread: sums in another order would give another model on another machine.
        settings = {"seed": seed, "nthread": 1, **given}
        inputs = [_input(frame[f.name], f) for f in features]
        return boosted.fit(frame, y, inputs, rounds=rounds, parameters=settings, weights=weights**weighted)


def _input(values: "pd.Series[Any]", feature: Feature) -> Input:
    levels = tuple(sorted(values.dropna().astype(str).unique())) if feature.kind == "categorical" else ()
    return Input(
        feature.name,
        feature.kind,
        feature.text,
        levels=levels,
        monotone=feature.monotone,
        reference=reference(values, feature),
    )


CANDIDATE = Boosting()
