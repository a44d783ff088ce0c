import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from solvent import specification
from solvent.modelling import leakage
from solvent.specification import Feature

SPEC = specification.load("lending")
PURPOSE = Feature("purpose", "categorical", ("loan_application.purpose",), "Purpose")
AMOUNT = Feature("amount", "numeric", ("loan_application.amount",), "Amount")
DEPENDENTS = Feature("dependents", "numeric", ("customer_profile.dependents",), "Dependents")


def rows(n: int = 400, seed: int = 0) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(seed)
    y = (random.random(n) < 0.2).astype(np.int64)
    columns = {
        "purpose": random.choice(["car", "radio", "other"], n),
        "amount": random.normal(1000, 200, n),
        "dependents": random.integers(0, 3, n),
    }
    return pd.DataFrame(columns), y


def test_columns_that_know_nothing_are_not_suspected() -> None:
    frame, y = rows()
    found = leakage.judge(frame, y, SPEC, [PURPOSE, AMOUNT, DEPENDENTS])
    assert found["levels"] == []
    assert found["known_afterwards"] == []
    assert all(0.4 < auc < 0.6 for auc in found["feature_auc"].values())


def test_a_level_that_only_the_bad_have_is_found_with_its_probability() -> None:
    frame, y = rows()
    frame.loc[frame["purpose"] == "other", "purpose"] = "car"
    frame.loc[np.flatnonzero(y)[:20], "purpose"] = "560001"
    (found,) = leakage.judge(frame, y, SPEC, [PURPOSE])["levels"]
    assert (found["feature"], found["level"], found["rows"], found["bad_rate"]) == ("purpose", "560001", 20, 1.0)
    assert found["probability"] == pytest.approx(y.mean() ** 20)


def test_a_level_that_only_the_good_have_needs_more_rows_to_be_improbable() -> None:
    frame, y = rows()
    frame.loc[np.flatnonzero(y == 0)[:20], "purpose"] = "safe"
    (found,) = leakage.judge(frame, y, SPEC, [PURPOSE])["levels"]
    assert found["probability"] == pytest.approx((1 - y.mean()) ** 20)
    assert found["probability"] > SPEC.gates.minimum_level_probability


def test_values_of_a_number_with_few_of_them_are_levels() -> None:
    frame, y = rows()
    frame.loc[y == 1, "dependents"] = 9
    found = leakage.judge(frame, y, SPEC, [DEPENDENTS])["levels"]
    assert {(f["level"], f["bad_rate"]) for f in found} == {("9", 1.0), ("0", 0.0), ("1", 0.0), ("2", 0.0)}


@pytest.mark.parametrize("feature", [PURPOSE, AMOUNT])
def test_a_value_that_is_missing_for_the_bad_alone_is_found(feature: Feature) -> None:
    frame, y = rows()
    frame.loc[np.flatnonzero(y)[:30], feature.name] = None
    (found,) = leakage.judge(frame, y, SPEC, [feature])["levels"]
    assert (found["level"], found["rows"]) == ("(missing)", 30)


def test_bins_of_a_number_are_no_levels_but_its_auc_tells() -> None:
    frame, y = rows()
    frame["amount"] += 2000 * y
    found = leakage.judge(frame, y, SPEC, [AMOUNT])
    assert found["levels"] == []
    assert found["feature_auc"]["amount"] > 0.97


def test_a_number_that_matters_at_both_ends_is_seen_too() -> None:
    frame, y = rows()
    frame["amount"] += np.where(y == 1, 3000, 0) * np.where(np.arange(len(y)) % 2, 1, -1)
    assert leakage.judge(frame, y, SPEC, [AMOUNT])["feature_auc"]["amount"] > 0.9


@pytest.mark.parametrize("portfolio", ["lending", "bankruptcy"])
def test_no_feature_of_ours_is_known_too_late(portfolio: str) -> None:
    spec = specification.load(portfolio)
    assert [found for f in spec.features for found in leakage._late(f, spec)] == []


def test_a_column_that_is_known_only_with_the_outcome_is_named() -> None:
    frame, y = rows()
    late = dataclasses.replace(AMOUNT, sources=("loan_application.published_default",))
    (found,) = leakage.judge(frame, y, SPEC, [late])["known_afterwards"]
    assert found == {"feature": "amount", "column": "loan_application.published_default"}
    label = Feature("defaulted", "numeric", ("loan_application.amount",), "The label itself")
    assert leakage._late(label, SPEC) == [{"feature": "defaulted", "column": "application_features.defaulted"}]
