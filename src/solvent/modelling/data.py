"""What a model learns from: labelled rows in a fixed order, their groups, and plain columns of any pandas dtype."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from solvent.specification import Feature, Specification

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class TrainingError(Exception):
    """The data cannot train a model; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Sample:
    """Rows to learn from: `y` (n,) of 0 and 1, `groups` (n,) that never straddle folds, `dates` (n,) or None.

    `grouped_by` says what the groups are.
    """

    frame: pd.DataFrame
    y: Ints
    groups: Ints
    features: tuple[Feature, ...]
    dates: NDArray[np.datetime64] | None = None
    grouped_by: str = ""

    def take(self, rows: Ints) -> "Sample":
        """These rows, in the order given."""
        dates = None if self.dates is None else self.dates[rows]
        return Sample(self.frame.iloc[rows], self.y[rows], self.groups[rows], self.features, dates, self.grouped_by)


def labelled(frame: pd.DataFrame, specification: Specification, chosen: Sequence[Feature]) -> Sample:
    """The rows with an outcome, sorted by entity so that folds do not depend on how many files the data came in.

    Raises TrainingError.
    """
    label = specification.label.column
    wanted = [specification.entity, specification.group, label, *(f.name for f in chosen)]
    if missing := [name for name in wanted if name not in frame]:
        raise TrainingError(
            f"The training data lacks the columns {missing}: does it come from this specification's run?"
        )
    known = frame[frame[label].notna()].sort_values(specification.entity, kind="stable").reset_index(drop=True)
    y = np.asarray(known[label], dtype=np.int64)
    bad, folds = int(y.sum()), specification.training.folds
    if min(bad, len(y) - bad) < folds:
        raise TrainingError(
            f"{len(known)} of {len(frame)} rows are labelled, {bad} of them 1. Each outcome "
            f"is needed {folds} times, once per fold: deliver more rows with a known outcome."
        )
    groups = joined(known[specification.group], known[[f.name for f in chosen]])
    grouped_by = f"{specification.group} and equal rows"
    if np.bincount(groups).max() > len(y) / folds:
        # Features too coarse to tell rows apart: chance makes equals, and there would be no folds.
        groups, grouped_by = pd.factorize(known[specification.group])[0].astype(np.int64), specification.group
    return Sample(known, y, groups, tuple(chosen), _dates(known, specification.training.by_time), grouped_by)


def joined(groups: "pd.Series[Any]", features: pd.DataFrame) -> Ints:
    """Group numbers, (n,): rows of one group are together, and so are groups that share an exactly equal row.

    Else a model would be judged by a row that it was fitted on.
    """
    found = pd.factorize(groups)[0].astype(np.int64)
    rows = features.groupby(list(features.columns), dropna=False, sort=False).ngroup().to_numpy()
    while True:
        # Labels sink to the smallest of their equal rows, then of their group, until nothing moves.
        lowest = pd.Series(found).groupby(rows).transform("min")
        after = lowest.groupby(pd.factorize(groups)[0]).transform("min").to_numpy()
        if (after == found).all():
            return found
        found = after


def numbers(values: "pd.Series[Any]") -> Floats:
    """Floats with NaN for null, whatever numeric type (Decimal, nullable integer) the column has."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fi":  # the usual case, without a detour by objects
        return values.to_numpy(np.float64)
    return np.asarray(pd.to_numeric(values.astype("object").where(values.notna(), np.nan)), dtype=np.float64)


def reference(values: "pd.Series[Any]", feature: Feature) -> float | str | None:
    """The value that reasons compare with: the specification's, else the median or the most frequent level of `values`.

    Of levels that are equally frequent the first; None where no value is known.
    """
    known = values.dropna()
    if feature.reference is not None or known.empty:
        return feature.reference
    if feature.kind == "numeric":
        return float(np.median(numbers(known)))
    counts = known.astype(str).value_counts()
    return min(map(str, counts.index), key=lambda level: (-counts[level], level))


def plain(frame: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """The features as floats with NaN, and as objects with the text "null" for a missing category."""
    columns: dict[str, Any] = {}
    for f in features:
        values = frame[f.name]
        if f.kind == "numeric":
            columns[f.name] = numbers(values)
        else:
            columns[f.name] = values.astype("object").where(values.notna(), "null").to_numpy()
    return pd.DataFrame(columns)


def _dates(frame: pd.DataFrame, column: str | None) -> NDArray[np.datetime64] | None:
    if column is None or column not in frame or frame[column].isna().any() or frame[column].nunique() < 2:
        return None
    return np.asarray(pd.to_datetime(frame[column]), dtype="datetime64[ns]")
