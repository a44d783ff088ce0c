"""A refusal reaches people and programs without the container's stack trace."""

import json

import pytest

from solvent.refusals import reason, refusal

REFUSAL = {"error": "amount: must be a number", "field": "amount"}
TRACE = "Traceback (most recent call last):\n  File \"/opt/ml/model/code/inference.py\", line 27\nKeyError: 'amount'\n"


@pytest.mark.parametrize("rest", ["", "\n" + TRACE, '\n{"another": 1}', " not json"])
def test_only_the_first_json_value_counts(rest: str) -> None:
    assert refusal(json.dumps(REFUSAL, indent=1) + rest) == REFUSAL
    assert reason(json.dumps(REFUSAL) + rest) == "amount: must be a number"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", ""),
        ("container broke\n" + TRACE, "container broke"),
        ("[1]\n" + TRACE, "[1]"),
        ('{"code": 7}', '{"code": 7}'),
    ],
)
def test_a_message_of_another_form_is_cut_to_its_first_line(message: str, said: str) -> None:
    assert reason(message) == said
