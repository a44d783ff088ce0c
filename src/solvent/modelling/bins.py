"""The bins of one feature: found by optbinning, coded as `solvent.scorecard` codes them, weighed by evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from solvent.modelling.data import Floats, Ints, numbers
from solvent.specification import Feature

# Pseudo-applicants of average risk in every bin: a small or pure bin claims less than it saw.
SHRINKAGE = 20.0
# A float64 range of 1e12 beside 1e-12 makes optbinning's trees overflow float32; ranks do not care.
_LARGEST = 1e30


@dataclass(frozen=True)
class Bins:
    """Numeric: edges; categorical: levels, and `groups` says which levels share a weight.

    The codes after the regular ones are `other` (categories only) and `missing`.
    """

    feature: Feature
    edges: tuple[float, ...] | None = None
    levels: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()

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
            found = numbers(values)
            codes = np.searchsorted(np.asarray(self.edges), found, side="left").astype(np.int64)
            return np.where(np.isnan(found), self.size - 1, codes)
        index = {level: code for code, level in enumerate(self.levels)}
        known = values.astype("object").map(index).astype("float64").fillna(self.regular).to_numpy().astype(np.int64)
        return np.where(values.isna().to_numpy(), self.size - 1, known)

    def evidence(self, codes: Ints, y: Ints) -> Floats:
        """Weight of evidence of each bin, (size,): its log-odds of the bad outcome less those of the sample.

        A bin without a training row (a level never seen, a value never missing) gets the average weight.
        """
        bad, all_ = np.bincount(codes, y, self.size), np.bincount(codes, minlength=self.size).astype(np.float64)
        if self.edges is None:
            shared = np.asarray(self.groups, dtype=np.int64)
            for counts in (bad, all_):
                counts[: self.regular] = np.bincount(shared, counts[: self.regular])[shared]
        base = y.mean()
        odds = (bad + SHRINKAGE * base) / (all_ - bad + SHRINKAGE * (1 - base))
        weights = np.log(odds) - np.log(base / (1 - base))
        seen = np.bincount(codes, minlength=self.size)
        return np.where(seen > 0, weights, (weights * seen).sum() / seen.sum())


def optimal(values: "pd.Series[Any]", y: Ints, feature: Feature, *, most: int) -> Bins:
    """At most `most` bins of the largest information value, monotone as the specification directs.

    Navas-Palencia 2020, arXiv:2001.08025. Values (n,) may be null; `y` (n,).
    """
    known = values.notna().to_numpy()
    if feature.kind == "categorical":
        return _grouped(values[known].astype("object").astype(str), y[known], feature, most)
    found = numbers(values)
    found, outcome = np.clip(found[known], -_LARGEST, _LARGEST), y[known]
    if len(np.unique(found)) < 2 or len(np.unique(outcome)) < 2:
        return Bins(feature, edges=())
    trend = {1: "ascending", -1: "descending", 0: "auto_asc_desc"}[feature.monotone]
    splits = _splits(found, outcome, dtype="numerical", monotonic_trend=trend, max_n_bins=most)
    # An edge at the maximum would leave the bin above it empty.
    return Bins(feature, edges=tuple(float(e) for e in np.unique(splits) if e < found.max()))


def _grouped(values: "pd.Series[Any]", y: Ints, feature: Feature, most: int) -> Bins:
    levels = tuple(sorted(values.unique()))
    if len(levels) < 2 or len(np.unique(y)) < 2:
        return Bins(feature, levels=levels, groups=(0,) * len(levels))
    found = _splits(values.to_numpy(), y, dtype="categorical", max_n_bins=most)
    group = {str(level): number for number, members in enumerate(found) for level in members}
    return Bins(feature, levels=levels, groups=tuple(group.get(level, len(found)) for level in levels))


def _splits(values: Any, y: Ints, **settings: Any) -> Sequence[Any]:
    from optbinning import OptimalBinning

    binning = OptimalBinning(solver="cp", **settings).fit(values, y)
    return list(binning.splits) if binning.status in ("OPTIMAL", "FEASIBLE") else []
