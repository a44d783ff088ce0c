"""What the reports draw: ROC, precision and recall, scores of good and bad, and what other cut-offs would have done."""

from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from solvent.modelling.data import Floats, Ints
from solvent.specification import Specification

POINTS = 60
BINS = 20
MULTIPLES = (0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5)


def judge(estimates: Floats, y: Ints, cutoff: float, specification: Specification) -> dict[str, Any]:
    """{"roc", "precision_recall", "pr_auc", "scores", "cutoffs"} of out-of-fold estimates (n,).

    Curves are [x, y] pairs, thinned. `scores`: counts of good and bad rows in twenty bins of probability. `cutoffs`:
    approval rate, bad rate of the approved and cost per case at multiples of the decline cut-off.
    """
    false_positive, true_positive, _ = roc_curve(y, estimates)
    precision, recall, _ = precision_recall_curve(y, estimates)
    edges = np.linspace(0, 1, BINS + 1)
    return {
        "roc": _thinned(false_positive, true_positive),
        "precision_recall": _thinned(recall[::-1], precision[::-1]),
        "pr_auc": float(average_precision_score(y, estimates)),
        "scores": {
            "edges": edges.tolist(),
            "good": np.histogram(estimates[y == 0], edges)[0].tolist(),
            "bad": np.histogram(estimates[y == 1], edges)[0].tolist(),
        },
        "cutoffs": [_decided(estimates, y, min(cutoff * m, 1.0), m, specification) for m in MULTIPLES],
    }


def _thinned(x: Floats, y: Floats) -> list[list[float]]:
    keep = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
    return [[float(x[i]), float(y[i])] for i in keep]


def _decided(
    estimates: Floats, y: Ints, cutoff: float, multiple: float, specification: Specification
) -> dict[str, Any]:
    declined, decision = estimates >= cutoff, specification.decision
    cost = decision.cost_false_approve * y[~declined].sum() + decision.cost_false_decline * (y[declined] == 0).sum()
    return {
        "multiple": multiple,
        "cutoff": float(cutoff),
        "approval_rate": float((~declined).mean()),
        "bad_rate_approved": float(y[~declined].mean()) if (~declined).any() else None,
        "cost": float(cost / len(y)),
    }
