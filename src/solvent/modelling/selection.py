"""Candidates side by side, and which of them may be the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from solvent.modelling import calibration, decisions, metrics
from solvent.modelling.candidates import Candidate
from solvent.modelling.competing import OutOfFold
from solvent.modelling.data import Floats, Ints
from solvent.specification import Specification

PREFERRED = "scorecard"
LOWER_IS_BETTER = frozenset({"expected_cost"})


@dataclass(frozen=True)
class Contender:
    """A candidate with its calibrated out-of-fold probabilities (n,) and figures of each fold."""

    candidate: Candidate
    run: OutOfFold
    estimates: Floats
    by_fold: Mapping[str, Sequence[float]]


def contender(candidate: Candidate, run: OutOfFold, y: Ints, specification: Specification) -> Contender:
    """Calibrate across folds and judge; `run` and `y` hold the rows that a fold judges."""
    estimates = calibration.across(run.margins, y, run.fold_of)
    every = [(y[run.fold_of == k], estimates[run.fold_of == k]) for k in np.unique(run.fold_of)]
    decided = decisions.decided(estimates, y, run.fold_of, specification)
    by_fold = {
        "auc": [float(roc_auc_score(truth, p)) for truth, p in every],
        "pr_auc": [float(average_precision_score(truth, p)) for truth, p in every],
        "brier": [float(np.mean((truth - p) ** 2)) for truth, p in every],
        "expected_cost": decisions.fold_costs(decided, y, run.fold_of, specification),
    }
    return Contender(candidate, run, estimates, by_fold)


def champion(contenders: Sequence[Contender], metric: str) -> Contender:
    """The best of those that can be explained; the scorecard when it is within one standard error of the best.

    The standard error is that of the best one's fold figures (Breiman et al. 1984, section 3.4.3).
    """
    explained = [c for c in contenders if c.candidate.explains]
    sign = -1 if metric in LOWER_IS_BETTER else 1
    best = max(explained, key=lambda c: sign * np.mean(c.by_fold[metric]))
    error = _standard_error(best, metric)
    for c in explained:
        if (
            c.candidate.name == PREFERRED
            and sign * (np.mean(best.by_fold[metric]) - np.mean(c.by_fold[metric])) <= error
        ):
            return c
    return best


def comparison(contenders: Sequence[Contender], chosen: Contender, metric: str) -> list[dict[str, Any]]:
    """A row per candidate: figures with intervals, seconds of a fit, tuned settings, and why it was (not) chosen."""
    return [
        {
            "name": c.candidate.name,
            **{name: metrics.interval(values, len(values)) for name, values in c.by_fold.items()},
            "fit_seconds": round(c.run.seconds, 3),
            "parameters": [dict(p) for p in c.run.parameters],
            "chosen": c is chosen,
            "why": _why(c, chosen, contenders, metric),
        }
        for c in contenders
    ]


def _why(c: Contender, chosen: Contender, contenders: Sequence[Contender], metric: str) -> str:
    mean, rival = float(np.mean(c.by_fold[metric])), float(np.mean(chosen.by_fold[metric]))
    explained = [k for k in contenders if k.candidate.explains]
    sign = -1 if metric in LOWER_IS_BETTER else 1
    best = max(explained, key=lambda k: sign * np.mean(k.by_fold[metric]))
    if c is chosen:
        if c is best:
            return f"best {metric} of those that can be explained: {mean:.4f}"
        return f"{metric} {mean:.4f} is within one standard error ({_standard_error(best, metric):.4f}) of the best"
    if not c.candidate.explains:
        return f"{metric} {mean:.4f}; no exact explanation on every serving path, so it cannot become champion"
    if c is best:
        return f"{metric} {mean:.4f} is best, but the {PREFERRED} is within one standard error and simpler"
    return f"{metric} {mean:.4f}, the chosen has {rival:.4f}"


def _standard_error(c: Contender, metric: str) -> float:
    values = np.asarray(c.by_fold[metric])
    return float(values.std(ddof=1) / np.sqrt(len(values)))
