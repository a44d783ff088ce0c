"""How a Kinesis batch is tried, cut, retried and given up: the rules of an event source mapping, without any I/O.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-errors.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """The error handling of a mapping; -1 means without limit, as in the API."""

    report_item_failures: bool = False
    bisect: bool = False
    maximum_retries: int = -1
    maximum_age: float = -1

    @classmethod
    def of(cls, mapping: dict[str, Any]) -> "Rules":
        """From an event source mapping; CloudFormation gives numbers and booleans as text at times."""
        return cls(
            report_item_failures="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
            bisect=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
            maximum_retries=int(mapping.get("MaximumRetryAttempts", -1)),
            maximum_age=float(mapping.get("MaximumRecordAgeInSeconds", -1)),
        )


@dataclass(frozen=True)
class Outcome:
    """What the function did with a batch: `error` names the exception, `answer` is what it returned."""

    answer: Any = None
    error: str = ""


@dataclass
class Handling:
    """The work on one batch of one shard; nothing that follows in the shard is touched before it is settled.

    `invoke(records)` calls the function, `give_up(records, condition, attempts)` sends the on-failure notice,
    `advance(n)` moves the shard's position over n settled records, `pause(attempt)` waits before a retry and says
    whether to go on, `clock()` gives seconds.
    """

    rules: Rules
    invoke: Callable[[Sequence[Record]], Outcome]
    give_up: Callable[[Sequence[Record], str, int], None]
    advance: Callable[[int], None]
    pause: Callable[[int], bool]
    clock: Callable[[], float]

    def run(self, records: Sequence[Record]) -> bool:
        """Settle a batch: every record is processed or given up. False when `pause` said to stop."""
        pending: list[tuple[Sequence[Record], int]] = [(records, 0)]  # pieces in order, with the retries they have had
        while pending:
            piece, retries = pending.pop(0)
            expired = self._expired(piece)
            if expired:
                self.give_up(piece[:expired], "RecordAgeExceeded", retries)
                self.advance(expired)
                if piece[expired:]:
                    pending.insert(0, (piece[expired:], retries))
                continue
            failed_from = self._first_failure(piece, self.invoke(piece))
            if failed_from is None:
                self.advance(len(piece))
                continue
            if failed_from:  # a partial answer: what came before the lowest failure is done
                self.advance(failed_from)
                pending.insert(0, (piece[failed_from:], retries + 1))
            elif self.rules.bisect and len(piece) > 1:
                half = len(piece) // 2
                pending[:0] = [(piece[:half], retries), (piece[half:], retries)]  # splitting is no retry
            else:
                pending.insert(0, (piece, retries + 1))
            piece, retries = pending[0]
            if 0 <= self.rules.maximum_retries < retries:
                pending.pop(0)
                self.give_up(piece, "RetryAttemptsExhausted", retries)
                self.advance(len(piece))
            elif not self.pause(retries):
                return False
        return True

    def _expired(self, piece: Sequence[Record]) -> int:
        """How many records at the start are older than the limit."""
        if self.rules.maximum_age < 0:
            return 0
        oldest_allowed = self.clock() - self.rules.maximum_age
        count = 0
        for record in piece:
            if float(record["kinesis"]["approximateArrivalTimestamp"]) >= oldest_allowed:
                break
            count += 1
        return count

    def _first_failure(self, piece: Sequence[Record], outcome: Outcome) -> int | None:
        """The index of the lowest failed record; 0 for the whole batch, None for success."""
        if outcome.error:
            return 0
        if not self.rules.report_item_failures or outcome.answer in (None, "", {}):
            return None
        if not isinstance(outcome.answer, dict):
            return 0  # "an invalid response is a complete failure"
        failures = outcome.answer.get("batchItemFailures")
        if not failures:
            return None
        positions = {record["kinesis"]["sequenceNumber"]: index for index, record in enumerate(piece)}
        try:
            return min(positions[failure["itemIdentifier"]] for failure in failures)
        except (KeyError, TypeError):
            return 0  # an unknown, empty or null identifier is a complete failure, too
