"""The gate that follows the data of an execution from state to state."""

from copy import deepcopy
from typing import Any

import pytest

from gates.assembly import Assembly
from gates.machines import data_flow

MACHINE: dict[str, Any] = {
    "StartAt": "Start",
    "States": {
        "Start": {"Type": "Pass", "Result": {}, "ResultPath": "$.run", "Next": "Ask"},
        "Ask": {
            "Type": "Task",
            "Parameters": {"id.$": "$.run.id", "execution.$": "$$.Execution.Id"},
            "ResultSelector": {"text.$": "$.Body"},
            "ResultPath": "$.answer",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
            "Next": "Judge",
        },
        "Judge": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.answer.text", "StringEquals": "yes", "Next": "Done"}],
            "Default": "Done",
        },
        "Done": {"Type": "Pass", "Parameters": {"run.$": "$.run"}, "End": True},
        "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    },
}


def test_the_machines_of_the_platform_pass(assembly: Assembly) -> None:
    outcome = data_flow.check(assembly)
    assert outcome.findings == []
    assert outcome.looked_at.endswith(" states")


def test_an_assembly_without_machines_is_noticed(assembly: Assembly) -> None:
    empty = Assembly(assembly.environment, assembly.folder)
    empty.definitions = {}
    assert [finding.rule for finding in data_flow.check(empty).findings] == ["nothing"]


@pytest.mark.parametrize(
    ("state", "change", "found"),
    [
        ("Start", {}, []),
        ("Start", {"ResultPath": "$.rnu"}, ["unwritten m.Ask", "unwritten m.Done", "unread m.Start"]),
        ("Ask", {"ResultPath": "$.anser"}, ["unwritten m.Judge", "unread m.Ask"]),
        ("Ask", {"ResultPath": "$"}, ["unwritten m.Judge", "unwritten m.Done"]),  # the result is all there is
        ("Ask", {"Next": "Done"}, []),
        ("Done", {"Parameters": {"run.$": "States.Format('{}', $.error)"}}, ["unwritten m.Done"]),  # of the other way
        ("Done", {"Parameters": {"text": "$.nothing"}}, []),  # a text, no path
        ("Judge", {"Choices": [{"Variable": "$.hint", "IsPresent": True, "Next": "Done"}]}, ["unread m.Ask"]),
        ("Failed", {"ErrorPath": "$.failure.Error"}, ["unwritten m.Failed"]),
        ("Judge", {"Type": "Map", "ResultPath": None}, ["not-judged m.Judge"]),
    ],
)
def test_a_path_must_lead_somewhere(state: str, change: dict[str, Any], found: list[str]) -> None:
    machine = deepcopy(MACHINE)
    machine["States"][state] |= change
    assert sorted(f"{f.rule} {f.where}" for f in data_flow.judge("m", machine)) == sorted(found)
