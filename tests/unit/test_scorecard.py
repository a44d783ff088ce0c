import json
import math
import sys
from dataclasses import replace
from typing import Any

import pytest
from fakes import small_scorecard
from hypothesis import given
from hypothesis import strategies as st

from solvent.scorecard import Scorecard
from solvent.scoring import InvalidApplicant, InvalidModel

CARD = small_scorecard()


@pytest.mark.parametrize(
    ("amount", "weight"),
    [(0, -1.0), (1000, -1.0), (1000.01, 0.0), (5000, 0.0), (5000.5, 1.5), (1e12, 1.5), (None, 0.5)],
)
def test_a_number_on_an_edge_belongs_to_the_bin_below(amount: float | None, weight: float) -> None:
    assert CARD.log_odds({"amount": amount, "purpose": "car_new"}) == pytest.approx(-1.0 + weight - 0.5)


def test_probability_score_band_and_decision_agree_with_a_calculation_by_hand() -> None:
    score = CARD.score({"amount": 9000, "purpose": "repairs"})  # log-odds -1 + 1.5 + 0.75 = 1.25
    assert score.probability == pytest.approx(1 / (1 + math.exp(-1.25)))
    assert score.score == round(600 - 20 / math.log(2) * (math.log(50) + 1.25))
    assert (score.band, score.decision) == ("C", "decline")


def test_points_double_the_odds_as_the_scale_says() -> None:
    # At odds of 50:1 for repaying the score is 600; 20 points more are odds of 100:1.
    for odds, points in ((50, 600), (100, 620), (25, 580)):
        log_odds = -math.log(odds)
        assert round(CARD.points - CARD.factor * (log_odds + math.log(CARD.odds))) == points


@pytest.mark.parametrize(
    ("probability", "decision"), [(0.19, "approve"), (0.2, "refer"), (0.39, "refer"), (0.4, "decline")]
)
def test_cut_offs_belong_to_the_stricter_side(probability: float, decision: str) -> None:
    assert CARD.decide(probability) == decision


def test_reasons_name_only_what_raised_the_probability_the_strongest_first() -> None:
    reasons = CARD.score({"amount": 9000, "purpose": "repairs"}).reasons
    assert [r.feature for r in reasons] == ["amount", "purpose"]
    assert reasons[0].text == "Amount of the loan: more than 5,000"
    assert reasons[0].points == pytest.approx(-1.4 * 20 / math.log(2), abs=0.01)
    assert CARD.score({"amount": 1, "purpose": "car_new"}).reasons == ()


def test_a_missing_value_is_named_as_such() -> None:
    reasons = CARD.score({"amount": None, "purpose": "car_new"}).reasons
    assert [(r.code, r.text) for r in reasons] == [("AMOUNT_MISSING", "Amount of the loan: not given")]


def test_a_level_never_seen_is_scored_as_other_and_reported() -> None:
    score = CARD.score({"amount": 1, "purpose": "spaceship"})
    assert score.unknown_levels == ("purpose",)
    assert score.reasons == ()  # the average weight is no reason
    assert CARD.score({"amount": 1, "purpose": "repairs"}).unknown_levels == ()


def test_features_the_model_was_trained_without_are_accepted_and_ignored() -> None:
    bare = {"amount": 1, "purpose": "repairs"}
    assert CARD.score({**bare, "credit_score": 700}) == CARD.score(bare)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": float("nan")}, "amount"),
        ({"amount": float("inf")}, "amount"),
        ({"amount": -(10**400)}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "1000"}, "amount"),
        ({"amount": [1]}, "amount"),
        ({"purpose": 3}, "purpose"),
        ({"purpose": {}}, "purpose"),
        ({"purpose": "x" * 257}, "purpose"),
        ({"amuont": 1}, "amuont"),
        ({"sex": "female"}, "sex"),
    ],
)
def test_an_input_that_cannot_be_scored_is_refused_and_the_field_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidApplicant) as refused:
        CARD.score({"amount": 1, "purpose": "repairs", **change})
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")
    assert 400 <= refused.value.status_code < 500


def test_a_missing_feature_is_refused_and_not_taken_for_unknown() -> None:
    with pytest.raises(InvalidApplicant, match="purpose: is missing"):
        CARD.score({"amount": 1})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["amount", "purpose", "credit_score", "other", ""]), anything))
def test_whatever_comes_in_is_scored_or_refused_by_field(applicant: dict[str, Any]) -> None:
    try:
        score = CARD.score(applicant)
    except InvalidApplicant as refused:
        assert refused.field in {*applicant, "amount", "purpose"}
    else:
        assert 0 < score.probability < 1
        answer = json.loads(f"{{{score.members()}}}")
        assert answer["probability"] == score.probability
        assert answer.get("unknown_levels", []) == list(score.unknown_levels)


@given(
    st.none() | st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9),
    st.none() | st.sampled_from(["car_new", "repairs", "x"]),
)
def test_a_reason_is_what_is_worse_than_its_reference_and_nothing_else_is(amount: Any, purpose: Any) -> None:
    applicant = {"amount": amount, "purpose": purpose}
    worse = {f.name for f in CARD.features if f.weigh(applicant[f.name]).weight > f.reference}
    if worse:
        assert {r.feature for r in CARD.score(applicant).reasons} == worse


def test_who_is_declined_at_the_reference_is_told_of_the_next_more_favourable_bin() -> None:
    """An average applicant may be too great a risk, and is owed a reason; one who is approved needs none."""
    average = {"amount": 3000, "purpose": "spaceship"}
    feature = replace(CARD.features[0], reference=0.0)
    card = replace(CARD, features=(feature, CARD.features[1]))
    (reason,) = card.score(average).reasons
    assert (reason.feature, reason.points) == ("amount", round(-card.factor * 1.0, 2))
    assert card.log_odds({**average, "amount": 900}) < card.log_odds(average)
    assert replace(card, refer=0.3).score(average).reasons == ()
    falling = replace(feature, weights=(1.5, 0.0, -1.0))
    (reason,) = replace(card, features=(falling, CARD.features[1])).score(average).reasons
    assert reason.feature == "amount"
    neither = replace(feature, weights=(-1.0, 0.0, -0.5))
    assert replace(card, features=(neither, CARD.features[1])).score(average).reasons == ()


def test_json_round_trip_is_exact_and_stable() -> None:
    text = CARD.to_json()
    assert Scorecard.from_json(text) == CARD
    assert Scorecard.from_json(text).to_json() == text


def _broken(change: Any) -> str:
    document = json.loads(CARD.to_json())
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(format="solvent-scorecard/9"), "format"),
        (lambda d: d.pop("decline"), "decline"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.update(intercept=float("nan")), "intercept"),
        (lambda d: d.update(intercept=True), "intercept"),
        (lambda d: d.update(intercept=10**400), "intercept"),
        (lambda d: d.update(refer=0.9), "cut-offs"),
        (lambda d: d.update(reasons=5), "reasons"),
        (lambda d: d.update(bands=[["A", 0.5]]), "bands"),
        (lambda d: d.update(features=[]), "features"),
        (lambda d: d["features"][0].update(edges=[5000, 1000]), "edges must rise"),
        (lambda d: d["features"][0]["weights"].pop(), "weights"),
        (lambda d: d["features"][0].update(kind="spline"), "kind"),
        (lambda d: d["features"][1].update(levels=["a", "a"]), "level is there twice"),
        (lambda d: d["features"][1].update(name="amount"), "named twice"),
    ],
)
def test_an_unsound_document_is_never_served(change: Any, said: str) -> None:
    with pytest.raises(InvalidModel, match=said):
        Scorecard.from_json(_broken(change))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_document_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidModel):
        Scorecard.from_json(body)


def test_serving_needs_nothing_but_the_standard_library() -> None:
    import subprocess

    program = (
        "import sys\n"
        "import solvent.serving, solvent.scorecard_document\n"
        "top = {m.partition('.')[0] for m in sys.modules}\n"
        "print(sorted(top & {'numpy', 'pandas', 'sklearn', 'yaml', 'boto3', 'botocore', 'pydantic'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_lies_outside_of_the_contracts_range_is_refused_by_name() -> None:
    card = Scorecard.from_json(small_scorecard().to_json())
    amount = replace(card.features[0], minimum=1.0, maximum=50_000.0)
    bounded = replace(card, features=(amount, *card.features[1:]))
    assert bounded.score({"amount": 50_000, "purpose": "repairs"}).probability > 0
    for value in (-5, 0.99, 50_001):
        with pytest.raises(InvalidApplicant, match="amount: must be a number between 1 and 50000"):
            bounded.score({"amount": value, "purpose": "repairs"})
