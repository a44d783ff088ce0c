"""What moves the model: permutation importance, and the mean probability as one feature is set to a value for all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from solvent.modelling.cells import auc
from solvent.modelling.data import Floats, Ints, numbers
from solvent.specification import Feature

Model = Callable[[pd.DataFrame], Floats]
LARGEST_SAMPLE = 1000
LARGEST_DEPENDENCE_SAMPLE = 300
LARGEST_CALL = 15_000
REPEATS = 3
CURVES = 6
POINTS = 8
MOST_LEVELS = 12


def judge(
    frame: pd.DataFrame, y: Ints, models: Sequence[tuple[Model, Ints]], final: Model, features: Sequence[Feature]
) -> dict[str, Any]:
    """{"features", "dependence", "rows", "sample"}, the features by falling importance.

    `models`: of each fold the model and the positions (k,) of the rows that it has not seen; without any, `final` is
    tried on all rows, which it has seen, and `sample` says so. Importance is the loss of AUC when the feature's values
    are shuffled among those rows (Breiman 2001), the mean of all shuffles and their standard deviation. `dependence`:
    of the most important, `final`'s mean probability over a sample with the feature set to each value (Friedman
    2001); numbers at their quantiles, categories at their most frequent levels.
    """
    random = np.random.default_rng(0)
    losses: dict[str, list[float]] = {f.name: [] for f in features}
    tries = models or [(final, np.arange(len(y)))]
    tried = 0
    for model, rows in tries:
        most = max(LARGEST_SAMPLE // len(tries), 2)
        sample = rows if len(rows) <= most else random.choice(rows, most, replace=False)
        part, of_part = frame.iloc[sample].reset_index(drop=True), y[sample]
        if not 0 < of_part.sum() < len(of_part):
            continue
        tried += len(part)
        whole = auc(of_part, model(part))
        orders = np.concatenate([random.permutation(len(part)) for _ in range(REPEATS)])
        many = pd.concat([part] * REPEATS, ignore_index=True)
        frames = (many.assign(**{f.name: part[f.name].array[orders]}) for f in features)
        for f, shuffled in zip(features, _together(model, frames, len(many)), strict=True):
            losses[f.name] += [whole - auc(of_part, p) for p in shuffled.reshape(REPEATS, len(part))]
    ranked: list[dict[str, Any]] = [
        {"feature": f.name, "text": f.text, "importance": float(np.mean(loss)), "deviation": float(np.std(loss))}
        for f in features
        if (loss := losses[f.name])
    ]
    ranked.sort(key=lambda found: (-found["importance"], found["feature"]))
    top = [f for found in ranked[:CURVES] for f in features if f.name == found["feature"]]
    size = min(len(frame), LARGEST_DEPENDENCE_SAMPLE)
    sample_frame = frame.iloc[np.sort(random.choice(len(frame), size, replace=False))]
    seen = "held out" if models else "in sample"
    return {
        "rows": tried,
        "sample": seen,
        "features": ranked,
        "dependence": [_dependence(sample_frame, final, f) for f in top],
    }


def _dependence(sample: pd.DataFrame, model: Model, feature: Feature) -> dict[str, Any]:
    values = sample[feature.name]
    if feature.kind == "numeric":
        x = numbers(values)
        x = x[np.isfinite(x)]
        quantiles = np.quantile(x, np.linspace(0.05, 0.95, POINTS)) if len(x) else x
        grid: list[Any] = [float(value) for value in np.unique(quantiles)]
    else:
        grid = sorted(values.dropna().astype(str).value_counts().index[:MOST_LEVELS])
    frames = (sample.assign(**{feature.name: value}) for value in grid)
    means = [float(estimates.mean()) for estimates in _together(model, frames, len(sample))]
    points = [{"value": value, "probability": mean} for value, mean in zip(grid, means, strict=True)]
    return {"feature": feature.name, "text": feature.text, "kind": feature.kind, "points": points}


def _together(model: Model, frames: Iterable[pd.DataFrame], rows: int) -> Iterator[Floats]:
    """The model's estimates of each frame of `rows` rows, with few calls: most of its cost is per call."""
    waiting = iter(frames)
    while batch := list(islice(waiting, max(LARGEST_CALL // rows, 1))):
        yield from np.split(model(pd.concat(batch, ignore_index=True)), len(batch))
