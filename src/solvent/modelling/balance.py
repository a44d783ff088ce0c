"""Rare outcomes made heavier (class weights) or more numerous (SMOTE), in the rows that are fitted only."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from solvent.modelling.data import Floats, Ints, plain
from solvent.specification import Feature

NEIGHBOURS = 5


def weights(y: Ints) -> Floats:
    """Weights, (n,), mean 1, under which both outcomes count the same."""
    share = y.mean()
    return np.where(y == 1, 0.5 / share, 0.5 / (1 - share))


def resampled(frame: pd.DataFrame, y: Ints, features: Sequence[Feature], *, seed: int) -> tuple[pd.DataFrame, Ints]:
    """The features of the rows given, as they are, and synthetic rows of the rarer outcome until both are as many.

    SMOTE where all features are numeric, SMOTENC else (Chawla et al. 2002, JAIR 16). Neighbours are found on
    standardised numbers with medians for nulls; a missing category stays missing.
    """
    from imblearn.over_sampling import SMOTE, SMOTENC

    given = plain(frame, features)
    numeric = [f.name for f in features if f.kind == "numeric"]
    categories = [f.name for f in features if f.kind == "categorical"]
    filled = given.copy()
    middle, width = given[numeric].median().fillna(0.0), given[numeric].std().fillna(0.0).replace(0.0, 1.0)
    filled[numeric] = (given[numeric].fillna(middle) - middle) / width
    near = min(NEIGHBOURS, int(np.bincount(y).min()) - 1)
    if near < 1:
        return given, y
    sampler = (
        SMOTENC(categories, k_neighbors=near, random_state=seed)
        if categories
        else SMOTE(k_neighbors=near, random_state=seed)
    )
    more, outcome = sampler.fit_resample(filled, y)
    made = more.iloc[len(y) :].copy()
    made[numeric] = made[numeric] * width + middle
    every = pd.concat([given, made], ignore_index=True)
    every[categories] = every[categories].astype("object").where(every[categories] != "null", None)
    return every, np.asarray(outcome, dtype=np.int64)
