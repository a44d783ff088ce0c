"""From probabilities to decisions: the cut-offs of least expected cost, and what they come to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvent.modelling.data import Floats, Ints
from solvent.scoring import Terms
from solvent.specification import Specification


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


def fold_costs(decided: Decided, y: Ints, fold_of: Ints, specification: Specification) -> list[float]:
    """Cost per applicant in each fold, in the folds' order."""
    decision = specification.decision
    cost = np.where(decided.declined, decision.cost_false_decline * (y == 0), decision.cost_false_approve * (y == 1))
    return [float(cost[fold_of == number].mean()) for number in np.unique(fold_of)]


def terms(specification: Specification, cutoffs: Mapping[str, float], *, used: Iterable[str]) -> Terms:
    """What a model of this specification is served with: its scale, bands and words, and these cut-offs.

    `used` are the features that it was trained with.
    """
    known, scale = frozenset(used), specification.scale
    return Terms(
        portfolio=specification.portfolio,
        model=specification.model,
        entity=specification.entity,
        specification=specification.checksum,
        ignored=tuple(f.name for f in specification.features if f.name not in known),
        points=float(scale.points),
        odds=float(scale.odds),
        points_to_double_odds=float(scale.points_to_double_odds),
        bands=specification.bands,
        refer=cutoffs["refer"],
        decline=cutoffs["decline"],
        reasons=specification.reasons,
        words=specification.decision.words,
    )
