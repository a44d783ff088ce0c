"""Platt's calibration of margins that no fitted row has seen: unweighted, unresampled."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from solvent.modelling.boosted import Calibration
from solvent.modelling.data import Floats, Ints

LARGEST_MARGIN = 15.0
SMALLEST_SLOPE = 1e-3
UNPENALISED = 1e10


def chosen(margins: Floats, y: Ints) -> Calibration:
    """Slope and intercept of a logistic regression of `y` on out-of-fold margins, both (n,)."""
    model = LogisticRegression(C=UNPENALISED, solver="newton-cholesky", tol=1e-8, max_iter=200).fit(margins[:, None], y)
    slope = float(model.coef_[0, 0])
    if slope >= SMALLEST_SLOPE:
        return Calibration(slope, float(model.intercept_[0]))
    # Margins that do not rank: the base rate, and ranks stay.
    return Calibration(SMALLEST_SLOPE, float(np.log(y.mean() / (1 - y.mean())) - SMALLEST_SLOPE * margins.mean()))


def across(margins: Floats, y: Ints, fold_of: Ints) -> Floats:
    """Probabilities, (n,): each fold's margins by the calibration that the other folds choose."""
    estimates = np.full(len(y), np.nan)
    for number in np.unique(fold_of):
        here = fold_of == number
        estimates[here] = chosen(margins[~here], y[~here]).probabilities(margins[here])
    return estimates


def log_odds(probabilities: Floats) -> Floats:
    """Margins of a model that only gives probabilities, bounded."""
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.clip(np.log(p / (1 - p)), -LARGEST_MARGIN, LARGEST_MARGIN)
