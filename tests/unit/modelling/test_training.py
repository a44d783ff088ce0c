import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from examples import portfolio
from solvent import modelling, specification
from solvent.modelling import TrainingError
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
FEW = dataclasses.replace(
    SPEC,
    features=tuple(f for f in SPEC.features if f.name in ("amount", "checking_status", "purpose", "annual_income")),
    training=dataclasses.replace(SPEC.training, candidates=("scorecard",)),
)
TRAINED = modelling.train(portfolio(), specification=FEW)


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
    assert again.evaluation == TRAINED.evaluation


def test_figures_out_of_fold_have_seen_neither_label_nor_bins_of_the_held_out_rows() -> None:
    # Labels that depend on nothing cannot be predicted; a figure that looked at them would say otherwise.
    frame = portfolio(rows=600)
    frame["defaulted"] = pd.array(np.random.default_rng(5).integers(0, 2, len(frame)), dtype="Int64")
    evaluation = modelling.train(frame, specification=FEW).evaluation
    assert 0.42 < evaluation["auc"] < 0.58


def test_the_judged_decisions_are_those_of_the_other_folds_cut_offs() -> None:
    frame = portfolio().sort_values("loan_id").reset_index(drop=True)
    y = frame["defaulted"].astype("int64").to_numpy()
    estimates, fold_of = modelling.out_of_fold(frame, y, SPEC, SPEC.features)
    honest = modelling.judged(modelling.decided(estimates, y, fold_of, SPEC), y, SPEC)
    assert TRAINED.evaluation["decision"] == honest
    assert TRAINED.evaluation["cutoffs"] == modelling.cut_offs(estimates, y, SPEC)  # the model's own, from all rows


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
    assert both.evaluation == TRAINED.evaluation


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
    evaluation = modelling.train(frame, specification=FEW, excluded=excluded).evaluation
    assert len(evaluation["features"]) == 17
    assert evaluation["rows"] == 1000
    assert evaluation["auc"] >= 0.77
