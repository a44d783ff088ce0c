"""What a model's probabilities are worth: discrimination, accuracy of the probabilities, F2, intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

from solvent.modelling.data import Floats, Ints


def figures(estimates: Floats, y: Ints) -> dict[str, Any]:
    """Of probabilities and outcomes, both (n,). `accuracy` is at 0.5, `majority_accuracy` that of the larger class."""
    auc = float(roc_auc_score(y, estimates))
    false_positive, true_positive, _ = roc_curve(y, estimates)
    bad_rate = float(y.mean())
    return {
        "auc": auc,
        "gini": 2 * auc - 1,
        "ks": float(np.max(true_positive - false_positive)),
        "pr_auc": float(average_precision_score(y, estimates)),
        "brier": float(brier_score_loss(y, estimates)),
        "log_loss": float(log_loss(y, estimates)),
        "accuracy": float(((estimates >= 0.5) == y).mean()),
        "majority_accuracy": max(bad_rate, 1 - bad_rate),
        "bad_rate": bad_rate,
        "rows": len(y),
    }


def f2_threshold(estimates: Floats, y: Ints) -> float:
    """The probability from which flagging has the largest F2; halfway between two different probabilities."""
    order = np.argsort(-estimates, kind="stable")
    p, bad = estimates[order], np.cumsum(y[order])
    flagged = np.arange(1, len(p) + 1)
    scores = np.where(np.append(p[1:] < p[:-1], True), 5 * bad / (flagged + 4 * bad[-1]), -1.0)
    best = int(np.argmax(scores))
    return 0.0 if best == len(p) - 1 else float((p[best] + p[best + 1]) / 2)


def f2(flagged: Floats | Ints, y: Ints) -> float:
    """5 hits / (flagged + 4 bad): recall counts four times as much as precision (van Rijsbergen 1979)."""
    return float(5 * (flagged * y).sum() / (flagged.sum() + 4 * y.sum()))


def f2_judged(estimates: Floats, y: Ints, fold_of: Ints) -> dict[str, float]:
    """F2 at thresholds that the other folds choose, the share flagged there, and the F2 of flagging everyone."""
    flagged = np.zeros(len(y), dtype=np.int64)
    for number in np.unique(fold_of):
        here = fold_of == number
        flagged[here] = estimates[here] >= f2_threshold(estimates[~here], y[~here])
    return {
        "f2": f2(flagged, y),
        "threshold": f2_threshold(estimates, y),
        "decline_rate": float(flagged.mean()),
        "f2_flag_everyone": f2(np.ones(len(y), dtype=np.int64), y),
    }


def interval(values: Sequence[float], folds: int) -> dict[str, float]:
    """Mean and 95 % interval of figures of (repeated) folds: the corrected resampled t.

    Fits share most of their rows, so the variance of the mean is that of the figures times 1 / count + judged / fitted
    rows (Nadeau and Bengio 2003, Machine Learning 52).
    """
    found = np.asarray(values, dtype=np.float64)
    spread = float(found.std(ddof=1) * np.sqrt(1 / len(found) + 1 / (folds - 1)))
    half = float(stats.t.ppf(0.975, len(found) - 1)) * spread
    mean = float(found.mean())
    return {"mean": mean, "low": mean - half, "high": mean + half}
