import numpy as np
import pandas as pd

from solvent.modelling import importance
from solvent.modelling.data import Floats
from solvent.specification import Feature

FEATURES = [
    Feature("idle", "numeric", ("loan_application.amount",), "Idle"),
    Feature("strong", "numeric", ("loan_application.amount",), "Strong"),
    Feature("weak", "categorical", ("loan_application.purpose",), "Weak"),
]
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"idle": RANDOM.normal(size=600), "strong": RANDOM.normal(size=600), "weak": RANDOM.choice(["a", "b"], 600)}
)


def model(frame: pd.DataFrame) -> Floats:
    logit = 2 * frame["strong"] + 0.8 * (frame["weak"] == "b")
    return np.asarray(1 / (1 + np.exp(-logit)), dtype=np.float64)


Y = (RANDOM.random(600) < model(FRAME)).astype(np.int64)
FOUND = importance.judge(FRAME, Y, [(model, np.arange(300)), (model, np.arange(300, 600))], model, FEATURES)


def test_features_are_ranked_by_what_shuffling_them_costs() -> None:
    assert [f["feature"] for f in FOUND["features"]] == ["strong", "weak", "idle"]
    assert FOUND["features"][0]["importance"] > 0.2
    assert FOUND["features"][2]["importance"] == 0.0
    assert (FOUND["rows"], FOUND["sample"]) == (600, "held out")


def test_without_models_of_folds_it_is_said_to_be_in_sample() -> None:
    assert importance.judge(FRAME, Y, [], model, FEATURES)["sample"] == "in sample"


def test_dependence_is_the_mean_with_the_feature_set_for_all() -> None:
    of = {d["feature"]: d["points"] for d in FOUND["dependence"]}
    rising = [p["probability"] for p in of["strong"]]
    assert rising == sorted(rising)
    assert rising[-1] - rising[0] > 0.5
    assert {p["value"] for p in of["weak"]} == {"a", "b"}
    assert len({p["probability"] for p in of["idle"]}) == 1


def test_nothing_of_the_frame_is_changed() -> None:
    before = FRAME.copy()
    importance.judge(FRAME, Y, [(model, np.arange(600))], model, FEATURES)
    pd.testing.assert_frame_equal(FRAME, before)


def test_a_column_without_values_has_no_curve() -> None:
    frame = FRAME.assign(idle=np.nan)
    found = importance.judge(frame, Y, [], model, FEATURES)
    assert {d["feature"]: d["points"] for d in found["dependence"]}["idle"] == []
