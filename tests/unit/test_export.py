"""What is exported says what was fitted, on whatever rows; and a folder that was touched is not served."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from boosted_model import LEVELS, TERMS, applicants, fitted
from fakes import ROOT, small_scorecard
from numpy.typing import NDArray

from solvent import model_folder
from solvent.modelling import export
from solvent.modelling.boosted import Boosted
from solvent.scorecard import CategoricalFeature, NumericFeature, Scorecard
from solvent.scoring import InvalidModel

ROWS = 100_000
INFERENCE = ROOT / "sagemaker/inference/inference.py"


def beside(edges: NDArray[Any]) -> NDArray[np.float64]:
    """Each edge, and the nearest numbers below and above it in its own precision and as a double."""
    below, above = np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)
    doubles = edges.astype(np.float64)
    around = [np.nextafter(doubles, -np.inf), np.nextafter(doubles, np.inf)]
    return np.concatenate([doubles, below.astype(np.float64), above.astype(np.float64), *around])


def test_boosted_graph_agrees_with_the_fitted_model() -> None:
    """Half of the numbers lie on a threshold of a tree or beside one."""
    model, frame, draw = fitted(), applicants(ROWS, 2), np.random.default_rng(3)
    nodes = model.booster.trees_to_dataframe()
    columns = [column for i in model.inputs for column in i.columns]
    for number, column in enumerate(columns):
        splits = nodes.loc[nodes["Feature"] == f"f{number}", "Split"].to_numpy(dtype=np.float32)
        if column in ("amount", "income", "rate"):
            assert len(splits) > 10, column
            here = draw.random(ROWS) < 0.5
            frame.loc[here, column] = draw.choice(beside(splits), int(here.sum()))
    difference = np.abs(export.onnx_probabilities(export.graph(model), frame) - model.probabilities(frame))
    assert difference.max() <= 1e-5
    assert frame.isna().any().all() and not frame["purpose"].dropna().isin(LEVELS).all()


def test_scorecard_graph_agrees_with_the_scorecard() -> None:
    """Doubles beside an edge must not change their bin; the scorecard itself is the reference, by its own Python."""
    card, draw = small_scorecard(), np.random.default_rng(0)
    amount, purpose = card.features
    assert isinstance(amount, NumericFeature) and isinstance(purpose, CategoricalFeature)
    amounts = np.concatenate([beside(np.array(amount.edges)), draw.gamma(2, 2000, 5000), [np.nan] * 500])
    frame = pd.DataFrame({
        "amount": draw.choice(amounts, ROWS),
        "purpose": draw.choice(np.array([*purpose.levels, "spaceship", "", None], dtype=object), ROWS),
    })  # fmt: skip
    found = export.onnx_probabilities(export.graph(card), frame)
    cells = zip(frame["amount"].tolist(), frame["purpose"].tolist(), strict=True)
    prepared = [
        card.prepare({"amount": None if a != a else a, "purpose": None if p != p else p}) for a, p in cells
    ]  # fmt: skip
    assert np.abs(found - np.array(card.probabilities(prepared))).max() <= 1e-12


@pytest.mark.parametrize("model", [small_scorecard(), None], ids=["scorecard", "trees"])
class TestFolder:
    @pytest.fixture
    def folder(self, model: Scorecard | None, tmp_path: Path) -> Path:
        fit: Scorecard | Boosted = model or fitted()
        terms = None if model else TERMS
        self.digest = export.write(tmp_path, fit, evaluation={"auc": 0.7}, inference=INFERENCE, terms=terms)
        return tmp_path

    def test_it_is_read_back(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MODEL_SHA256", self.digest)
        found = model_folder.load(folder)
        assert found.entity == "loan_id" and "amount" in found.numeric
        assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]

    def test_every_file_but_the_manifest_is_in_it_and_a_touched_one_is_named(self, folder: Path) -> None:
        listed = json.loads((folder / "model.json").read_text())["files"]
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert set(listed) == files - {"model.json"}
        for name in listed:
            was = (folder / name).read_bytes()
            (folder / name).write_bytes(was + b" ")
            with pytest.raises(InvalidModel, match=f"^{name} is not the file that was exported"):
                model_folder.load(folder)
            (folder / name).write_bytes(was)

    def test_a_missing_file_is_named(self, folder: Path) -> None:
        (folder / "model.onnx").unlink()
        with pytest.raises(InvalidModel, match=r"^model\.onnx cannot be read"):
            model_folder.load(folder)

    def test_another_manifest_than_the_registered_is_refused(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MODEL_SHA256", "0" * 64)
        with pytest.raises(InvalidModel, match=r"^model\.json is not the file that was exported"):
            model_folder.load(folder)


def test_a_boosted_model_needs_terms(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no terms of its own"):
        export.write(tmp_path, fitted(), evaluation={}, inference=INFERENCE)


def test_trees_take_onnxruntime_along_and_a_scorecard_nothing(tmp_path: Path) -> None:
    """AWS's container has none; the digest covers it as it does the rest."""
    for name in ("onnxruntime", "matplotlib"):
        (tmp_path / "packages" / name).mkdir(parents=True)
        (tmp_path / "packages" / name / "__init__.py").touch()
    given: dict[str, Any] = {"evaluation": {}, "inference": INFERENCE, "packages": tmp_path / "packages"}
    export.write(tmp_path / "trees", fitted(), terms=TERMS, **given)
    export.write(tmp_path / "card", small_scorecard(), **given)
    listed = json.loads((tmp_path / "trees/model.json").read_text())["files"]
    assert [name for name in listed if "packages" in name or "onnxruntime" in name or "matplotlib" in name] == [
        "code/onnxruntime/__init__.py"
    ]
    assert not (tmp_path / "card/code/onnxruntime").exists()
