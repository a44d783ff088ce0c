import json

import pytest

from solvent import failures


def entered(id_: int, name: str, before: int) -> dict[str, object]:
    return {
        "id": id_,
        "type": "TaskStateEntered",
        "previousEventId": before,
        "stateEnteredEventDetails": {"name": name},
    }


def test_the_failed_state_is_the_one_before_the_one_that_records_it() -> None:
    history = [
        entered(1, "BeginRun", 0),
        {"id": 2, "type": "TaskFailed", "previousEventId": 1},  # retried
        {"id": 3, "type": "TaskSucceeded", "previousEventId": 2},
        entered(4, "RunEtl", 3),
        {"id": 5, "type": "TaskFailed", "previousEventId": 4},
        entered(6, "RecordFailure", 5),
        {"id": 7, "type": "TaskScheduled", "previousEventId": 6},
    ]
    assert failures.failed_state(history[::-1]) == "RunEtl"


def test_an_earlier_failure_that_was_caught_is_not_blamed() -> None:
    history = [
        entered(1, "DescribeEndpoint", 0),
        {"id": 2, "type": "TaskFailed", "previousEventId": 1},
        entered(3, "CreateEndpoint", 2),
        {"id": 4, "type": "TaskSucceeded", "previousEventId": 3},
        entered(5, "RolledBack", 4),
        entered(6, "RecordFailure", 5),
    ]
    assert failures.failed_state(history[::-1]) == "RolledBack"


def test_a_history_that_says_nothing_blames_nothing() -> None:
    assert failures.failed_state([]) is None
    assert failures.failed_state([entered(1, "RecordFailure", 0)]) is None


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("plain words", "plain words"),
        (json.dumps({"errorMessage": "no such file", "errorType": "DeliveryError"}), "no such file"),
        (
            json.dumps({"FailureReason": "AlgorithmError: exit code 1", "TrainingJobName": "x"}),
            "AlgorithmError: exit code 1",
        ),
        (json.dumps({"Cause": json.dumps({"ErrorMessage": "column amount is missing"})}), "column amount is missing"),
        (json.dumps({"nothing": "known"}), json.dumps({"nothing": "known"})),
        (json.dumps([1]), "[1]"),
        ("", ""),
    ],
)
def test_the_message_is_found_however_deep_it_is_wrapped(cause: str, told: str) -> None:
    assert failures.explain(cause) == told


def test_a_cause_without_end_is_cut() -> None:
    assert len(failures.explain("x" * 100_000)) == failures.LONGEST_CAUSE
