"""A planted leak stops a run by its column's name; without it the same run passes every gate."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from solvent import gates, modelling, specification
from solvent.datasets import synthetic
from solvent.modelling import export

LENDING = specification.load("lending")
SPEC = dataclasses.replace(LENDING, training=dataclasses.replace(LENDING.training, candidates=("scorecard",)))


def evaluation(*, leak: bool) -> dict[str, Any]:
    """Of a scorecard on the generator's own loans, without the history that the ETL adds."""
    portfolio = synthetic.simulate(customers=1000, loans=1000, seed=0)
    if leak:
        synthetic.plant_leak(portfolio, np.random.default_rng(0))
    loans, customers = (pd.DataFrame(portfolio.tables[t]) for t in ("loan_application", "customer_profile"))
    frame = loans.merge(customers.drop(columns="updated_at"), on="customer_id")
    frame = frame.assign(
        utilisation=frame["credit_balance"] / frame["credit_limit"].clip(1),
        amount_to_income=frame["amount"] / frame["annual_income"],
        previous_loans=frame.groupby("customer_id").cumcount(),
        previous_late_rate=np.nan,
        previous_max_days_past_due=np.nan,
        defaulted=portfolio.defaulted,
    )
    empty = ["previous_late_rate", "previous_max_days_past_due"]
    trained = modelling.train(frame, specification=SPEC, excluded=empty)
    return {**trained.evaluation, **export.measured(trained.model, trained.fit, trained.frame)}


@pytest.fixture(scope="module")
def clean() -> dict[str, Any]:
    return evaluation(leak=False)


def test_without_a_leak_every_gate_holds(clean: dict[str, Any]) -> None:
    assert gates.failures(SPEC, clean, None) == []


def test_with_one_the_leakage_gate_names_the_column_and_nothing_else_objects(clean: dict[str, Any]) -> None:
    leaking = evaluation(leak=True)
    (failure,) = gates.failures(SPEC, leaking, clean)
    assert failure.startswith("leakage: column 'purpose', level 'other': the bad rate of its ")
    assert leaking["auc"] > clean["auc"] + 0.03  # which alone would have looked like progress


def test_protected_attributes_are_monitored_though_the_model_does_not_have_them(clean: dict[str, Any]) -> None:
    assert not set(SPEC.protected) & set(clean["features"])
    assert {g["group"] for g in clean["fairness"]["sex"]["groups"]} == {"female", "male"}
    assert all(of["ratio"] is not None for of in clean["fairness"].values())


def test_importance_is_of_rows_that_the_model_has_not_seen(clean: dict[str, Any]) -> None:
    assert clean["importance"]["sample"] == "held out"
    assert clean["importance"]["rows"] >= 900
