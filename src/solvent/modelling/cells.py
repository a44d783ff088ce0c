"""A column cut into cells: levels of a category, quantile bins of a number, and one more for a missing value."""

import functools
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from solvent import contracts
from solvent.modelling.data import Floats, Ints, numbers
from solvent.specification import Kind

MISSING = "(missing)"
LONGEST_NAME = 60


def cells(values: "pd.Series[Any]", kind: Kind, bins: int) -> tuple[Ints, tuple[str, ...]]:
    """Each value's cell (n,) and the cells' names; the last one is `MISSING` and may be empty.

    A number with as many distinct values as `bins` or fewer has a cell for each, else `bins` of about equal size.
    """
    if kind == "categorical":
        codes, levels = pd.factorize(values.astype("object").where(values.notna(), None), sort=False)
        order = np.argsort([str(level) for level in levels], kind="stable")
        rank = np.append(np.argsort(order), len(levels))
        return rank[codes].astype(np.int64), (*(_shortened(str(levels[i])) for i in order), MISSING)
    x = numbers(values)
    present = x[~np.isnan(x)]
    distinct = np.unique(present)
    if len(distinct) <= bins:
        codes = np.searchsorted(distinct, x)
        names = [f"{value:.6g}" for value in distinct]
    else:
        # An order statistic, not an interpolation between two, which might be between infinities.
        edges = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
        codes = np.searchsorted(edges, x, side="left")
        names = [f"up to {edge:.6g}" for edge in edges] + [f"above {edges[-1]:.6g}"]
    return np.where(np.isnan(x), len(names), codes).astype(np.int64), (*names, MISSING)


def rates_of_others(codes: Ints, y: Floats, *, folds: int = 5, seed: int = 0) -> Floats:
    """Each row's mean of `y` in its cell in the other folds, (n,); a cell unknown there has their mean."""
    fold_of = np.random.default_rng(seed).permutation(len(y)) % folds
    found = np.empty(len(y))
    size = int(codes.max()) + 1
    for fold in range(folds):
        here = fold_of == fold
        count = np.bincount(codes[~here], minlength=size)
        total = np.bincount(codes[~here], weights=y[~here], minlength=size)
        mean = float(y[~here].mean()) if (~here).any() else 0.0
        found[here] = np.where(count > 0, total / np.maximum(count, 1), mean)[codes[here]]
    return found


def auc(y: Ints | Floats, estimates: Floats) -> float:
    """Area under the ROC curve by ranks (Mann and Whitney 1947): a reports' figure needs hundreds of them, fast.

    0.5 where `y` has one outcome only.
    """
    bad = int(y.sum())
    good = len(y) - bad
    if not bad or not good:
        return 0.5
    return float((rankdata(estimates)[y == 1].sum() - bad * (bad + 1) / 2) / (bad * good))


def one_hot(codes: Ints, size: int) -> Floats:
    """(n, size)."""
    return np.eye(size)[codes]


@functools.cache
def figure(name: str) -> float:
    """A figure that the warehouse's statements use, too: reference data of the contract `risk_parameters`."""
    return next(float(str(row[1])) for row in contracts.load()["risk_parameters"].rows if row[0] == name)


def wilson(share: float, rows: int) -> list[float]:
    """Wilson's interval for a share (1927), [low, high]; it takes rows as independent. [0, 1] without rows."""
    if not rows:
        return [0.0, 1.0]
    z = figure("confidence_z")
    middle, spread = share + z * z / (2 * rows), z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return [float(max(0.0, (middle + sign * spread) / (1 + z * z / rows))) for sign in (-1, 1)]


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
