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


TRAINED = modelling.train(portfolio(), specification=SPEC)


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
    again = modelling.train(shuffled, specification=SPEC)
    assert again.scorecard.to_json() == TRAINED.scorecard.to_json()
    assert again.evaluation == TRAINED.evaluation


def test_figures_out_of_fold_have_seen_neither_label_nor_bins_of_the_held_out_rows() -> None:
    # Labels that depend on nothing cannot be predicted; a figure that looked at them would say otherwise.
    frame = portfolio(rows=600)
    frame["defaulted"] = pd.array(np.random.default_rng(5).integers(0, 2, len(frame)), dtype="Int64")
    evaluation = modelling.train(frame, specification=SPEC).evaluation
    assert 0.42 < evaluation["auc"] < 0.58


def test_a_customer_is_never_in_two_folds() -> None:
    frame = portfolio()
    y = frame["defaulted"].astype("int64").to_numpy()
    _, folds = modelling.out_of_fold(frame, y, SPEC, SPEC.features)
    assert frame.assign(fold=folds).groupby("customer_id")["fold"].nunique().max() == 1
    assert set(folds) == set(range(SPEC.training.folds))


def test_accuracy_never_comes_without_the_majority_line() -> None:
    figures = modelling.figures(np.array([0.1, 0.2, 0.6, 0.4]), np.array([0, 0, 1, 1]))
    assert figures["accuracy"] == 0.75
    assert figures["majority_accuracy"] == 0.5
    assert figures["auc"] == 1.0
    assert figures["gini"] == 1.0
    assert figures["ks"] == 1.0
    assert figures["brier"] == pytest.approx((0.01 + 0.04 + 0.16 + 0.36) / 4)


def test_the_cut_off_is_the_cheapest_that_approves_enough() -> None:
    p, y = np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0, 1, 0, 0, 1])
    # Approving 1 costs 2 good declined; 2: 5+2; 3: 5+1; 4: 5+0; 5: 10. Cheapest: 1; but half must be approved -> 4.
    free = dataclasses.replace(SPEC, decision=dataclasses.replace(SPEC.decision, minimum_approval_rate=0.0))
    assert modelling.cut_offs(p, y, free)["decline"] == pytest.approx(0.15)
    bound = modelling.cut_offs(p, y, SPEC)
    assert bound["decline"] == pytest.approx(0.45)
    assert bound["refer"] == pytest.approx(0.45 * 0.75)
    decided = modelling.Decided(declined=p >= bound["decline"], straight=p < bound["refer"])
    assert modelling.judged(decided, y, SPEC) == {
        "approval_rate": pytest.approx(4 / 5),
        "straight_through_rate": pytest.approx(3 / 5),
        "bad_rate_approved": pytest.approx(1 / 4),
        "cost": pytest.approx(5 / 5),
        "cost_approve_all": pytest.approx(2),
        "cost_decline_all": pytest.approx(3 / 5),
    }


def test_a_fold_is_decided_by_cut_offs_that_its_own_outcomes_did_not_choose() -> None:
    free = dataclasses.replace(SPEC, decision=dataclasses.replace(SPEC.decision, minimum_approval_rate=0.0))
    random = np.random.default_rng(4)
    p, fold_of = random.random(200), np.arange(200) % 5
    y = (random.random(200) < p).astype(np.int64)
    before = modelling.decided(p, y, fold_of, free)
    here = fold_of == 2
    contrary = np.where(here, 1 - y, y)
    after = modelling.decided(p, contrary, fold_of, free)
    assert (before.declined[here] == after.declined[here]).all()
    assert (before.straight[here] == after.straight[here]).all()
    assert (before.declined[~here] != after.declined[~here]).any()  # they did choose those of the others
    assert TRAINED.evaluation["protocol"].count("other folds") == 1


def test_the_judged_decisions_are_those_of_the_other_folds_cut_offs() -> None:
    frame = portfolio().sort_values("loan_id").reset_index(drop=True)
    y = frame["defaulted"].astype("int64").to_numpy()
    estimates, fold_of = modelling.out_of_fold(frame, y, SPEC, SPEC.features)
    honest = modelling.judged(modelling.decided(estimates, y, fold_of, SPEC), y, SPEC)
    assert TRAINED.evaluation["decision"] == honest
    assert TRAINED.evaluation["cutoffs"] == modelling.cut_offs(estimates, y, SPEC)  # the model's own, from all rows


def test_equal_probabilities_are_never_split_by_the_cut_off() -> None:
    p, y = np.full(10, 0.3), np.array([0] * 5 + [1] * 5)
    cut = modelling.cut_offs(p, y, SPEC)["decline"]
    assert cut == 1.0  # all or none; none is fewer than the minimum


def test_excluded_features_are_neither_used_nor_asked_for() -> None:
    trained = modelling.train(portfolio(), specification=SPEC, excluded=["annual_income"])
    assert "annual_income" not in trained.evaluation["features"]
    assert trained.scorecard.ignored == ("annual_income",)


def test_loans_without_an_outcome_are_left_out() -> None:
    frame = portfolio()
    unlabelled = frame.copy()
    unlabelled["defaulted"] = pd.array([None] * len(frame), dtype="Int64")
    unlabelled["loan_id"] = "X" + unlabelled["loan_id"].str[1:]
    both = modelling.train(pd.concat([frame, unlabelled]), specification=SPEC)
    assert both.evaluation == TRAINED.evaluation


def test_data_that_cannot_train_a_model_says_what_is_missing() -> None:
    frame = portfolio()
    with pytest.raises(TrainingError, match=r"lacks the columns \['amount'\]"):
        modelling.train(frame.drop(columns="amount"), specification=SPEC)
    frame["defaulted"] = pd.array([0] * len(frame), dtype="Int64")
    with pytest.raises(TrainingError, match="0 of them 1.*deliver more rows"):
        modelling.train(frame, specification=SPEC)


def test_german_credit_reaches_the_bar_without_protected_attributes() -> None:
    folder = Path(os.environ.get("SOLVENT_DATA", ""))
    if not os.environ.get("SOLVENT_DATA") or not (folder / "german_credit.parquet").exists():
        pytest.skip("the UCI German Credit file is not here: set SOLVENT_DATA to the folder of german_credit.parquet")
    frame = pd.read_parquet(folder / "german_credit.parquet").rename(columns=GERMAN)
    frame["loan_id"] = [f"L{i:06d}" for i in range(len(frame))]
    frame["customer_id"] = [f"C{i:06d}" for i in range(len(frame))]
    frame["defaulted"] = (frame["class"] == 2).astype("Int64")
    excluded = [f.name for f in SPEC.features if f.name not in frame]
    evaluation = modelling.train(frame, specification=SPEC, excluded=excluded).evaluation
    assert len(evaluation["features"]) == 17
    assert evaluation["rows"] == 1000
    assert evaluation["auc"] >= 0.77
