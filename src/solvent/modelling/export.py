"""A fitted model into its folder: data, the code that serves it, and `model.json` with the SHA-256 of it all."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import solvent
from solvent import model_folder, trees
from solvent.modelling import graphs
from solvent.modelling.boosted import Boosted, Input
from solvent.modelling.candidates import Fitted
from solvent.scorecard import Scorecard
from solvent.scoring import LARGEST_NUMBER, Terms

# What an endpoint needs of the package, and what trees need beside their container's packages.
SERVING_MODULES = (
    "__init__.py", "documents.py", "model_folder.py", "scorecard.py", "scorecard_document.py", "scoring.py",
    "serving.py", "tables.py", "trees.py",
)  # fmt: skip
SAMPLE = 500  # rows that are answered one by one
TREE_PACKAGES = ("onnxruntime", "onnxruntime.libs")


def write(
    folder: Path,
    model: Scorecard | Boosted,
    *,
    evaluation: Mapping[str, Any],
    inference: Path,
    terms: Terms | None = None,
    packages: Path | None = None,
) -> str:
    """Write the model's folder; the SHA-256 of its `model.json` is what MODEL_SHA256 may hold an endpoint to.

    `inference` is the endpoint's script. `terms` are a boosted model's; a scorecard has its own. `packages` is a folder
    of packages for the serving container, of which trees take onnxruntime along.
    """
    if isinstance(model, Scorecard):
        kind, files = "scorecard", {model_folder.SCORECARD: model.to_json().encode()}
    elif terms is None:
        raise ValueError("A boosted model has no terms of its own (bands, cut-offs, words): pass them.")
    else:
        kind = "trees"
        files = {
            model_folder.TREES: _document(model, terms),
            model_folder.BOOSTER: bytes(model.booster.save_raw("json")),
        }
    files[model_folder.GRAPH] = graph(model)
    files["evaluation.json"] = _json(evaluation)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    _copy_code(folder / "code", inference)
    if packages and kind == "trees":
        for name in TREE_PACKAGES:
            if (packages / name).is_dir():
                shutil.copytree(packages / name, folder / "code" / name, dirs_exist_ok=True)
    manifest = _json({
        "format": model_folder.FORMAT,
        "kind": kind,
        "files": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path != folder / model_folder.MANIFEST
        },
    })  # fmt: skip
    (folder / model_folder.MANIFEST).write_bytes(manifest)
    return hashlib.sha256(manifest).hexdigest()


def measured(
    model: Scorecard | Boosted, fitted: Fitted, frame: pd.DataFrame, *, terms: Terms | None = None
) -> dict[str, Any]:
    """What the gate asks of an artifact, on the rows of `frame` (n).

    {"parity": {"rows", "maximum_difference"}, "latency_microseconds"}: the greatest difference between what was fitted
    and what is exported (the graph on all rows, what an endpoint computes on the first of them), and the median time
    from one applicant's values to the whole answer, in process, with reasons where they are free.
    """
    exported = graph(model)
    expected = fitted.probabilities(frame)
    served: Any
    if isinstance(model, Scorecard):
        served = model
    elif terms is None:
        raise ValueError("A boosted model has no terms of its own (bands, cut-offs, words): pass them.")
    else:
        served = trees.load(_document(model, terms), exported, bytes(model.booster.save_raw("json")))
    applicants = [_applicant(row, served) for row in frame[:SAMPLE].to_dict("records")]
    answered = served.probabilities([served.prepare(applicant) for applicant in applicants])
    differences = [
        np.abs(onnx_probabilities(exported, frame) - expected).max(),
        np.abs(np.asarray(answered) - expected[: len(answered)]).max(),
    ]
    times = []
    for applicant in applicants:
        start = time.perf_counter_ns()
        served.scores([served.prepare(applicant)], reasons=[served.explains_freely])
        times.append((time.perf_counter_ns() - start) / 1000)
    return {
        "parity": {"rows": len(frame), "maximum_difference": float(max(differences))},
        "latency_microseconds": float(np.median(times)),
    }


def _applicant(row: Mapping[Any, Any], model: model_folder.Model) -> dict[str, Any]:
    """A row of a frame as a request gives it: numbers, texts and nulls."""
    values = {name: None if pd.isna(row[name]) else row[name] for name in model.inputs if name in row}
    return {name: v if v is None or name not in model.numeric else float(v) for name, v in values.items()}


def graph(model: Scorecard | Boosted) -> bytes:
    """The whole pipeline as ONNX."""
    return graphs.scorecard(model) if isinstance(model, Scorecard) else graphs.boosted(model)


def onnx_probabilities(graph: bytes, frame: pd.DataFrame) -> NDArray[np.float64]:
    """What an exported graph says of a frame, (n,): the parity gate compares it with the fitted model."""
    session = trees.session(graph)
    inputs = session.get_inputs()
    names, numeric = [i.name for i in inputs], [i.type == "tensor(double)" for i in inputs]
    return np.asarray(session.run(None, graphs.feeds(frame, numeric, names))[0], dtype=np.float64).ravel()


def _document(model: Boosted, terms: Terms) -> bytes:
    inputs = [_input(one) for one in model.inputs]
    return _json({"format": trees.FORMAT, **terms.terms(), "inputs": inputs, "slope": model.calibration.slope})


def _input(one: Input) -> dict[str, Any]:
    minimum = -LARGEST_NUMBER if one.minimum is None else one.minimum
    return {**asdict(one), "minimum": minimum, "maximum": LARGEST_NUMBER if one.maximum is None else one.maximum}


def _copy_code(code: Path, inference: Path) -> None:
    (code / "solvent").mkdir(parents=True, exist_ok=True)
    shutil.copy(inference, code / "inference.py")
    for name in SERVING_MODULES:
        shutil.copy(Path(solvent.__file__).with_name(name), code / "solvent" / name)


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
