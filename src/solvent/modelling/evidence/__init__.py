"""The evidence of a training run: what is measured of its model, and the documents that a reviewer reads.

`measure` looks at rows and models and gives plain figures, which become part of `evaluation.json` and which the gates
judge. `write` turns an evaluation into documents and looks at nothing else: they can be made again from it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from solvent.modelling import fairness, importance, leakage, reliability, stability
from solvent.modelling.data import Floats, Ints
from solvent.modelling.evidence import card, curves
from solvent.modelling.fairness import Flags
from solvent.modelling.importance import Model
from solvent.specification import Feature, Specification

DOCUMENTS = ("model_card.html", "validation.html", "fairness.html")


def measure(
    frame: pd.DataFrame,
    y: Ints,
    *,
    estimates: Floats,
    fold_of: Ints,
    declined: Flags,
    cutoff: float,
    specification: Specification,
    features: Sequence[Feature],
    models: Sequence[tuple[Model, Ints]],
    final: Model,
) -> dict[str, Any]:
    """{"leakage", "calibration", "stability", "fairness", "importance", "curves"} of the labelled rows.

    `estimates`, `fold_of`, `declined` and `y` are (n,), out of fold, in the order of `frame`, which has the features,
    protected columns and the date of observation. `models`: see `importance.judge`.
    """
    return {
        "leakage": leakage.judge(frame, y, specification, features),
        "calibration": reliability.judge(estimates, y),
        "stability": stability.judge(
            frame, y, estimates, fold_of, features, frame.get(specification.gates.time_column)
        ),
        "fairness": fairness.judge(frame, y, declined, specification, features),
        "importance": importance.judge(frame, y, models, final, features),
        "curves": curves.judge(estimates, y, cutoff, specification),
    }


def write(folder: Path, *, evaluation: dict[str, Any], specification: Specification) -> None:
    """Write model card (SageMaker's JSON, and HTML), validation report and fairness report into `folder`."""
    from solvent.modelling.evidence import pages

    folder.mkdir(parents=True, exist_ok=True)
    content = card.content(evaluation, specification)
    (folder / "model_card.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    for name in DOCUMENTS:
        (folder / name).write_text(pages.render(name, evaluation, specification), encoding="utf-8")
