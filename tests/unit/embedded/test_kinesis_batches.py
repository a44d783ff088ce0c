"""How a Kinesis batch is tried, cut and given up, without a stream or a function."""

from collections.abc import Sequence
from typing import Any

import pytest

from embedded_aws.functions.kinesis_batches import Handling, Outcome, Rules


def record(number: int, arrived: float = 100.0) -> dict[str, Any]:
    return {"kinesis": {"sequenceNumber": str(number), "approximateArrivalTimestamp": arrived}}


class Shard:
    """Counts what happens to records; `bad` ones fail, by exception or by a partial answer."""

    def __init__(self, rules: Rules, bad: set[int], partial: bool = False, now: float = 100.0) -> None:
        self.bad, self.partial = bad, partial
        self.seen: list[list[int]] = []
        self.lost: list[tuple[list[int], str, int]] = []
        self.position = 0
        self.handling = Handling(rules, self._invoke, self._give_up, self._advance, lambda _: True, lambda: now)

    def _invoke(self, piece: Sequence[dict[str, Any]]) -> Outcome:
        numbers = [int(r["kinesis"]["sequenceNumber"]) for r in piece]
        self.seen.append(numbers)
        failed = [n for n in numbers if n in self.bad]
        if failed and not self.partial:
            return Outcome(error="ValueError")
        return Outcome(answer={"batchItemFailures": [{"itemIdentifier": str(n)} for n in failed]})

    def _give_up(self, piece: Sequence[dict[str, Any]], condition: str, attempts: int) -> None:
        self.lost.append(([int(r["kinesis"]["sequenceNumber"]) for r in piece], condition, attempts))

    def _advance(self, count: int) -> None:
        self.position += count


def test_success_advances_over_the_batch() -> None:
    shard = Shard(Rules(), set())
    assert shard.handling.run([record(1), record(2)])
    assert (shard.seen, shard.position, shard.lost) == ([[1, 2]], 2, [])


def test_a_partial_failure_keeps_what_came_before_it() -> None:
    shard = Shard(Rules(report_item_failures=True, maximum_retries=2), {2}, partial=True)
    shard.handling.run([record(n) for n in (1, 2, 3)])
    assert shard.seen == [[1, 2, 3], [2, 3], [2, 3]]
    assert (shard.lost, shard.position) == ([([2, 3], "RetryAttemptsExhausted", 3)], 3)


@pytest.mark.contract(
    "kinesis.report-off",
    page="https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html",
    quote=(
        "Even when your function code returns partial batch failure responses, these responses will not be "
        "processed by Lambda unless the ReportBatchItemFailures feature is explicitly turned on for your "
        "event source mapping."
    ),
)
def test_without_report_item_failures_the_answer_means_success() -> None:
    shard = Shard(Rules(), {2}, partial=True)
    shard.handling.run([record(1), record(2)])
    assert (shard.seen, shard.position) == ([[1, 2]], 2)


@pytest.mark.contract(
    "kinesis.bad-identifier",
    page="https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html",
    says="An itemIdentifier with a bad key name, or an empty one, is a complete failure of the batch.",
)
def test_an_unknown_identifier_fails_the_whole_batch() -> None:
    shard = Shard(Rules(report_item_failures=True, maximum_retries=0), set())
    shard.handling.invoke = lambda piece: Outcome(answer={"batchItemFailures": [{"itemIdentifier": "elsewhere"}]})
    shard.handling.run([record(1)])
    assert shard.lost == [([1], "RetryAttemptsExhausted", 1)]


@pytest.mark.contract(
    "kinesis.bisect-quota",
    page="https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html",
    quote="Splitting a batch does not count towards the retry quota.",
)
def test_bisection_costs_no_retry_and_loses_the_bad_record_alone() -> None:
    shard = Shard(Rules(bisect=True, maximum_retries=0), {3})
    shard.handling.run([record(n) for n in (1, 2, 3, 4)])
    assert shard.seen == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]
    assert (shard.lost, shard.position) == ([([3], "RetryAttemptsExhausted", 1)], 4)


@pytest.mark.contract(
    "kinesis.record-age",
    page="https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html",
    quote="Discard records older than the specified age.",
)
def test_records_that_are_too_old_are_given_up_first() -> None:
    shard = Shard(Rules(maximum_age=60), set(), now=200.0)
    shard.handling.run([record(1, 100.0), record(2, 139.0), record(3, 150.0)])
    assert shard.lost == [([1, 2], "RecordAgeExceeded", 0)]
    assert (shard.seen, shard.position) == ([[3]], 3)


def test_a_mapping_that_is_switched_off_stops_retrying() -> None:
    shard = Shard(Rules(), {1})
    shard.handling.pause = lambda attempt: attempt < 3
    assert not shard.handling.run([record(1)])
    assert (len(shard.seen), shard.position) == (3, 0)


def test_rules_read_cloudformations_text() -> None:
    mapping = {"BisectBatchOnFunctionError": "true", "MaximumRetryAttempts": "3", "MaximumRecordAgeInSeconds": 60}
    assert Rules.of(mapping) == Rules(bisect=True, maximum_retries=3, maximum_age=60.0)
