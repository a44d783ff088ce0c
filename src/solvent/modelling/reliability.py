"""Whether probabilities are what they say: slope and intercept, expected calibration error, the usual tests."""

from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from solvent.modelling.cells import figure
from solvent.modelling.data import Floats, Ints

GROUPS = 10
LEAST = 1e-9


def judge(estimates: Floats, y: Ints) -> dict[str, Any]:
    """Of out-of-fold `estimates` (n,) against outcomes `y` (n,).

    `slope` and `intercept` of the logistic regression of `y` on the estimates' log-odds (Cox 1958; 1 and 0 are right),
    with their 95 % intervals; `expected_calibration_error` over ten groups of equal size, whose figures are `groups`;
    p-values of Hosmer and Lemeshow (1980, 10 degrees of freedom: the rows were not fitted) and Spiegelhalter (1986);
    log loss and Brier score beside those of the constant bad rate.
    """
    p = np.clip(estimates, LEAST, 1 - LEAST)
    slope, intercept, errors = _cox(logit(p), y)
    groups = _groups(p, y)
    count = np.array([g["rows"] for g in groups], dtype=np.float64)
    expected = np.array([g["estimate"] for g in groups])
    observed = np.array([g["bad_rate"] for g in groups])
    hosmer = float(np.sum(count * (observed - expected) ** 2 / (expected * (1 - expected))))
    spread = np.sqrt(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    spiegelhalter = float(np.sum((y - p) * (1 - 2 * p)) / spread) if spread > 0 else 0.0
    bad_rate = float(y.mean())
    z = figure("confidence_z")
    return {
        "slope": slope,
        "slope_interval": [slope - z * errors[1], slope + z * errors[1]],
        "intercept": intercept,
        "intercept_interval": [intercept - z * errors[0], intercept + z * errors[0]],
        "expected_calibration_error": float(np.sum(count * np.abs(observed - expected)) / len(y)),
        "hosmer_lemeshow_p": float(chi2.sf(hosmer, len(groups))),
        "spiegelhalter_p": float(2 * norm.sf(abs(spiegelhalter))),
        "log_loss": float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p)))),
        "log_loss_of_constant": float(-(bad_rate * np.log(bad_rate) + (1 - bad_rate) * np.log1p(-bad_rate))),
        "brier": float(np.mean((p - y) ** 2)),
        "brier_of_constant": bad_rate * (1 - bad_rate),
        "groups": groups,
    }


def _groups(p: Floats, y: Ints) -> list[dict[str, Any]]:
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, min(GROUPS, len(p))) if len(part)]
    return [{"rows": len(i), "estimate": float(p[i].mean()), "bad_rate": float(y[i].mean())} for i in parts]


def _cox(x: Floats, y: Ints) -> tuple[float, float, tuple[float, float]]:
    """Slope, intercept and their standard errors (intercept, slope), by Newton's method.

    Estimates that are all alike have no slope: it is 0 then, and known exactly.
    """
    if np.ptp(x) < LEAST:
        rate = float(np.clip(y.mean(), LEAST, 1 - LEAST))
        return 0.0, float(logit(rate)), (float(1 / np.sqrt(len(y) * rate * (1 - rate))), 0.0)
    design = np.column_stack([np.ones_like(x), x])
    beta = np.array([0.0, 1.0])
    information = np.eye(2)
    for _ in range(50):
        mean = expit(design @ beta)
        information = design.T @ (design * (mean * (1 - mean))[:, None]) + LEAST * np.eye(2)
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + np.clip(step, -1, 1)
        if np.max(np.abs(step)) < 1e-8:
            break
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return float(beta[1]), float(beta[0]), (float(errors[0]), float(errors[1]))
