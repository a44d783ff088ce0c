"""Who is judged by whom: stratified folds of whole groups, or later rows by models of earlier ones."""

from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from solvent.modelling.data import Ints, Sample, TrainingError


def split(sample: Sample, *, count: int, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """`count` pairs of row numbers, to fit on and to judge; no group is in both. By time where the sample has dates."""
    if sample.dates is None:
        folds = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
        yield from folds.split(sample.frame, sample.y, sample.groups)
    else:
        yield from _expanding(sample, count)


def _expanding(sample: Sample, count: int) -> Iterator[tuple[Ints, Ints]]:
    """Dates in `count` + 1 blocks of about equal size; each but the first is judged by a model of all before it."""
    assert sample.dates is not None
    edges = np.unique(np.quantile(sample.dates.astype(np.int64), np.linspace(0, 1, count + 2)[1:-1]).astype(np.int64))
    block = np.searchsorted(edges, sample.dates.astype(np.int64), side="left")
    for number in range(1, int(block.max()) + 1):
        judged = np.flatnonzero(block == number)
        before = np.flatnonzero((block < number) & ~np.isin(sample.groups, sample.groups[judged]))
        if min(len(np.unique(sample.y[judged])), len(np.unique(sample.y[before]))) < 2:
            raise TrainingError(
                f"By time, block {number} of {int(block.max())} or the rows before it have one outcome only: deliver "
                f"a longer history, or leave `by_time` out of the specification."
            )
        yield before, judged


def description(sample: Sample, *, count: int, seed: int) -> str:
    """The folds in a sentence, for the record."""
    if sample.dates is not None:
        return f"by time: {count} blocks, each judged by a model of all earlier rows, without customers of the block"
    return f"StratifiedGroupKFold({count}, shuffle, seed {seed}), grouped by {sample.grouped_by}"
