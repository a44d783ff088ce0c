import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from fakes import ROOT

from examples import portfolio
from solvent import modelling, specification
from solvent.modelling import Trained, TrainingError, decisions
from solvent.modelling.boosted import Boosted
from solvent.scorecard import NumericFeature, Scorecard

SPEC = specification.load("lending")
# The UCI file's own names, where they differ from the contracts'.
GERMAN = {
    "checking": "checking_status",
    "duration": "term_months",
    "history": "credit_history",
    "employment": "employment_since",
    "other_plans": "other_installment_plans",
}


def records(frame: pd.DataFrame, card: Scorecard) -> list[dict[str, Any]]:
    plain = frame[[f.name for f in card.features]].astype(object)
    return [dict(r) for r in plain.where(plain.notna(), None).to_dict("records")]


# Few features and one candidate: what is tested here does not depend on how many there are.
SCORECARD = dataclasses.replace(SPEC, training=dataclasses.replace(SPEC.training, candidates=("scorecard",)))
FEW = dataclasses.replace(
    SCORECARD,
    features=tuple(f for f in SPEC.features if f.name in ("amount", "checking_status", "purpose", "annual_income")),
)
TRAINED = modelling.train(portfolio(), specification=FEW)


def untimed(trained: Trained) -> dict[str, Any]:
    """The evaluation without the seconds."""
    rows = [{k: v for k, v in row.items() if k != "fit_seconds"} for row in trained.evaluation["comparison"]]
    return {**trained.evaluation, "comparison": rows}


def test_pure_python_and_scikit_learn_give_the_same_probability_to_1e_9() -> None:
    fresh = portfolio(rows=300, seed=2)
    fresh.loc[5, "purpose"] = "never seen"
    edges = TRAINED.scorecard.features[[f.name for f in TRAINED.scorecard.features].index("amount")]
    assert isinstance(edges, NumericFeature)
    fresh.loc[: len(edges.edges) - 1, "amount"] = edges.edges  # the very boundaries
    theirs = TRAINED.fit.probabilities(fresh)
    ours = [TRAINED.scorecard.probability(r) for r in records(fresh, TRAINED.scorecard)]
    assert np.max(np.abs(theirs - ours)) < 1e-9


def test_the_exported_document_scores_like_the_fitted_model() -> None:
    again = Scorecard.from_json(TRAINED.scorecard.to_json())
    row = records(portfolio(seed=3), again)[0]
    assert again.score(row) == TRAINED.scorecard.score(row)


def test_training_twice_and_on_shuffled_rows_gives_the_same_bytes() -> None:
    shuffled = portfolio().sample(frac=1, random_state=9)
    again = modelling.train(shuffled, specification=FEW)
    assert again.scorecard.to_json() == TRAINED.scorecard.to_json()
    assert untimed(again) == untimed(TRAINED)


def test_figures_out_of_fold_have_seen_neither_label_nor_bins_of_the_held_out_rows() -> None:
    # Labels that depend on nothing cannot be predicted; a figure that looked at them would say otherwise.
    frame = portfolio(rows=600)
    frame["defaulted"] = pd.array(np.random.default_rng(5).integers(0, 2, len(frame)), dtype="Int64")
    evaluation = modelling.train(frame, specification=FEW).evaluation
    assert 0.42 < evaluation["auc"] < 0.58


def test_the_judged_decisions_are_those_of_the_other_folds_cut_offs() -> None:
    estimates, y, fold_of = TRAINED.estimates["scorecard"], TRAINED.y, TRAINED.fold_of
    honest = decisions.judged(decisions.decided(estimates, y, fold_of, SPEC), y, SPEC)
    assert TRAINED.evaluation["decision"] == honest
    assert TRAINED.evaluation["cutoffs"] == decisions.cut_offs(estimates, y, SPEC)  # the model's own, from all rows
    assert TRAINED.evaluation["protocol"].count("other folds") == 1


def test_excluded_features_are_neither_used_nor_asked_for() -> None:
    trained = modelling.train(portfolio(), specification=FEW, excluded=["annual_income"])
    assert "annual_income" not in trained.evaluation["features"]
    assert trained.scorecard.ignored == ("annual_income",)


def test_loans_without_an_outcome_are_left_out() -> None:
    frame = portfolio()
    unlabelled = frame.copy()
    unlabelled["defaulted"] = pd.array([None] * len(frame), dtype="Int64")
    unlabelled["loan_id"] = "X" + unlabelled["loan_id"].str[1:]
    both = modelling.train(pd.concat([frame, unlabelled]), specification=FEW)
    assert untimed(both) == untimed(TRAINED)


def test_data_that_cannot_train_a_model_says_what_is_missing() -> None:
    frame = portfolio()
    with pytest.raises(TrainingError, match=r"lacks the columns \['amount'\]"):
        modelling.train(frame.drop(columns="amount"), specification=FEW)
    frame["defaulted"] = pd.array([0] * len(frame), dtype="Int64")
    with pytest.raises(TrainingError, match="0 of them 1.*deliver more rows"):
        modelling.train(frame, specification=FEW)


def test_german_credit_reaches_the_bar_without_protected_attributes() -> None:
    folder = Path(os.environ.get("SOLVENT_DATA", ""))
    if not os.environ.get("SOLVENT_DATA") or not (folder / "german_credit.parquet").exists():
        pytest.skip("the UCI German Credit file is not here: set SOLVENT_DATA to the folder of german_credit.parquet")
    frame = pd.read_parquet(folder / "german_credit.parquet").rename(columns=GERMAN)
    frame["loan_id"] = [f"L{i:06d}" for i in range(len(frame))]
    frame["customer_id"] = [f"C{i:06d}" for i in range(len(frame))]
    frame["defaulted"] = (frame["class"] == 2).astype("Int64")
    excluded = [f.name for f in SPEC.features if f.name not in frame]
    evaluation = modelling.train(frame, specification=SCORECARD, excluded=excluded).evaluation
    assert len(evaluation["features"]) == 17
    assert evaluation["rows"] == 1000
    assert evaluation["auc"] >= 0.775


def test_boosting_can_become_the_model_and_carries_the_ranges_of_the_contract() -> None:
    both = dataclasses.replace(FEW.training, candidates=("xgboost", "tree"))
    trained = modelling.train(portfolio().assign(sex="female"), specification=dataclasses.replace(FEW, training=both))
    assert isinstance(trained.model, Boosted)
    assert trained.name == trained.evaluation["candidate"] == "xgboost"
    with pytest.raises(TrainingError, match="xgboost, which is no scorecard"):
        _ = trained.scorecard
    amount = next(i for i in trained.model.inputs if i.name == "amount")
    assert (amount.minimum, amount.maximum) == (1, 10_000_000)
    assert trained.protected == ("sex",)
    assert set(trained.estimates) == {"xgboost", "tree"}
    assert len(trained.frame) == len(trained.y) == len(trained.estimates["tree"]) == 400
    # The mean probability is the share of bad ones: calibrated, although the outcomes were weighted.
    assert trained.estimates["tree"].mean() == pytest.approx(trained.y.mean(), abs=0.03)
    assert trained.fit.probabilities(trained.frame).mean() == pytest.approx(trained.y.mean(), abs=0.1)


def test_the_loantap_recipe_is_one_switch() -> None:
    document = yaml.safe_load((ROOT / "specifications" / "lending.yaml").read_text())
    document["training"]["recipe"] = "loantap"
    recipe = specification.parse(document)
    assert (recipe.training.balance, recipe.training.search_metric) == ("smote", "f2")
    assert {entry["penalty"] for entry in recipe.training.grids["logistic"]} == {"l1", "l2"}
    grids = {name: grid[2:6:3] for name, grid in recipe.training.grids.items()}  # a pair of each, to be quick
    few = dataclasses.replace(
        recipe, features=FEW.features, training=dataclasses.replace(recipe.training, grids=grids, folds=2)
    )
    trained = modelling.train(portfolio(), specification=few)
    assert trained.name == "scorecard"
    rows = trained.evaluation["comparison"]
    assert [r["name"] for r in rows] == ["scorecard", "logistic"]
    assert all(p in grids["logistic"] for p in rows[1]["parameters"])
    assert trained.evaluation["f2"]["f2"] > 0
