"""One candidate on one data set in one repeat: what the protocol says, by the code that trains."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

from solvent.modelling import calibration, candidates, competing, metrics
from solvent.modelling.data import Ints, Sample, joined
from solvent.specification import Feature, Training

PROTOCOL = Path(__file__).parents[1] / "protocol.yaml"
METHODS = Path(__file__).parent / "methods.yaml"
BY_FOLD = ("auc", "pr_auc")


def protocol() -> dict[str, Any]:
    """The protocol as written."""
    return dict(yaml.safe_load(PROTOCOL.read_text()))


def training(data_set: str, seed: int) -> Training:
    """The settings of a repeat, whose seed makes its folds."""
    rules, methods = protocol(), yaml.safe_load(METHODS.read_text())
    return Training(
        candidates=tuple(rules["candidates"]),
        metric="auc",
        folds=rules["folds"],
        inner_folds=rules["inner_folds"],
        seed=seed,
        grids={name: tuple(grid) for name, grid in methods[data_set].items()},
        search_metric=rules["data_sets"][data_set]["search_metric"],
    )


def sample(data_set: str, folder: Path) -> Sample:
    """A data set's rows without its excluded columns, equal rows grouped. Raises SystemExit naming a missing file."""
    rules = protocol()["data_sets"][data_set]
    file = folder / rules["file"]
    if not file.is_file():
        raise SystemExit(f"{file.name} is not in {folder}: set SOLVENT_DATA to the folder of the public data sets.")
    frame = pd.read_parquet(file)
    y = (frame[rules["label"]].astype("int64") == rules["bad"]).to_numpy().astype(np.int64)
    frame = frame.drop(columns=[rules["label"], *rules["excluded"]])
    names = [str(c) for c in frame]
    features = tuple(
        Feature(c, "numeric" if pd.api.types.is_numeric_dtype(frame[c]) else "categorical", (), c) for c in names
    )
    return Sample(frame, y, joined(pd.Series(np.arange(len(y))), frame), features)


def figures(data_set: str, candidate: str, seed: int, folder: Path) -> dict[str, Any]:
    """Figures of a repeat: AUC and PR-AUC of each fold; accuracy, F2 and errors of the pooled probabilities."""
    rows, settings = sample(data_set, folder), training(data_set, seed)
    run = competing.out_of_fold(candidates.named(candidate), rows, settings)
    estimates = calibration.across(run.margins, rows.y, run.fold_of)
    return {
        "candidate": candidate,
        "seed": seed,
        "by_fold": by_fold(run, rows.y),
        "pooled": {**metrics.figures(estimates, rows.y), **metrics.f2_judged(estimates, rows.y, run.fold_of)},
        "parameters": [dict(p) for p in run.parameters],
        "fit_seconds": run.seconds,
    }


def by_fold(run: competing.OutOfFold, y: Ints) -> dict[str, list[float]]:
    """AUC and PR-AUC of each fold."""
    folds = [(y[run.fold_of == k], run.margins[run.fold_of == k]) for k in np.unique(run.fold_of)]
    return {
        "auc": [float(roc_auc_score(truth, margins)) for truth, margins in folds],
        "pr_auc": [float(average_precision_score(truth, margins)) for truth, margins in folds],
    }


def summary(repeats: list[Mapping[str, Any]], folds: int) -> dict[str, Any]:
    """Of one candidate: intervals over all folds of all repeats, and means of the pooled figures."""
    pooled = {name: float(np.mean([r["pooled"][name] for r in repeats])) for name in repeats[0]["pooled"]}
    intervals = {name: metrics.interval([v for r in repeats for v in r["by_fold"][name]], folds) for name in BY_FOLD}
    return {
        **{name: value for name, value in pooled.items() if name not in (*BY_FOLD, "threshold")},
        **intervals,
        "repeats": len(repeats),
        "fit_seconds": float(np.mean([r["fit_seconds"] for r in repeats])),
        "parameters": [p for r in repeats for p in r["parameters"]],
    }
