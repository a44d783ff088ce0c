import io
import json
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes import small_scorecard
from hypothesis import example, given
from hypothesis import strategies as st

from solvent import tables
from solvent.serving import CSV, JSON, JSON_LINES, PARQUET, InvalidRequest, respond

CARD = small_scorecard()
GOOD = {"amount": 9000, "purpose": "repairs"}


def ask(body: Any, content_type: str | None = JSON, accept: str | None = None) -> Any:
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    answer, kind = respond(CARD, raw, content_type=content_type, accept=accept, model_version="7")
    return [json.loads(line) for line in answer.splitlines()] if kind == JSON_LINES else json.loads(answer)


def said(body: Any, content_type: str | None = JSON) -> Any:
    """The answer but for the request's id, which is another one each time."""
    answer = ask(body, content_type)
    for one in answer if isinstance(answer, list) else [answer]:
        one.pop("request_id", None)
    return answer


def test_one_applicant_gets_one_answer_with_everything_in_it() -> None:
    answer = ask({"loan_id": "L000001", "as_of": "2026-06-30", **GOOD})
    assert set(answer) == {
        "loan_id", "as_of", "probability", "score", "band", "decision", "reasons", "model_version",
        "request_id",
    }  # fmt: skip
    assert answer["loan_id"] == "L000001"
    assert answer["model_version"] == "7"
    assert set(answer["reasons"][0]) == {"code", "feature", "text", "points"}


def test_the_answer_is_written_as_the_json_library_writes_it() -> None:
    """Whatever a document's words hold: they are joined as text, not encoded with the rest."""
    odd = 'a "\\\n{é\N{GRINNING FACE}'
    named = replace(CARD.features[0], text=odd)
    card = replace(
        CARD, entity=odd, words=(odd,) * 3, bands=((odd, 1.0),), features=(named, *CARD.features[1:])
    )  # fmt: skip
    request = json.dumps([{odd: "L1", **GOOD}, {"amount": 1e-7, "purpose": "spaceship", "reasons": False}])
    answer, _ = respond(card, request, content_type=JSON, accept=None, model_version=odd)
    first, second = json.loads(answer)
    assert answer == json.dumps([first, second])
    assert (first[odd], first["band"], first["decision"], first["model_version"]) == ("L1", odd, odd, odd)
    assert first["reasons"][0]["text"].startswith(odd)
    assert second["unknown_levels"] == ["purpose"]


def test_list_instances_nested_features_and_lines_all_give_the_same_answer() -> None:
    one = said(GOOD)
    assert said([GOOD, GOOD]) == [one, one]
    assert said({"instances": [GOOD]}) == [one]
    assert said({"features": GOOD}) == one
    assert said(json.dumps(GOOD).encode()) == one
    assert said(json.dumps(GOOD) + "\n" + json.dumps(GOOD) + "\n", JSON_LINES) == [one, one]
    assert said(GOOD, "application/json; charset=utf-8") == one
    assert said(GOOD, None) == one


def test_answers_to_one_request_share_an_id_that_no_other_request_has() -> None:
    first, second = ask([GOOD, GOOD])
    assert first["request_id"] == second["request_id"] != ask(GOOD)["request_id"]
    assert "request_id" not in ask(json.dumps(GOOD), JSON_LINES)[0], "a batch answers the same twice"


def test_a_request_may_do_without_reasons() -> None:
    assert "reasons" not in ask({**GOOD, "reasons": False})
    assert [("reasons" in one) for one in ask([{**GOOD, "reasons": False}, GOOD])] == [False, True]
    with pytest.raises(InvalidRequest, match="reasons: must be true or false"):
        ask({**GOOD, "reasons": 1})


def test_batch_answers_keep_the_order_and_the_keys() -> None:
    lines = "\n".join(json.dumps({"loan_id": f"L{i:06d}", "features": GOOD}) for i in range(5))
    assert [a["loan_id"] for a in ask(lines, JSON_LINES)] == [f"L{i:06d}" for i in range(5)]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"\xff\xfe", 400, None),
        (b"{", 400, None),
        (b'{"amount": NaN, "purpose": "repairs"}', 400, None),
        (b"[" * 100_000, 400, None),
        (b"3", 422, None),
        (b"[]", 422, None),
        (b"[3]", 422, None),
        (b'{"instances": 3}', 422, "instances"),
        (b'{"amount": 1e999, "purpose": "repairs"}', 422, "amount"),
        (b'{"amount": true, "purpose": "repairs"}', 422, "amount"),
        (b'{"amount": 1, "amount": 2, "purpose": "repairs"}', 422, "amount"),
        (b'{"amount": 1}', 422, "purpose"),
        (b'{"amount": 1, "purpose": "repairs", "loan_id": "a b"}', 422, "loan_id"),
        (b'{"amount": 1, "purpose": "repairs", "as_of": "2026-02-30"}', 422, "as_of"),
        (b'{"features": {"amount": 1, "purpose": "repairs"}, "amount": 2}', 422, "amount"),
    ],
)
def test_a_request_that_cannot_be_answered_is_the_callers_fault_and_the_field_is_named(
    body: bytes, status: int, field: str | None
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ask(body)
    assert (refused.value.status_code, refused.value.field) == (status, field)
    assert refused.value.to_dict().get("field") == field


def test_the_faulty_one_of_many_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"applicant 1: amount: must be a number"):
        ask([GOOD, {**GOOD, "amount": "x"}])
    with pytest.raises(InvalidRequest, match=r"line 2: purpose: is missing"):
        ask(json.dumps(GOOD) + '\n{"amount": 1}', JSON_LINES)


def test_csv_is_answered_with_the_bare_probability_of_each_line() -> None:
    """What Redshift's CREATE MODEL sends: amount, credit_score (which this model ignores), purpose."""
    assert CARD.inputs == ("amount", "credit_score", "purpose")
    lines = '9000,700,repairs\n,,\n9000.0,,"a, ""b"""\n'
    for accept in (None, CSV, JSON):
        answer, kind = respond(CARD, lines.encode(), content_type="text/csv", accept=accept, model_version="7")
        assert kind == CSV
        assert [float(line) for line in answer.splitlines()] == [
            ask(applicant)["probability"]
            for applicant in (GOOD, {"amount": None, "purpose": None}, {"amount": 9000, "purpose": 'a, "b"'})
        ]


KEYED = {"loan_id": "L000001", "as_of": "2026-06-30", **GOOD}
UNKNOWN = {"loan_id": "L000002", "as_of": None, "amount": None, "purpose": "spaceship"}


def parquet(**columns: Any) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def test_csv_with_names_and_parquet_are_answered_as_lines_of_json_are() -> None:
    given = [KEYED, {name: value for name, value in UNKNOWN.items() if name != "as_of"}]
    expected = ask("\n".join(json.dumps(one) for one in given), JSON_LINES)
    assert expected[0]["reasons"]
    text = "purpose,loan_id,amount\nrepairs,L000001,9000\nspaceship,L000002,\n"
    for one in (answered := ask(text, "text/csv; header=present", accept=JSON_LINES)):
        assert one.pop("loan_id")
    assert answered == [{k: v for k, v in one.items() if k not in ("loan_id", "as_of")} for one in expected]
    for amounts in (pa.array([9000, None]), pa.array([Decimal("9000.00"), None]), pa.array([9000.0, None])):
        table = parquet(loan_id=["L000001", "L000002"], amount=amounts, purpose=["repairs", "spaceship"])
        assert ask(table, "application/x-parquet") == [{k: v for k, v in e.items() if k != "as_of"} for e in expected]
    dated = parquet(as_of=[date(2026, 6, 30)], amount=[9000], purpose=pa.array(["repairs"]).dictionary_encode())
    assert ask(dated, "application/x-parquet")[0]["as_of"] == "2026-06-30"
    assert ask(parquet(amount=pa.array([], pa.int64()), purpose=pa.array([], pa.string())), PARQUET) == []


@pytest.mark.parametrize(
    ("kind", "body", "status", "message"),
    [
        (PARQUET, b"PAR1", 400, "is no Parquet"),
        (PARQUET, parquet(amount=[1], purpose=["repairs"])[:-9], 400, "is no Parquet"),
        (PARQUET, parquet(amount=[1], purpose=["repairs"], sex=["x"]), 422, "row 1: sex: is not an input"),
        (PARQUET, parquet(amount=[1, 2], purpose=["repairs", "x" * 300]), 422, "row 2: purpose: must not be longer"),
        (PARQUET, parquet(amount=[1.0, float("nan")], purpose=["a", "a"]), 422, "row 2: amount: must be a number"),
        (PARQUET, parquet(amount=[1], purpose=[{"a": 1}]), 422, "purpose: holds struct<a: int64>; a column holds"),
        (PARQUET, parquet(amount=[1], purpose=["x" * 70_000]), 422, "purpose: holds a text of more than"),
        (PARQUET, parquet(amount=[1] * 20_001, purpose=["a"] * 20_001), 413, "has 20001 rows"),
        (PARQUET, parquet(), 422, "has no columns"),
        (CSV, b"", 422, "has no columns"),
        (CSV, b"amount,amount\n1,2", 422, "amount: is given twice"),
        (CSV, b"amount,purpose\n1", 422, "line 2: has 1 fields; its header has 2 names"),
        (CSV, b"amount,purpose\nx,a", 422, "line 2: amount: must be a number or empty"),
        (CSV, b"9000,,repairs\n1,,a", 422, "line 2: 9000: is not an input"),
        (CSV, b"amount,purpose\n" + b"1,a\n" * 20_001, 413, "has 20001 rows"),
    ],
)
def test_a_table_that_cannot_be_scored_is_refused_by_row_and_name(
    kind: str, body: bytes, status: int, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        ask(body, kind, accept=JSON_LINES)
    assert refused.value.status_code == status


def test_parquet_that_unpacks_to_too_much_is_refused_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LARGEST_TABLE", 100)
    with pytest.raises(InvalidRequest, match="bytes once unpacked") as refused:
        ask(parquet(amount=[1.0] * 1000, purpose=["a"] * 1000), PARQUET)
    assert refused.value.status_code == 413


def test_parquet_needs_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidRequest, match="Parquet is not served here") as refused:
        ask(b"PAR1", PARQUET)
    assert refused.value.status_code == 415


@given(st.integers(0, 400), st.integers(0, 255))
def test_no_damaged_parquet_makes_the_server_fail(at: int, byte: int) -> None:
    whole = bytearray(parquet(amount=[1, 2], purpose=["repairs", None]))
    whole[at % len(whole)] = byte
    try:
        ask(bytes(whole), PARQUET)
    except InvalidRequest as refused:
        assert 400 <= refused.status_code < 500  # noqa: PT017


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("9000,repairs", None, r"line 2: has 2 fields; this model takes 3, in the order amount, credit_score, purpose"),
        ("", None, "line 2: has 0 fields"),
        ("x,,repairs", "amount", "line 2: amount: must be a number or empty, not 'x'"),
        ("1_0,,repairs", "amount", "must be a number or empty"),
        ("nan,,repairs", "amount", "must be a number between"),
    ],
)
def test_a_csv_line_that_cannot_be_scored_is_named(line: str, field: str | None, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        respond(CARD, f"9000,,repairs\n{line}\n", content_type=CSV, accept=CSV, model_version="7")
    assert (refused.value.status_code, refused.value.field) == (422, field)


def test_what_is_no_csv_is_refused_by_its_line() -> None:
    """A field may not be larger than what Python's reader takes; a lone carriage return ends a line."""
    for body, status in ((f'9000,,"{"x" * 200_000}"\n', 400), ("\r0", 422)):
        with pytest.raises(InvalidRequest, match="^line 1: ") as refused:
            respond(CARD, body, content_type=CSV, accept=CSV, model_version="7")
        assert refused.value.status_code == status


def test_other_formats_and_sizes_are_refused_with_their_own_status() -> None:
    for content_type, accept, body, status in (
        ("text/plain", None, b"1,2", 415),
        (JSON, "text/csv", json.dumps(GOOD).encode(), 406),
        (JSON, None, b" " * (6 * 1024 * 1024 + 1), 413),
    ):
        with pytest.raises(InvalidRequest) as refused:
            respond(CARD, body, content_type=content_type, accept=accept, model_version="7")
        assert refused.value.status_code == status


@given(st.binary(max_size=200) | st.text(max_size=200), st.sampled_from([JSON, JSON_LINES, CSV, PARQUET, "", "x/y"]))
@example("\r0", CSV)
def test_no_bytes_at_all_make_the_server_fail(body: bytes | str, content_type: str) -> None:
    try:
        respond(CARD, body, content_type=content_type, accept=None, model_version="7")
    except InvalidRequest as refused:
        assert 400 <= refused.status_code < 500  # noqa: PT017


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(["amount", "purpose", "credit_score", "features", "instances", "loan_id", "as_of", "x"])


@given(json_values | st.dictionaries(names, json_values) | st.lists(st.dictionaries(names, json_values), max_size=3))
def test_no_json_at_all_makes_the_server_fail(value: Any) -> None:
    try:
        answer, _ = respond(CARD, json.dumps(value), content_type=JSON, accept=None, model_version="7")
    except InvalidRequest as refused:
        assert refused.status_code in (400, 422)  # noqa: PT017
    else:
        json.loads(answer)
