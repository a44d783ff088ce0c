"""Fitting and judging a scorecard: quantile bins, one-hot, logistic regression (L2), out-of-fold figures.

Runs in AWS's XGBoost container (numpy 2.1, pandas 2.2, scikit-learn 1.8) and on a laptop; nothing newer is used. Bins,
levels, weights and cut-offs come from the other folds alone: a figure out of fold has seen nothing of the rows that
it judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedGroupKFold

from solvent import contracts
from solvent.scorecard import LARGEST_NUMBER, CategoricalFeature, Feature, NumericFeature, Scorecard
from solvent.specification import Feature as FeatureSpecification
from solvent.specification import Specification

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class TrainingError(Exception):
    """The data cannot train a model; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Bins:
    """The bins of one feature. Numeric: edges; categorical: levels. The codes after those are `other` and `missing`."""

    name: str
    text: str
    edges: tuple[float, ...] | None = None
    levels: tuple[str, ...] = ()

    @property
    def regular(self) -> int:
        return len(self.levels) if self.edges is None else len(self.edges) + 1

    @property
    def size(self) -> int:
        """Regular bins, `other` for categories, `missing`."""
        return self.regular + (2 if self.edges is None else 1)

    def codes(self, values: "pd.Series[Any]") -> Ints:
        """The bin of each value, (n,); the same bins as `solvent.scorecard` gives, which a test compares."""
        if self.edges is not None:
            numbers = _numbers(values)
            codes = np.searchsorted(np.asarray(self.edges), numbers, side="left").astype(np.int64)
            return np.where(np.isnan(numbers), self.size - 1, codes)
        index = {level: code for code, level in enumerate(self.levels)}
        known = values.map(index).astype("float64").fillna(self.regular).to_numpy().astype(np.int64)
        return np.where(values.isna().to_numpy(), self.size - 1, known)


@dataclass(frozen=True)
class Fit:
    """A fitted regression on bins. `coefficients` are per bin, feature after feature, as scikit-learn has them."""

    bins: tuple[Bins, ...]
    model: LogisticRegression
    references: tuple[float, ...]

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """Probabilities of default, (n,)."""
        return np.asarray(self.model.predict_proba(design(self.bins, frame))[:, 1], dtype=np.float64)


@dataclass(frozen=True)
class Trained:
    scorecard: Scorecard
    evaluation: dict[str, Any]
    fit: Fit


def train(frame: pd.DataFrame, *, specification: Specification, excluded: Sequence[str] = ()) -> Trained:
    """A scorecard fitted on all labelled rows, and its out-of-fold evaluation.

    `frame` has one row per entity: its key, its group, the features, the label (0, 1 or null: unlabelled rows are left
    out). `excluded` features are left out too. Raises TrainingError.
    """
    chosen = [f for f in specification.features if f.name not in set(excluded)]
    labelled = _labelled(frame, specification, chosen)
    y = np.asarray(labelled[specification.label.column], dtype=np.int64)
    estimates, fold_of = out_of_fold(labelled, y, specification, chosen)
    fit = _fit(labelled, y, specification, chosen)
    cutoffs = cut_offs(estimates, y, specification)
    evaluation = {
        **figures(estimates, y),
        "fold_auc": [float(roc_auc_score(y[fold_of == k], estimates[fold_of == k])) for k in np.unique(fold_of)],
        "decision": judged(decided(estimates, y, fold_of, specification), y, specification),
        "cutoffs": cutoffs,
        "features": [f.name for f in chosen],
        "excluded_features": sorted(excluded),
        "label_sources": sorted(labelled["label_source"].astype(str).unique()) if "label_source" in labelled else [],
        "specification": specification.checksum,
        "protocol": _protocol(specification),
    }
    return Trained(_scorecard(fit, specification, cutoffs), evaluation, fit)


def _protocol(specification: Specification) -> str:
    folds = f"StratifiedGroupKFold({specification.training.folds}, shuffle, seed {specification.training.seed})"
    return (
        f"{folds}, grouped by {specification.group}; figures on the pooled out-of-fold probabilities; decisions in "
        f"each fold by cut-offs chosen on the out-of-fold probabilities of the other folds; the model's own cut-offs "
        f"chosen on all"
    )


def out_of_fold(
    frame: pd.DataFrame, y: Ints, specification: Specification, chosen: Sequence[FeatureSpecification]
) -> tuple[Floats, Ints]:
    """Each row's probability by a model that has not seen its customer, and the row's fold; both (n,)."""
    settings = specification.training
    folds = StratifiedGroupKFold(n_splits=settings.folds, shuffle=True, random_state=settings.seed)
    estimates, fold_of = np.full(len(y), np.nan), np.full(len(y), -1, dtype=np.int64)
    for number, (rest, held_out) in enumerate(folds.split(frame, y, frame[specification.group].to_numpy())):
        fit = _fit(frame.iloc[rest], y[rest], specification, chosen)
        estimates[held_out] = fit.probabilities(frame.iloc[held_out])
        fold_of[held_out] = number
    return estimates, fold_of


def figures(estimates: Floats, y: Ints) -> dict[str, Any]:
    """Discrimination and accuracy; `accuracy` is at probability 0.5, `majority_accuracy` that of always "repays"."""
    auc = float(roc_auc_score(y, estimates))
    false_positive, true_positive, _ = roc_curve(y, estimates)
    bad_rate = float(y.mean())
    return {
        "auc": auc,
        "gini": 2 * auc - 1,
        "ks": float(np.max(true_positive - false_positive)),
        "brier": float(brier_score_loss(y, estimates)),
        "accuracy": float(((estimates >= 0.5) == y).mean()),
        "majority_accuracy": max(bad_rate, 1 - bad_rate),
        "bad_rate": bad_rate,
        "rows": len(y),
    }


def cut_offs(estimates: Floats, y: Ints, specification: Specification) -> dict[str, float]:
    """The decline cut-off of least expected cost that declines no more than allowed, and the refer cut-off below it.

    Cost of approving the k lowest probabilities: defaults among them x cost_false_approve, plus the good ones among the
    rest x cost_false_decline. Only cut-offs between two different probabilities are possible.
    """
    decision = specification.decision
    order = np.argsort(estimates, kind="stable")
    p, bad = estimates[order], y[order]
    n = len(p)
    approved = np.arange(n + 1)
    bad_approved = np.concatenate([[0], np.cumsum(bad)])
    good_declined = (n - bad.sum()) - (approved - bad_approved)
    cost = decision.cost_false_approve * bad_approved + decision.cost_false_decline * good_declined
    possible = np.concatenate([[True], p[1:] > p[:-1], [True]]) & (approved >= decision.minimum_approval_rate * n)
    best = int(np.argmin(np.where(possible, cost, np.inf)))
    decline = 1.0 if best == n else float(p[0] / 2 if best == 0 else (p[best - 1] + p[best]) / 2)
    return {"decline": decline, "refer": decline * (1 - decision.refer_width)}


@dataclass(frozen=True)
class Decided:
    """What would have been decided of each row, both (n,): declined, and approved without a person (`straight`)."""

    declined: NDArray[np.bool_]
    straight: NDArray[np.bool_]


def decided(estimates: Floats, y: Ints, fold_of: Ints, specification: Specification) -> Decided:
    """Each fold decided by the cut-offs that the other folds choose: a cut-off never judges rows that chose it."""
    declined, straight = np.zeros(len(y), dtype=np.bool_), np.zeros(len(y), dtype=np.bool_)
    for number in np.unique(fold_of):
        here = fold_of == number
        chosen = cut_offs(estimates[~here], y[~here], specification)
        declined[here] = estimates[here] >= chosen["decline"]
        straight[here] = estimates[here] < chosen["refer"]
    return Decided(declined, straight)


def judged(decided: Decided, y: Ints, specification: Specification) -> dict[str, float]:
    """What the decisions come to. Costs are per applicant; approve and decline all for scale."""
    decision = specification.decision
    declined = decided.declined
    approve_all = decision.cost_false_approve * float(y.mean())
    decline_all = decision.cost_false_decline * float(1 - y.mean())
    cost = decision.cost_false_approve * float(y[~declined].sum()) + decision.cost_false_decline * float(
        (y[declined] == 0).sum()
    )
    return {
        "approval_rate": float((~declined).mean()),
        "straight_through_rate": float(decided.straight.mean()),
        "bad_rate_approved": float(y[~declined].mean()) if (~declined).any() else 0.0,
        "cost": cost / len(y),
        "cost_approve_all": approve_all,
        "cost_decline_all": decline_all,
    }


def design(bins: Sequence[Bins], frame: pd.DataFrame) -> Floats:
    """One-hot of the bins, (n, sum of sizes)."""
    return np.hstack([np.eye(b.size)[b.codes(frame[b.name])] for b in bins])


def _fit(frame: pd.DataFrame, y: Ints, specification: Specification, chosen: Sequence[FeatureSpecification]) -> Fit:
    bins = tuple(_bins(frame[f.name], f, specification.training.bins) for f in chosen)
    x = design(bins, frame)
    model = LogisticRegression(
        C=specification.training.regularisation, solver="newton-cholesky", tol=1e-8, max_iter=200
    )
    model.fit(x, y)
    share = x.mean(axis=0)
    references, start = [], 0
    for b in bins:
        part = slice(start, start + b.size)
        reference = float(model.coef_[0, part] @ share[part])
        # A bin without a training row (a level never seen, a value never missing) says nothing: the average weight.
        model.coef_[0, part] = np.where(share[part] > 0, model.coef_[0, part], reference)
        references.append(reference)
        start += b.size
    return Fit(bins, model, tuple(references))


def _bins(values: "pd.Series[Any]", feature: FeatureSpecification, count: int) -> Bins:
    if feature.kind == "categorical":
        return Bins(feature.name, feature.text, levels=tuple(sorted(values.dropna().astype(str).unique())))
    numbers = _numbers(values)
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        return Bins(feature.name, feature.text, edges=())
    inner = np.unique(np.quantile(numbers, np.linspace(0, 1, count + 1)[1:-1]))
    # An edge at the maximum would leave the bin above it empty.
    return Bins(feature.name, feature.text, edges=tuple(float(e) for e in inner[inner < numbers.max()]))


def _scorecard(fit: Fit, specification: Specification, cutoffs: dict[str, float]) -> Scorecard:
    features: list[Feature] = []
    start = 0
    for b, reference in zip(fit.bins, fit.references, strict=True):
        weights = tuple(float(w) for w in fit.model.coef_[0, start : start + b.size])
        start += b.size
        if b.edges is not None:
            regular, missing = weights[: b.regular], weights[-1]
            features.append(
                NumericFeature(b.name, b.text, b.edges, regular, missing, reference, *_range(b.name, specification))
            )
        else:
            regular, other, missing = weights[: b.regular], weights[-2], weights[-1]
            features.append(CategoricalFeature(b.name, b.text, b.levels, regular, other, missing, reference))
    used = {b.name for b in fit.bins}
    return Scorecard(
        portfolio=specification.portfolio,
        model=specification.model,
        entity=specification.entity,
        specification=specification.checksum,
        features=tuple(features),
        ignored=tuple(f.name for f in specification.features if f.name not in used),
        intercept=float(fit.model.intercept_[0]),
        points=float(specification.scale.points),
        odds=float(specification.scale.odds),
        points_to_double_odds=float(specification.scale.points_to_double_odds),
        bands=specification.bands,
        refer=cutoffs["refer"],
        decline=cutoffs["decline"],
        reasons=specification.reasons,
        words=specification.decision.words,
    )


def _range(feature: str, specification: Specification) -> tuple[float, float]:
    """What the contract of the portfolio's features allows."""
    contract = contracts.load()[specification.features_table]
    column = contract.column(feature)
    minimum = -LARGEST_NUMBER if column.minimum is None else float(column.minimum)
    return minimum, LARGEST_NUMBER if column.maximum is None else float(column.maximum)


def _labelled(
    frame: pd.DataFrame, specification: Specification, chosen: Sequence[FeatureSpecification]
) -> pd.DataFrame:
    label = specification.label.column
    wanted = [specification.entity, specification.group, label, *(f.name for f in chosen)]
    missing = [name for name in wanted if name not in frame]
    if missing:
        raise TrainingError(
            f"The training data lacks the columns {missing}: does it come from this specification's run?"
        )
    # Sorted, so that the folds do not depend on how many files the data came in.
    labelled = frame[frame[label].notna()].sort_values(specification.entity, kind="stable").reset_index(drop=True)
    counts = labelled[label].astype("int64").value_counts()
    smallest = min(int(counts.get(0, 0)), int(counts.get(1, 0)))
    if smallest < specification.training.folds:
        raise TrainingError(
            f"{len(labelled)} of {len(frame)} rows are labelled, {int(counts.get(1, 0))} of them 1. Each outcome "
            f"is needed {specification.training.folds} times, once per fold: deliver more rows with a known outcome."
        )
    return labelled


def _numbers(values: "pd.Series[Any]") -> Floats:
    """Floats with NaN for null, whatever numeric type (Decimal, nullable integer) the column has."""
    return np.asarray(pd.to_numeric(values.astype("object").where(values.notna(), np.nan)), dtype=np.float64)
