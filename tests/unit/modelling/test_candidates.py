import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from boosted_model import TERMS
from sklearn.metrics import roc_auc_score

from examples import portfolio
from solvent import specification
from solvent.modelling import balance, candidates, data
from solvent.modelling.boosted import Input
from solvent.modelling.candidates import scorecard
from solvent.specification import CANDIDATES, EXPLAINED

FEATURES = tuple(
    dataclasses.replace(f, monotone=1 if f.name == "amount" else 0)
    for f in specification.load("lending").features
    if f.name in ("amount", "checking_status", "purpose")
)
FRAME = portfolio()
Y = FRAME["defaulted"].astype("int64").to_numpy()


def fitted(name: str) -> candidates.Fitted:
    candidate = candidates.named(name)
    return candidate.fit(FRAME, Y, balance.weights(Y), features=FEATURES, parameters=candidate.grid[0], seed=0)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_ranks_new_rows_with_nulls_and_unseen_levels_twice_the_same(name: str) -> None:
    fresh = portfolio(seed=2)
    fresh.loc[:9, "checking_status"] = None
    fresh.loc[10:19, "purpose"] = "never seen"
    first = fitted(name)
    margins = first.margins(fresh)
    assert np.isfinite(margins).all()
    assert roc_auc_score(fresh["defaulted"].astype("int64"), margins) > 0.62
    assert (margins == fitted(name).margins(fresh)).all()
    assert candidates.named(name).name == name
    assert candidates.named(name).explains == (name in EXPLAINED)


@pytest.mark.parametrize("name", sorted(EXPLAINED))
def test_what_may_become_champion_obeys_the_directions(name: str) -> None:
    rows = pd.concat([FRAME.iloc[[0]]] * 50, ignore_index=True).assign(amount=np.linspace(0, 250, 50))
    assert (np.diff(fitted(name).margins(rows)) >= 0).all()


def test_a_scorecard_turns_no_evidence_around() -> None:
    # Two copies of one feature and noise: a regression alone would weigh one of them below zero.
    random = np.random.default_rng(0)
    frame = FRAME.assign(annual_income=FRAME["amount"] + random.normal(0, 1, len(FRAME)))
    features = (
        *FEATURES,
        *(f for f in specification.load("lending").features if f.name in ("annual_income", "dependents")),
    )
    candidate = candidates.named("scorecard")
    fit = candidate.fit(
        frame, Y, np.ones(len(Y)), features=features, parameters={"bins": 6, "C": 100.0, "penalty": "l2"}, seed=0
    )
    for b, weights in zip(fit.bins, fit.weights, strict=True):  # type: ignore[attr-defined]
        evidence = b.evidence(b.codes(frame[b.feature.name]), Y)
        assert (np.asarray(weights) * evidence >= 0).all(), b.feature.name


def test_boosting_says_what_reasons_compare_with() -> None:
    inputs = {i.name: i for i in fitted("xgboost").inputs}  # type: ignore[attr-defined]
    assert inputs["amount"].reference == FRAME["amount"].median()
    assert inputs["amount"].monotone == 1
    assert inputs["purpose"].reference == FRAME["purpose"].mode()[0]
    assert inputs["purpose"].levels == ("high", "low")


def test_a_level_that_training_has_not_seen_is_in_no_column_and_warns_nobody() -> None:
    one = Input("purpose", "categorical", "Purpose", levels=("high", "low"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # pandas would rather not cut values to given categories
        found = one.encode(pd.Series(["low", "never seen", None, "high"]))
    assert found.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("reference", [None, 20.0])
def test_every_reason_of_a_scorecard_is_true(reference: float | None) -> None:
    """Thousands of applicants: the reference value in its place, else the next bin, lowers the probability."""
    features = tuple(dataclasses.replace(f, reference=reference) if f.kind == "numeric" else f for f in FEATURES)
    fit = candidates.named("scorecard").fit(
        FRAME, Y, balance.weights(Y), features=features, parameters={"bins": 6, "C": 1.0, "penalty": "l2"}, seed=0
    )
    terms = dataclasses.replace(TERMS, refer=0.3, decline=0.5)
    card = scorecard.exported(fit, terms, {f.name: (0.0, 1e6) for f in features})  # type: ignore[arg-type]
    values = {f.name: data.reference(FRAME[f.name], f) for f in features}
    assert values["amount"] == (reference or FRAME["amount"].median())
    edges = next(f.edges for f in card.features if f.name == "amount")
    given = 0
    for applicant in _applicants(3000):
        score = card.score(applicant)
        named = {r.feature for r in score.reasons or ()}
        for name in values:
            moved = card.probability({**applicant, name: values[name]}) < score.probability - 1e-12
            if name not in named:
                assert not moved or len(named) == card.reasons, (applicant, name)
            elif not moved:
                assert name == "amount" and score.decision != "approve"
                below = max(edge for edge in edges if edge < applicant["amount"])
                assert card.probability({**applicant, "amount": below}) < score.probability
            given += name in named
    assert given > 1000


def _applicants(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(3)
    levels = {f.name: [*FRAME[f.name].dropna().unique(), None, "never seen"] for f in FEATURES if f.kind != "numeric"}
    return [
        {
            "amount": None if random.random() < 0.05 else float(random.uniform(0, 250)),
            **{name: found[random.integers(len(found))] for name, found in levels.items()},
        }
        for _ in range(count)
    ]
