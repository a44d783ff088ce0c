"""Whether groups are treated alike: approval by group against the four-fifths rule, the labels, and equal opportunity.

Protected attributes are monitored, never scored (docs/decisions/0010-protected-attributes.md). They reach the training
job as columns of the features table that the specification lists as `protected`, not as features.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from solvent.modelling.cells import MISSING, auc, cells, figure, one_hot, rates_of_others, wilson
from solvent.modelling.data import Floats, Ints, numbers
from solvent.specification import Feature, Specification

Flags = NDArray[np.bool_]
BINS = 10
FOLDS = 5
TOP = 5


def judge(
    frame: pd.DataFrame, y: Ints, declined: Flags, specification: Specification, features: Sequence[Feature]
) -> dict[str, Any]:
    """{attribute: figures} of the protected attributes that `frame` has; `absent` in place of figures for the others.

    `groups`: rows, approval rate, bad rate and approval rate of the good (opportunity), each with Wilson's interval.
    Groups with fewer rows than `minimum_cell` of the reference data are reported, not `judged`. `ratio` is the lowest
    approval rate over the highest (29 CFR 1607.4 D: below 0.8 is evidence of adverse impact), `label_ratio` the same
    of the shares of good rows, `equal_opportunity_difference` the span of the opportunities (Hardt et al. 2016). They
    are None with fewer than two judged groups. `proxies`: how well the features tell the group.
    """
    found: dict[str, Any] = {}
    for name in specification.protected:
        if name not in frame:
            found[name] = {"absent": True}
            continue
        codes, names = _groups(frame[name], specification.gates.group_bounds.get(name))
        groups = [
            _group(names[code], codes == code, y, declined) for code in range(len(names)) if (codes == code).any()
        ]
        found[name] = {
            "groups": groups,
            **_compared(groups),
            "proxies": _proxies(frame, codes, names, features),
        }
    return found


def _groups(values: "pd.Series[Any]", bounds: Sequence[float] | None) -> tuple[Ints, tuple[str, ...]]:
    """Group of each row; a number is cut where the specification says, each bound the first value of its group."""
    if bounds is None:
        return cells(values, "categorical", BINS)
    x = numbers(values)
    codes = np.where(np.isnan(x), len(bounds) + 1, np.searchsorted(np.asarray(bounds), x, side="right"))
    inner = [f"{low:g} to below {high:g}" for low, high in zip(bounds, bounds[1:], strict=False)]
    return codes.astype(np.int64), (f"below {bounds[0]:g}", *inner, f"{bounds[-1]:g} or more", MISSING)


def _group(name: str, here: Flags, y: Ints, declined: Flags) -> dict[str, Any]:
    rows, good = int(here.sum()), here & (y == 0)
    approval, bad = float((~declined[here]).mean()), float(y[here].mean())
    opportunity = float((~declined[good]).mean()) if good.any() else None
    return {
        "group": name,
        "rows": rows,
        "judged": rows >= figure("minimum_cell") and name != MISSING,
        "approval_rate": approval,
        "approval_interval": wilson(approval, rows),
        "bad_rate": bad,
        "bad_interval": wilson(bad, rows),
        "good_rows": int(good.sum()),
        "opportunity": opportunity,
        "opportunity_interval": None if opportunity is None else wilson(opportunity, int(good.sum())),
    }


def _compared(groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    judged = [g for g in groups if g["judged"]]
    if len(judged) < 2:
        return {"ratio": None, "ratio_interval": None, "label_ratio": None, "equal_opportunity_difference": None}
    low, high = (pick(judged, key=lambda g: g["approval_rate"]) for pick in (min, max))
    ratio = _ratio(low["approval_rate"], high["approval_rate"])
    # Chances that rest on too few good rows are not compared either.
    chances = [g["opportunity"] for g in judged if g["good_rows"] >= figure("minimum_cell")]
    return {
        "lowest": low["group"],
        "highest": high["group"],
        "ratio": ratio,
        "ratio_interval": _ratio_interval(low, high, ratio),
        "label_ratio": _ratio(1 - low["bad_rate"], 1 - high["bad_rate"]),
        "equal_opportunity_difference": max(chances) - min(chances) if len(chances) > 1 else None,
    }


def _ratio(low: float, high: float) -> float:
    """Nobody approved in either group is equal treatment."""
    return low / high if high > 0 else 1.0


def _ratio_interval(low: dict[str, Any], high: dict[str, Any], ratio: float) -> list[float]:
    """95 % by the logarithm's normal approximation (Katz et al. 1978); [0, 1] where a rate is 0."""
    rates = [(g["approval_rate"], g["rows"]) for g in (low, high)]
    if any(rate == 0 for rate, _ in rates):
        return [0.0, 1.0]
    spread = figure("confidence_z") * np.sqrt(sum((1 - rate) / (rate * rows) for rate, rows in rates))
    return [float(ratio * np.exp(-spread)), float(ratio * np.exp(spread))]


def _proxies(
    frame: pd.DataFrame, codes: Ints, names: Sequence[str], features: Sequence[Feature]
) -> dict[str, Any] | None:
    """How well the features tell the largest group from the others: AUC out of fold (0.5: not at all).

    `auc` by all together, `features` by the strongest alone. None where everybody is of one group.
    """
    known = codes != len(names) - 1
    counts = np.bincount(codes[known], minlength=len(names))
    largest = int(np.argmax(counts))
    member = (codes[known] == largest).astype(np.float64)
    if not features or min(member.sum(), len(member) - member.sum()) < FOLDS:
        return None
    cut = {f.name: cells(frame.loc[known, f.name], f.kind, BINS) for f in features}
    alone = {name: auc(member, rates_of_others(c, member)) for name, (c, _) in cut.items()}
    design = np.hstack([one_hot(c, len(labels)) for c, labels in cut.values()])
    strongest = sorted(alone.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return {
        "of": names[largest],
        "auc": auc(member, _estimated(design, member)),
        "features": [{"feature": name, "auc": auc} for name, auc in strongest],
    }


def _estimated(design: Floats, member: Floats) -> Floats:
    fold_of = np.random.default_rng(0).permutation(len(member)) % FOLDS
    found = np.full(len(member), float(member.mean()))
    for fold in range(FOLDS):
        here = fold_of == fold
        if 0 < member[~here].sum() < (~here).sum():
            model = LogisticRegression(C=0.1, solver="newton-cholesky", max_iter=50)
            found[here] = model.fit(design[~here], member[~here]).predict_proba(design[here])[:, 1]
    return found
