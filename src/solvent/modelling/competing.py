"""One candidate's way through the folds: balanced, tuned inside, judged outside."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from solvent.modelling import balance, folds, metrics
from solvent.modelling.candidates import Candidate, Fitted, Parameters
from solvent.modelling.data import Floats, Ints, Sample
from solvent.specification import Training

# What a search can maximise in the inner folds: of margins and outcomes, both (n,).
SEARCH = {
    "auc": lambda margins, y: float(roc_auc_score(y, margins)),
    "pr_auc": lambda margins, y: float(average_precision_score(y, margins)),
    "f2": lambda margins, y: metrics.f2(margins >= metrics.f2_threshold(margins, y), y),
}


@dataclass(frozen=True)
class OutOfFold:
    """`margins` (n,) by models that have not seen the row's group; rows that no fold judges have fold -1 and NaN.

    `parameters` were tuned in each fold, of which `models` are; `seconds` is the mean time of a fit with its tuning.
    """

    margins: Floats
    fold_of: Ints
    parameters: tuple[Parameters, ...]
    seconds: float
    models: tuple[Fitted, ...] = ()


def fit(candidate: Candidate, sample: Sample, parameters: Parameters, training: Training) -> Fitted:
    """Fit on all rows of a sample, balanced as the specification says."""
    frame, y = sample.frame, sample.y
    if training.balance == "smote":
        frame, y = balance.resampled(frame, y, sample.features, seed=training.seed)
    weights = balance.weights(y) if training.balance == "weights" else np.ones(len(y))
    return candidate.fit(frame, y, weights, features=sample.features, parameters=parameters, seed=training.seed)


def tuned(candidate: Candidate, sample: Sample, training: Training) -> Parameters:
    """The entry of the grid that is best on the mean over inner folds; the earlier one of equals."""
    grid = training.grids.get(candidate.name) or candidate.grid
    if len(grid) == 1:
        return grid[0]
    inner = list(folds.split(sample, count=training.inner_folds, seed=training.seed))
    score = SEARCH[training.search_metric]
    means = [
        np.mean([
            score(fit(candidate, sample.take(rest), entry, training).margins(sample.frame.iloc[held]), sample.y[held])
            for rest, held in inner
        ])
        for entry in grid
    ]  # fmt: skip
    return grid[int(np.argmax(means))]


def out_of_fold(candidate: Candidate, sample: Sample, training: Training) -> OutOfFold:
    """Margins of every row that a fold judges, by models tuned and fitted on the other rows alone."""
    margins, fold_of = np.full(len(sample.y), np.nan), np.full(len(sample.y), -1, dtype=np.int64)
    parameters: list[Mapping[str, Any]] = []
    models: list[Fitted] = []
    begun = time.perf_counter()
    for number, (rest, held_out) in enumerate(folds.split(sample, count=training.folds, seed=training.seed)):
        known = sample.take(rest)
        parameters.append(tuned(candidate, known, training))
        models.append(fit(candidate, known, parameters[-1], training))
        margins[held_out] = models[-1].margins(sample.frame.iloc[held_out])
        fold_of[held_out] = number
    seconds = (time.perf_counter() - begun) / len(parameters)
    return OutOfFold(margins, fold_of, tuple(parameters), seconds, tuple(models))
