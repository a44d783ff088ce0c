"""What `make bench-models` measures and writes, on a small random data set."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.models import document, one, traces
from solvent.specification import CANDIDATES, EXPLAINED


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=300), "age": 1.0, "c": random.choice(["a", "b"], 300)})
    frame["bad"] = (random.random(300) < 1 / (1 + np.exp(2 - 2 * frame["x"]))).astype(int) + 1
    frame.loc[299] = frame.loc[0]
    frame.to_parquet(tmp_path / "small.parquet")
    rules = {"file": "small.parquet", "label": "bad", "bad": 2, "excluded": ["age"], "search_metric": "auc"}
    protocol = {**one.protocol(), "data_sets": {"small": rules}}
    for name, content in (
        ("PROTOCOL", protocol),
        ("METHODS", {"small": {"tree": [{"max_depth": 2}, {"max_depth": 1}]}}),
    ):
        (tmp_path / name).write_text(yaml.safe_dump(content))
        monkeypatch.setattr(one, name, tmp_path / name)
    return tmp_path


def test_a_repeat_is_measured_without_excluded_columns_and_with_equal_rows_together(folder: Path) -> None:
    sample = one.sample("small", folder)
    assert [f.name for f in sample.features] == ["x", "c"]
    assert sample.groups[299] == sample.groups[0]
    assert len(set(sample.groups)) == 299
    repeats = [one.figures("small", "tree", seed, folder) for seed in (0, 1)]
    assert repeats[0]["by_fold"] != repeats[1]["by_fold"]
    assert repeats[0] == {**one.figures("small", "tree", 0, folder), "fit_seconds": repeats[0]["fit_seconds"]}
    found = one.summary(repeats, folds=5)
    every = [v for r in repeats for v in r["by_fold"]["auc"]]
    assert found["auc"]["mean"] == pytest.approx(np.mean(every))
    assert len(every) == len(found["parameters"]) == 10
    table = document.figures({"small": {"headline": "tree", "folds": 5, "candidates": {"tree": found}}})
    assert f"right for {found['majority_accuracy']:.1%}" in table
    assert f"| **tree** | {np.mean(every):.4f} (" in table


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="german_credit.parquet is not in.*SOLVENT_DATA"):
        one.sample("german", tmp_path)


def test_the_protocol_keeps_its_promises() -> None:
    rules = one.protocol()
    assert set(rules["candidates"]) == set(CANDIDATES)
    assert (rules["folds"], rules["seed"], rules["data_sets"]["german"]["repeats"]) == (5, 0, 10)
    assert rules["seed"] + 10 <= min(rules["development_seeds"])
    for name, data_set in rules["data_sets"].items():
        assert data_set["headline"] in EXPLAINED, name
        assert one.training(name, 0).grids["xgboost"], name
    assert {"age", "personal_status_sex", "foreign_worker"} <= set(rules["data_sets"]["german"]["excluded"])
    assert {"SEX", "AGE", "MARRIAGE"} <= set(rules["data_sets"]["uci_card"]["excluded"])


def test_rows_that_hold_another_quantity_than_their_column_says_are_counted_with_their_outcome() -> None:
    frame = pd.DataFrame({
        traces.SALES_TO_DEBT: 4.0, traces.DEBT: 0.5, traces.TOTAL_SALES: [2.0, 2.2, 2.2], traces.COSTS: [0.5, 0.8, 0.8],
        traces.SALES: [2.0, 1.25, 2.0], traces.RECEIVABLE_DAYS: 36.5, traces.QUICK: 1.0, traces.CASH: [0.6, 0.6, 0.9],
    })  # fmt: skip
    assert [line.split(":")[0].split(" rows, ") for line in traces.lines(frame, np.array([0, 0, 1]))] == [
        ["     2", " 0.0% bankrupt"],
        ["     1", " 0.0% bankrupt"],
        ["     1", "100.0% bankrupt"],
        ["     2", " 0.0% bankrupt"],
        ["     1", "100.0% bankrupt"],
    ]
