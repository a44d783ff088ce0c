"""A boosted model as it is served: the answer is the fitted model's, and its reasons are true."""

import json
import sys
from typing import Any

import numpy as np
import pytest
from boosted_model import TERMS, applicants, fitted

from solvent import trees
from solvent.modelling import export
from solvent.scoring import InvalidApplicant, InvalidModel
from solvent.serving import InvalidRequest, respond

GOOD: dict[str, Any] = {"amount": 30_000, "purpose": "repairs", "income": 10_000.5, "job": None, "rate": 0.9}


def load(**change: Any) -> trees.Trees:
    document = {**json.loads(export._document(fitted(), TERMS)), **change}
    return trees.load(json.dumps(document), export.graph(fitted()), bytes(fitted().booster.save_raw("json")))


@pytest.fixture(scope="module")
def model() -> trees.Trees:
    return load()


def rows(frame: Any) -> list[dict[str, Any]]:
    return [{k: None if v != v else v for k, v in row.items()} for row in frame.to_dict("records")]


def test_it_answers_what_was_fitted(model: trees.Trees) -> None:
    frame = applicants(3000, 5)
    served = model.probabilities([model.prepare(row) for row in rows(frame)])
    assert np.abs(np.array(served) - fitted().probabilities(frame)).max() <= 1e-5
    score = model.scores([model.prepare(GOOD)], reasons=[False])[0]
    odds = score.probability / (1 - score.probability)
    assert score.score == round(600 - 20 / np.log(2) * np.log(50 * odds))
    assert score.decision == ("decline" if score.probability >= 0.4 else "refer")


def test_the_matrix_of_a_request_is_the_matrix_of_training(model: trees.Trees) -> None:
    frame = applicants(500, 6)
    prepared = [model.prepare(row) for row in rows(frame)]
    parts = [f.encode(v) for f, v in zip(model.features, zip(*prepared, strict=True), strict=True)]
    assert np.array_equal(np.hstack(parts), fitted().matrix(frame), equal_nan=True)


def test_every_reason_is_true(model: trees.Trees) -> None:
    """Thousands of applicants: each reason raised this probability, and its reference value lowers it."""
    applied = rows(applicants(4000, 7))
    prepared = [model.prepare(row) for row in applied]
    scores = model.scores(prepared, reasons=[True] * len(prepared))
    moved, limits, given = [], [], 0
    for row, score in zip(applied, scores, strict=True):
        assert score.reasons is not None and len(score.reasons) <= 4
        assert [r.points for r in score.reasons] == sorted(r.points for r in score.reasons)
        for reason in score.reasons:
            reference = next(f.reference for f in model.features if f.name == reason.feature)
            moved.append({**row, reason.feature: reference})
            limits.append(score.probability)
            given += 1
    assert given > 4000
    frame = applicants(1, 0).iloc[:0].reindex(range(len(moved)))
    for name in frame:
        frame[name] = np.array([row[name] for row in moved], dtype=object)
    assert (fitted().probabilities(frame) < np.array(limits)).all()
    shares = [model._shares([row])[0] for row in prepared[:300]]
    for score, share in zip(scores, shares, strict=False):
        for reason in score.reasons or ():
            assert share[[f.name for f in model.features].index(reason.feature)] > 0


def test_the_counterfactual_is_needed(model: trees.Trees) -> None:
    """TreeSHAP alone names features whose reference would not help: else the check above proves nothing."""
    prepared = [model.prepare(row) for row in rows(applicants(1000, 8))]
    named = sum(len(score.reasons or ()) for score in model.scores(prepared, reasons=[True] * len(prepared)))
    assert named < np.minimum((model._shares(prepared) > 1e-9).sum(axis=1), 4).sum()


def ask(model: trees.Trees, body: Any, content_type: str = "application/json") -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return json.loads(respond(model, text, content_type=content_type, accept=None, model_version="3")[0])


def test_reasons_are_given_when_asked_for_and_always_in_a_batch(model: trees.Trees) -> None:
    assert "reasons" not in ask(model, GOOD)
    one = ask(model, {**GOOD, "reasons": True})
    assert one["reasons"] and one["model_version"] == "3"
    assert ask(model, json.dumps(GOOD) + "\n", "application/jsonlines")["reasons"] == one["reasons"]
    mixed = ask(model, [{**GOOD, "amount": 1}, {**GOOD, "reasons": True}, GOOD])
    assert [answer.get("reasons") for answer in mixed] == [None, one["reasons"], None]
    codes = {r["code"]: r["text"] for r in one["reasons"]}
    assert codes["AMOUNT"] == "Amount of the loan: 30,000"


def test_a_level_never_seen_is_reported_and_odd_text_is_no_failure(model: trees.Trees) -> None:
    for text in ("spaceship", "\ud800", trees.NULL, trees.UNSEEN, ""):
        answer = ask(model, {**GOOD, "purpose": text, "telephone": None})
        assert answer["unknown_levels"] == ["purpose"]
        assert answer["probability"] == ask(model, {**GOOD, "purpose": "boat"})["probability"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": -1}, "amount: must be a number between 0 and 1e"),
        ({"amount": "1"}, "amount: must be a number or null, not text"),
        ({"purpose": 3}, "purpose: must be text or null"),
        ({"sex": "male"}, "sex: is not an input"),
    ],
)
def test_bad_input_is_refused_by_name(model: trees.Trees, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        ask(model, {**GOOD, **change})


def test_without_xgboost_there_are_probabilities_and_no_invented_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    bare = load()
    assert ask(bare, GOOD)["probability"] > 0
    with pytest.raises(InvalidRequest, match="reasons: cannot be given here: .* xgboost is not installed") as refused:
        ask(bare, {**GOOD, "reasons": True})
    assert (refused.value.status_code, refused.value.field) == (422, "reasons")
    with pytest.raises(InvalidApplicant):
        bare.scores([bare.prepare(GOOD)], reasons=[True])


@pytest.mark.parametrize(
    "change", [{"slope": -1.0}, {"inputs": []}, {"words": ["a"]}, {"more": 1}, {"ignored": ["amount"]}]
)
def test_an_unsound_document_is_not_served(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel):
        load(**change)
