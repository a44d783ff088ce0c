import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent import specification
from solvent.modelling import fairness
from solvent.specification import Feature

SPEC = specification.load("lending")
HOUSING = Feature("housing", "categorical", ("customer_profile.housing",), "Housing")
AMOUNT = Feature("amount", "numeric", ("loan_application.amount",), "Amount")


def rows(n: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    sex = np.where(np.arange(n) % 2, "male", "female")
    return pd.DataFrame(
        {
            "sex": sex,
            "age_years": random.integers(19, 75, n),
            "foreign_worker": "no",
            "housing": np.where(random.random(n) < 0.9, sex, "other"),  # gives the sex away
            "amount": random.normal(size=n),
        }
    )


def judged(frame: pd.DataFrame, y: Any, declined: Any) -> dict[str, Any]:
    return fairness.judge(frame, np.asarray(y), np.asarray(declined, dtype=bool), SPEC, [HOUSING, AMOUNT])


def test_rates_ratio_and_opportunity_are_those_of_the_definition() -> None:
    frame = rows()
    female = (frame["sex"] == "female").to_numpy()
    number = np.cumsum(female) * female + np.cumsum(~female) * ~female  # 1..200 within each group
    y = np.where(female, number <= 60, number <= 40).astype(int)
    declined = np.where(female, number <= 100, number <= 50)
    found = judged(frame, y, declined)["sex"]
    assert [(g["group"], g["rows"], g["approval_rate"], g["bad_rate"]) for g in found["groups"]] == [
        ("female", 200, 0.5, 0.3),
        ("male", 200, 0.75, 0.2),
    ]
    assert (found["lowest"], found["highest"]) == ("female", "male")
    assert found["ratio"] == pytest.approx(0.5 / 0.75)
    assert found["label_ratio"] == pytest.approx(0.7 / 0.8)
    assert found["equal_opportunity_difference"] == pytest.approx(150 / 160 - 100 / 140)
    assert found["ratio_interval"][0] < found["ratio"] < found["ratio_interval"][1]


def test_the_strongest_proxy_is_named() -> None:
    frame = rows()
    found = judged(frame, np.arange(400) % 3 == 0, np.arange(400) % 7 == 0)
    proxies = found["sex"]["proxies"]
    assert proxies["features"][0]["feature"] == "housing"
    assert proxies["features"][0]["auc"] > 0.9
    assert proxies["auc"] > 0.9
    assert 0.4 < found["age_years"]["proxies"]["auc"] < 0.6
    assert found["foreign_worker"]["proxies"] is None  # nobody to tell apart


def test_ages_are_cut_where_the_specification_says() -> None:
    frame = rows(6).assign(age_years=[25, 26, 61, 62, 90, None])
    groups = judged(frame, [0, 1] * 3, [False] * 6)["age_years"]["groups"]
    assert [(g["group"], g["rows"]) for g in groups] == [
        ("below 26", 1), ("26 to below 62", 2), ("62 or more", 2), ("(missing)", 1),
    ]  # fmt: skip


def test_a_small_group_is_reported_but_not_judged() -> None:
    frame = rows().assign(sex=["other"] * 29 + ["male"] * 371)
    found = judged(frame, [0, 1] * 200, np.arange(400) < 29)["sex"]
    assert [g["judged"] for g in found["groups"]] == [True, False]
    assert found["ratio"] is None
    frame = rows().assign(sex=["other"] * 30 + ["male"] * 370)
    assert judged(frame, [0, 1] * 200, np.arange(400) < 30)["sex"]["ratio"] == 0.0


def test_an_attribute_that_the_data_lack_is_said_to_be_absent() -> None:
    found = judged(rows().drop(columns="sex"), [0, 1] * 200, [False] * 400)
    assert found["sex"] == {"absent": True}
    assert not found["age_years"].get("absent")


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "<script>alert(1)</script>", "a", "\ud7ff\u0000", ""]),
            st.integers(0, 1),
            st.booleans(),
        ),
        min_size=1,
        max_size=80,
    )
)
def test_whatever_the_groups_the_figures_are_plain_and_finite(cases: list[tuple[str | None, int, bool]]) -> None:
    frame = pd.DataFrame({"sex": [c[0] for c in cases], "housing": "own", "amount": 1.0}).astype({"sex": object})
    found = judged(frame, [c[1] for c in cases], [c[2] for c in cases])
    json.dumps(found, allow_nan=False)
    assert sum(g["rows"] for g in found["sex"]["groups"]) == len(cases)
