"""Whether figures hold in every part of the data: between folds, and between the earlier and the later half."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, studentized_range

from solvent.modelling.cells import auc, cells, figure
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature

BINS = 10
CHANCE = 0.999


def judge(
    frame: pd.DataFrame,
    y: Ints,
    estimates: Floats,
    fold_of: Ints,
    features: Sequence[Feature],
    dates: "pd.Series[Any] | None" = None,
) -> dict[str, Any]:
    """{"fold_auc", "fold_auc_spread", "spread_chance", "shifts", "features"}.

    `shifts`: the estimates' population stability index of each fold against the others and, with `dates` (n,) of
    observation, of the later half against the earlier one. `features`: the same of each feature between the halves, the
    largest first. Each with `chance`, the 99.9 % quantile of what two samples of one population give (Yurdakul 2018),
    and the `rows` of the smaller one. `spread_chance` is the same quantile of the range of AUCs of equally good folds.
    """
    scores = pd.Series(estimates)
    folds = [int(k) for k in np.unique(fold_of)]
    aucs = [auc(y[fold_of == k], estimates[fold_of == k]) for k in folds]
    shifts = [{"of": f"fold {k + 1}", **_shift(_score_cells(scores), fold_of == k)} for k in folds]
    moved: list[dict[str, Any]] = []
    if dates is not None and (halves := _halves(dates)) is not None:
        shifts.append({"of": "later half", **_shift(_score_cells(scores), halves)})
        moved = [{"feature": f.name, **_shift(cells(frame[f.name], f.kind, BINS)[0], halves)} for f in features]
        moved.sort(key=lambda shift: (-shift["psi"], shift["feature"]))
    return {
        "fold_auc": aucs,
        "fold_auc_spread": max(aucs) - min(aucs),
        "spread_chance": _spread_chance(y, fold_of, aucs),
        "shifts": shifts,
        "features": moved,
    }


def _spread_chance(y: Ints, fold_of: Ints, aucs: Sequence[float]) -> float:
    """The standard error of a fold's AUC (Hanley and McNeil 1982), times the range of as many such errors."""
    a = float(np.mean(aucs))
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    errors = []
    for k in np.unique(fold_of):
        bad = float(y[fold_of == k].sum())
        good = float((fold_of == k).sum()) - bad
        variance = a * (1 - a) + (bad - 1) * (q1 - a * a) + (good - 1) * (q2 - a * a)
        errors.append(variance / max(bad * good, 1))
    return float(studentized_range.ppf(CHANCE, max(len(aucs), 2), np.inf) * np.sqrt(np.mean(errors)))


def _score_cells(scores: "pd.Series[float]") -> Ints:
    return cells(scores, "numeric", BINS)[0]


def _halves(dates: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.bool_]] | None":
    """Which rows are of the later half; None where the dates do not part them."""
    days = pd.to_datetime(dates, errors="coerce").to_numpy(dtype="datetime64[ns]")
    known = np.sort(days[~np.isnat(days)])
    if not len(known):
        return None
    later = np.asarray(days > known[(len(known) - 1) // 2])
    return later if 0 < later.sum() < len(later) else None


def _shift(codes: Ints, here: "np.ndarray[Any, np.dtype[np.bool_]]") -> dict[str, Any]:
    """Population stability index of the rows `here` against the others, over the cells that either has."""
    size = int(codes.max()) + 1
    counts = [np.bincount(codes[part], minlength=size) for part in (~here, here)]
    used = (counts[0] + counts[1]) > 0
    least = figure("stability_least_share")
    before, after = (np.maximum(c[used] / max(c.sum(), 1), least) for c in counts)
    rows = [max(int(c.sum()), 1) for c in counts]
    chance = float(chi2.ppf(CHANCE, max(int(used.sum()) - 1, 1)) * (1 / rows[0] + 1 / rows[1]))
    psi = float(np.sum((after - before) * np.log(after / before)))
    return {"psi": psi, "chance": chance, "rows": min(rows)}
