"""A model's folder, loaded: `model.json` names every file by its SHA-256, and nothing is read before it was verified.

Data only, never a pickle. MODEL_SHA256, where it is set (from the registry), is what `model.json` itself must hash to.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from solvent.documents import exactly, read, require
from solvent.scorecard import Scorecard
from solvent.scoring import InvalidModel, Score

FORMAT = "solvent-model/1"
MANIFEST, GRAPH, SCORECARD, TREES, BOOSTER = "model.json", "model.onnx", "scorecard.json", "trees.json", "xgboost.json"
FILES = {"scorecard": (SCORECARD, GRAPH), "trees": (TREES, GRAPH, BOOSTER)}


class Model(Protocol):
    """What can be served. `prepare` checks one applicant; the other two take what it gave, many at a time."""

    @property
    def entity(self) -> str:
        """The key of what is scored."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every feature of the specification, in the order of a request without names."""

    @property
    def numeric(self) -> frozenset[str]:
        """Names of the numeric features."""

    @property
    def explains_freely(self) -> bool:
        """Whether reasons cost next to nothing, so that every answer has them."""

    def prepare(self, applicant: Mapping[str, Any]) -> Any:
        """The applicant in the model's own form. Raises InvalidApplicant."""

    def probabilities(self, prepared: Sequence[Any]) -> list[float]:
        """Probabilities of default."""

    def scores(self, prepared: Sequence[Any], *, reasons: Sequence[bool]) -> list[Score]:
        """Whole answers, with reasons for whom they are wanted. Raises InvalidApplicant when they cannot be given."""


def load(folder: Path) -> Model:
    """The model of a folder. Raises InvalidModel naming the file that is missing or is not what was exported."""
    manifest = _bytes(folder, MANIFEST)
    if expected := os.environ.get("MODEL_SHA256"):
        _same(MANIFEST, manifest, expected)
    document = read(manifest, MANIFEST, FORMAT)
    exactly(document, {"format", "kind", "files"}, MANIFEST)
    kind, files = document["kind"], document["files"]
    require(kind in FILES, f"{MANIFEST}: kind is one of {sorted(FILES)}, not {kind!r}.")
    require(isinstance(files, dict) and files.keys() >= set(FILES[kind]), f"{MANIFEST}: files lack {FILES[kind]}.")
    found = {}
    for name, digest in files.items():
        require(".." not in Path(name).parts and not Path(name).is_absolute(), f"{MANIFEST}: {name} leaves the folder.")
        _same(name, content := _bytes(folder, name), digest)
        if name in FILES[kind]:
            found[name] = content
    if kind == "scorecard":
        return Scorecard.from_json(found[SCORECARD])
    from solvent import trees  # numpy and onnxruntime, which a scorecard does without

    return trees.load(found[TREES], found[GRAPH], found[BOOSTER])


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise InvalidModel(f"{name} cannot be read from the model's folder: {error.strerror}.") from error


def _same(name: str, content: bytes, expected: Any) -> None:
    found = hashlib.sha256(content).hexdigest()
    require(
        found == expected, f"{name} is not the file that was exported: its SHA-256 is {found}, expected {expected}."
    )
