"""Training: candidates compared out of fold, the best explained one calibrated and fitted on all rows.

Runs in AWS's XGBoost container (numpy 2.1, pandas 2.2, scikit-learn 1.8) and on a laptop; nothing newer is used. Bins,
levels, weights, settings, calibration and cut-offs come from the other folds alone: a figure out of fold has seen
nothing of the rows that it judges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from solvent import contracts, tuning
from solvent.modelling import calibration, candidates, competing, data, decisions, evidence, folds, metrics, selection
from solvent.modelling.boosted import Boosted
from solvent.modelling.candidates import Fitted
from solvent.modelling.candidates.scorecard import Fit, exported
from solvent.modelling.data import Floats, Ints, Sample, TrainingError
from solvent.scorecard import Scorecard
from solvent.scoring import LARGEST_NUMBER, Terms
from solvent.specification import Specification

__all__ = ["Trained", "TrainingError", "train", "trial"]


@dataclass(frozen=True)
class Trained:
    """The model to serve, under which terms, and what it was judged on.

    `fit` is the model as fitted (`probabilities(frame)`). `frame` (n rows), `y`, `fold_of` and `estimates` hold the
    rows that a fold judges: all labelled ones, but for the first block by time. `estimates` are each candidate's
    calibrated out-of-fold probabilities, (n,); `protected` are the protected columns that the frame has.
    """

    model: Scorecard | Boosted
    name: str
    fit: Fitted
    terms: Terms
    evaluation: dict[str, Any]
    frame: pd.DataFrame
    y: Ints
    fold_of: Ints
    estimates: Mapping[str, Floats]
    protected: tuple[str, ...]

    @property
    def scorecard(self) -> Scorecard:
        """The model where it is a scorecard. Raises TrainingError where it is not."""
        if isinstance(self.model, Scorecard):
            return self.model
        raise TrainingError(
            f"The champion is {self.name}, which is no scorecard: leave it out of the specification's `candidates`."
        )


def train(frame: pd.DataFrame, *, specification: Specification, excluded: Sequence[str] = ()) -> Trained:
    """The champion of the specification's candidates, fitted on all labelled rows, and its out-of-fold evaluation.

    `frame` has one row per entity: its key, its group, the features, the label (0, 1 or null: unlabelled rows are left
    out). `excluded` features are left out too. Raises TrainingError.
    """
    training = specification.training
    features = [f for f in specification.features if f.name not in set(excluded)]
    sample = data.labelled(frame, specification, features)
    contenders, rows = _compete(sample, specification)
    chosen = selection.champion(contenders, training.metric)
    y, fold_of, estimates = sample.y[rows], chosen.run.fold_of, chosen.estimates
    cutoffs = decisions.cut_offs(estimates, y, specification)
    parameters = competing.tuned(chosen.candidate, sample, training)
    fit = replace(  # type: ignore[type-var]
        competing.fit(chosen.candidate, sample, parameters, training),
        calibration=calibration.chosen(chosen.run.margins, y),
    )
    judged = sample.frame.iloc[rows].reset_index(drop=True)
    decided = decisions.decided(estimates, y, fold_of, specification)
    sources: list[str] = judged["label_source"].astype(str).unique().tolist() if "label_source" in judged else []
    evaluation = {
        **metrics.figures(estimates, y),
        "fold_auc": list(chosen.by_fold["auc"]),
        "f2": metrics.f2_judged(estimates, y, fold_of),
        "decision": decisions.judged(decided, y, specification),
        "cutoffs": cutoffs,
        "candidate": chosen.candidate.name,
        "parameters": dict(parameters),
        "comparison": selection.comparison(contenders, chosen, training.metric),
        "features": [f.name for f in features],
        "excluded_features": sorted(excluded),
        "label_sources": sorted(sources),
        "specification": specification.checksum,
        "protocol": _protocol(sample, specification),
        **evidence.measure(
            judged,
            y,
            estimates=estimates,
            fold_of=fold_of,
            declined=decided.declined,
            cutoff=cutoffs["decline"],
            specification=specification,
            features=features,
            models=[(model.margins, np.flatnonzero(fold_of == k)) for k, model in enumerate(chosen.run.models)],
            final=fit.probabilities,
        ),
    }
    terms = decisions.terms(specification, cutoffs, used=[f.name for f in features])
    return Trained(
        model=_served(fit, specification, terms),
        name=chosen.candidate.name,
        fit=fit,
        terms=terms,
        evaluation=evaluation,
        frame=judged,
        y=y,
        fold_of=fold_of,
        estimates={c.candidate.name: c.estimates for c in contenders},
        protected=tuple(name for name in specification.protected if name in judged),
    )


def trial(frame: pd.DataFrame, *, specification: Specification, excluded: Sequence[str] = ()) -> float:
    """The out-of-fold AUC of boosting under the specification's settings, in the folds of `train`.

    `frame` and `excluded` as for `train`. Raises TrainingError.
    """
    features = [f for f in specification.features if f.name not in set(excluded)]
    sample = data.labelled(frame, specification, features)
    run = competing.out_of_fold(candidates.named(tuning.CANDIDATE), sample, specification.training)
    judged = run.fold_of >= 0
    return competing.SEARCH["auc"](run.margins[judged], sample.y[judged])


def _compete(sample: Sample, specification: Specification) -> tuple[list[selection.Contender], Ints]:
    """Every candidate through the same folds, and the rows that these judge."""
    found, rows = [], np.arange(0)
    for name in specification.training.candidates:
        candidate = candidates.named(name)
        run = competing.out_of_fold(candidate, sample, specification.training)
        rows = np.flatnonzero(run.fold_of >= 0)
        run = replace(run, margins=run.margins[rows], fold_of=run.fold_of[rows])
        found.append(selection.contender(candidate, run, sample.y[rows], specification))
    return found, rows


def _protocol(sample: Sample, specification: Specification) -> str:
    training = specification.training
    how = folds.description(sample, count=training.folds, seed=training.seed)
    return (
        f"{how}; settings tuned in {training.inner_folds} inner folds where there is a choice; figures on the pooled "
        f"out-of-fold probabilities, each fold calibrated and decided (cut-offs, F2 threshold) by the out-of-fold rows "
        f"of the other folds; the model's own calibration and cut-offs by all"
    )


def _served(fit: Fitted, specification: Specification, terms: Terms) -> Scorecard | Boosted:
    if isinstance(fit, Fit):
        return exported(fit, terms, {b.feature.name: _range(b.feature.name, specification) for b in fit.bins})
    assert isinstance(fit, Boosted)
    ranges = [_range(i.name, specification) if i.kind == "numeric" else (None, None) for i in fit.inputs]
    inputs = [replace(i, minimum=low, maximum=high) for i, (low, high) in zip(fit.inputs, ranges, strict=True)]
    return replace(fit, inputs=tuple(inputs))


def _range(feature: str, specification: Specification) -> tuple[float, float]:
    """What the contract of the portfolio's features allows."""
    column = contracts.load()[specification.features_table].column(feature)
    minimum = -LARGEST_NUMBER if column.minimum is None else float(column.minimum)
    return minimum, LARGEST_NUMBER if column.maximum is None else float(column.maximum)
