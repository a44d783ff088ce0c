"""The weight-of-evidence scorecard: optimal bins, a logistic regression (L1 or L2) on their evidence, points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from solvent import scorecard
from solvent.modelling import bins, data
from solvent.modelling.bins import Bins
from solvent.modelling.boosted import Calibration
from solvent.modelling.candidates import Parameters
from solvent.modelling.data import Floats, Ints
from solvent.scoring import Terms
from solvent.specification import Feature


@dataclass(frozen=True)
class Fit:
    """Weights of bins in log-odds, a tuple per feature; `references` are those of the reference values' bins."""

    bins: tuple[Bins, ...]
    weights: tuple[tuple[float, ...], ...]
    references: tuple[float, ...]
    intercept: float
    calibration: Calibration = Calibration()

    def margins(self, frame: pd.DataFrame) -> Floats:
        """Log-odds before calibration, (n,)."""
        total = np.full(len(frame), self.intercept)
        for b, weights in zip(self.bins, self.weights, strict=True):
            total += np.asarray(weights)[b.codes(frame[b.feature.name])]
        return total

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """Calibrated probabilities of the bad outcome, (n,)."""
        return self.calibration.probabilities(self.margins(frame))


class WeightOfEvidence:
    name = "scorecard"
    explains = True
    grid: Sequence[Parameters] = (
        {"bins": 6, "C": 1.0, "penalty": "l2"},
        {"bins": 6, "C": 0.1, "penalty": "l2"},
        {"bins": 6, "C": 1.0, "penalty": "l1"},
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
    ) -> Fit:
        found = tuple(bins.optimal(frame[f.name], y, f, most=parameters["bins"]) for f in features)
        codes = [b.codes(frame[b.feature.name]) for b in found]
        evidence = [b.evidence(c, y) for b, c in zip(found, codes, strict=True)]
        x = np.column_stack([e[c] for e, c in zip(evidence, codes, strict=True)])
        model, coefficients = _regression(x, y, weights, parameters, seed)
        weighed = [k * e for k, e in zip(coefficients, evidence, strict=True)]
        compared = [pd.Series([data.reference(frame[f.name], f)], dtype="object") for f in features]
        return Fit(
            bins=found,
            weights=tuple(tuple(float(w) for w in one) for one in weighed),
            references=tuple(float(w[b.codes(r)[0]]) for w, b, r in zip(weighed, found, compared, strict=True)),
            intercept=float(model.intercept_[0]),
        )


def _regression(
    x: Floats, y: Ints, weights: Floats, parameters: Parameters, seed: int
) -> tuple[LogisticRegression, Floats]:
    """The regression and a coefficient per feature; none is below zero, which would turn a feature's evidence around.

    Features that would have one, because others say the same, are left out one after the other, the worst first.
    """
    lasso = parameters["penalty"] == "l1"
    kept = np.arange(x.shape[1])
    while True:
        model = LogisticRegression(
            C=parameters["C"],
            l1_ratio=1.0 if lasso else 0.0,
            solver="liblinear" if lasso else "newton-cholesky",
            tol=1e-8,
            max_iter=500,
            random_state=seed,
        ).fit(x[:, kept], y, sample_weight=weights)
        worst = int(np.argmin(model.coef_[0]))
        if model.coef_[0, worst] >= 0 or len(kept) == 1:
            break
        kept = np.delete(kept, worst)
    coefficients = np.zeros(x.shape[1])
    coefficients[kept] = np.maximum(model.coef_[0], 0.0)
    return model, coefficients


def exported(fit: Fit, terms: Terms, ranges: dict[str, tuple[float, float]]) -> scorecard.Scorecard:
    """The scorecard as it is served: calibration is folded into intercept and weights."""
    slope = fit.calibration.slope
    features: list[scorecard.Feature] = []
    for b, weights, compared in zip(fit.bins, fit.weights, fit.references, strict=True):
        name, text, reference = b.feature.name, b.feature.text, slope * compared
        *regular, missing = (slope * w for w in weights)
        if b.edges is not None:
            features.append(
                scorecard.NumericFeature(name, text, b.edges, tuple(regular), missing, reference, *ranges[name])
            )
        else:
            *regular, other = regular
            features.append(
                scorecard.CategoricalFeature(name, text, b.levels, tuple(regular), other, missing, reference)
            )
    return scorecard.Scorecard(
        **terms.terms(),
        features=tuple(features),
        intercept=slope * fit.intercept + fit.calibration.intercept,
    )


CANDIDATE = WeightOfEvidence()
