"""Which runs completed, which delivery is the latest, and who may work on a portfolio now: one DynamoDB table.

Items by `pk`: `run#<phase>#<portfolio>#<run id>[#<champion>]`, `latest#<portfolio>`, `latest#<portfolio>#<dataset>`,
`lock#<portfolio>`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from solvent.logs import log

# The status of a run's item. The first two are of an execution that goes on, if it is alive.
RUNNING, AWAITING_APPROVAL, COMPLETED, FAILED = "running", "awaiting_approval", "completed", "failed"


class PortfolioBusy(Exception):
    """Another execution works on the portfolio; the state machine tries again. The class name is in its Retry."""


class Table(Protocol):
    """What is used of a boto3 DynamoDB table."""

    def get_item(self, **kwargs: Any) -> Any: ...

    def put_item(self, **kwargs: Any) -> Any: ...

    def update_item(self, **kwargs: Any) -> Any: ...

    def delete_item(self, **kwargs: Any) -> Any: ...


def key(phase: str, portfolio: str, run_id: str, champion: str | None) -> str:
    """What `run#` is followed by: one phase of one run."""
    return "#".join([phase, portfolio, run_id, *([champion] if champion else [])])


def key_of(run: Mapping[str, Any]) -> str:
    """The key of a run as `RunControl.begin` describes it."""
    return key(run["phase"], run["portfolio"], run["run_id"], run.get("champion"))


def utc_now() -> str:
    """The moment, as items and reports have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Ledger:
    """The ledger of one environment. `alive(owner)` says whether an execution may still be at work."""

    def __init__(self, table: Table, *, alive: Callable[[str], bool]) -> None:
        self._table = table
        self._alive = alive

    def acquire(self, portfolio: str, owner: str) -> None:
        """Take the portfolio's lock, again if it is the owner's already, or over from an owner that is no more.

        Raises PortfolioBusy.
        """
        lock = {"pk": f"lock#{portfolio}", "owner": owner, "taken_at": utc_now()}
        if self._put(lock, "attribute_not_exists(pk) OR #owner = :owner", owner):
            return
        holder = self._get(lock["pk"]).get("owner")
        if holder and self._alive(str(holder)):
            raise PortfolioBusy(f"{portfolio} is being worked on by {holder}; wait for it, or stop that execution.")
        condition, value = (
            ("#owner = :owner", holder) if holder else ("attribute_not_exists(pk) OR #owner = :owner", owner)
        )
        if not self._put(lock, condition, str(value)):
            raise PortfolioBusy(f"{portfolio} has just been taken by another execution.")
        log("lock_taken_over", level="WARNING", portfolio=portfolio, from_execution=holder, by=owner)

    def release(self, portfolio: str, owner: str) -> bool:
        """Give the lock back if it is the owner's; says whether it was."""
        return self._conditional(
            lambda: self._table.delete_item(
                Key={"pk": f"lock#{portfolio}"},
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": owner},
            )
        )

    def run(self, key: str) -> dict[str, Any]:
        """A run's item, {} when there is none."""
        return self._get(f"run#{key}")

    def begin(self, key: str, execution: str, facts: dict[str, Any]) -> int:
        """Note that an execution begins a run; returns its attempt, from 1, the same for the same execution."""
        item = self._get(f"run#{key}")
        attempt = int(item.get("attempt", 0)) + (item.get("execution") != execution)
        if item.get("execution") != execution:
            changes = {
                **facts,
                "status": RUNNING,
                "execution": execution,
                "attempt": attempt,
                "updated_at": utc_now(),
            }
            self._update(f"run#{key}", changes)
        return attempt

    def note(self, key: str, status: str, facts: dict[str, Any]) -> None:
        """Give a run a status, and what belongs to it."""
        self._update(f"run#{key}", {**facts, "status": status, "updated_at": utc_now()})

    def latest(self, portfolio: str, dataset: str | None = None) -> dict[str, Any]:
        """The latest completed ingest of the portfolio, or of one of its data sets; {} when there is none."""
        return self._get("#".join(["latest", portfolio, *([dataset] if dataset else [])]))

    def base(self, portfolio: str, dataset: str, run_id: str) -> str | None:
        """The run whose tables an ingest of this data set builds on; None for a first one.

        A run that is repeated after it had been pointed to builds on what it built on the first time.
        """
        latest = self.latest(portfolio, dataset)
        found = latest.get("base") if latest.get("run_id") == run_id else latest.get("run_id")
        return str(found) if found else None

    def point_latest(self, portfolio: str, facts: dict[str, Any]) -> None:
        """The data set's pointer first: a crash between the two leaves the run to be repeated on the same base."""
        for pk in (f"latest#{portfolio}#{facts['dataset']}", f"latest#{portfolio}"):
            self._table.put_item(Item={"pk": pk, **facts, "updated_at": utc_now()})

    def _get(self, pk: str) -> dict[str, Any]:
        item: dict[str, Any] = self._table.get_item(Key={"pk": pk}, ConsistentRead=True).get("Item", {})
        return item

    def _update(self, pk: str, changes: dict[str, Any]) -> None:
        self._table.update_item(
            Key={"pk": pk},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues={f":{name}": value for name, value in changes.items()},
        )

    def _put(self, item: dict[str, Any], condition: str, owner: str) -> bool:
        return self._conditional(
            lambda: self._table.put_item(
                Item=item,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": owner},
            )
        )

    @staticmethod
    def _conditional(write: Callable[[], Any]) -> bool:
        try:
            write()
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
