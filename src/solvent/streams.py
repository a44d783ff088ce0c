"""A micro-batch of the event stream: sound records to the raw zone, poison to quarantine, nothing lost.

The object key is made from the batch itself, so a batch that is delivered again overwrites its own object.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from solvent.contracts import Column, Contract
from solvent.logs import log
from solvent.naming import stream_key

LARGEST_RECORD = 100_000
_TRANSIENT = {
    "InternalError", "RequestTimeout", "RequestTimeTooSkewed", "ServiceUnavailable", "SlowDown", "Throttling",
    "ThrottlingException", "500", "502", "503", "504", "OperationAborted",
}  # fmt: skip
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)?")


class Poison(ValueError):
    """A record that no retry will mend; the message is the reason that goes to quarantine."""


@dataclass(frozen=True)
class Record:
    """One Kinesis record as Lambda delivers it. `arrived` is its arrival on the stream, in seconds since 1970."""

    shard: str
    sequence: str
    arrived: float
    data: bytes

    @classmethod
    def from_event(cls, record: Mapping[str, Any]) -> "Record":
        kinesis = record["kinesis"]
        return cls(
            shard=str(record["eventID"]).partition(":")[0],
            sequence=str(kinesis["sequenceNumber"]),
            arrived=float(kinesis["approximateArrivalTimestamp"]),
            data=base64.b64decode(kinesis["data"]),
        )


def ingest(
    records: Sequence[Record], *, contract: Contract, s3: Any, raw_bucket: str, quarantine_bucket: str
) -> list[str]:
    """Store a batch and return the sequence numbers from which Lambda must deliver again; empty when all is stored.

    A shard's records are stored as one object per zone. Only a failure that may pass is retried; any other is raised,
    so that it is seen as an error of the function.
    """
    again = []
    for shard in sorted({r.shard for r in records}):
        batch = [r for r in records if r.shard == shard]
        sound, poison = _sorted_out(batch, contract)
        day = datetime.fromtimestamp(batch[0].arrived, UTC).date().isoformat()
        key = stream_key(contract.name, day, shard, batch[0].sequence)
        try:
            # Quarantine first: a batch that fails in between is delivered again and overwrites it.
            if poison:
                _put(s3, quarantine_bucket, key, poison)
            if sound:
                _put(s3, raw_bucket, key, sound)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] not in _TRANSIENT:
                raise
            log(
                "stream_store_failed", level="WARNING", shard=shard, first=batch[0].sequence, error=type(error).__name__
            )
            again.append(batch[0].sequence)
        else:
            log("stream_stored", event=contract.name, shard=shard, stored=len(sound), quarantined=len(poison))
    return again


def validate(payload: bytes, contract: Contract) -> dict[str, Any]:
    """The record as a dictionary that fits the contract. Raises Poison with the reason, naming the column."""
    if len(payload) > LARGEST_RECORD:
        raise Poison(f"larger than {LARGEST_RECORD} bytes")
    try:
        record = json.loads(payload.decode(), parse_constant=_no_constant, object_pairs_hook=_object)
    except Poison:
        raise
    except (ValueError, RecursionError) as error:
        raise Poison("not a JSON text in UTF-8") from error
    if not isinstance(record, dict):
        raise Poison("not a JSON object")
    unknown = sorted(set(record) - set(contract.column_names))
    if unknown:
        raise Poison(f"{unknown[0][:64]}: not a column of {contract.name}")
    for column in contract.columns:
        reason = _wrong(record.get(column.name), column)
        if reason:
            raise Poison(f"{column.name}: {reason}")
    return record


def _sorted_out(batch: Sequence[Record], contract: Contract) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    sound, poison = [], []
    for record in batch:
        try:
            sound.append(validate(record.data, contract))
        except Poison as reason:
            poison.append(
                {
                    "reason": str(reason),
                    "sequence": record.sequence,
                    "shard": record.shard,
                    "arrived": datetime.fromtimestamp(record.arrived, UTC).isoformat(),
                    # As it came, byte for byte, whatever it is: it can be put on the stream again after a fix.
                    "payload_base64": base64.b64encode(record.data).decode(),
                }
            )
    return sound, poison


def _put(s3: Any, bucket: str, key: str, lines: list[dict[str, Any]]) -> None:
    body = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/jsonlines")


def _wrong(value: Any, column: Column) -> str | None:
    """Why a value does not fit its column, None when it does."""
    if value is None:
        return "is missing" if column.required else None
    if column.type in ("string", "date", "timestamp"):
        return _wrong_text(value, column)
    if column.type == "boolean":
        return None if isinstance(value, bool) else "is not true or false"
    if column.type in ("integer", "number"):
        return _wrong_number(value, column)
    return None


def _wrong_text(value: Any, column: Column) -> str | None:
    if not isinstance(value, str):
        return "is not text"
    if column.required and not value:
        return "is empty"
    if column.max_length is not None and len(value) > column.max_length:
        return f"is longer than {column.max_length}"
    if column.values and value not in column.values:
        return "is not one of the allowed values"
    if column.pattern and not re.fullmatch(column.pattern, value):
        return f"does not match {column.pattern}"
    try:
        if column.type == "date":
            date.fromisoformat(value)
        elif column.type == "timestamp":
            if not _TIMESTAMP.fullmatch(value):
                raise ValueError(value)
            datetime.fromisoformat(value)
    except ValueError:
        return f"is no {column.type} (ISO 8601, UTC)"
    return None


def _wrong_number(value: Any, column: Column) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "is not a number"
    if column.type == "integer" and not isinstance(value, int):
        return "is not a whole number"
    if not -1e15 <= value <= 1e15:
        return "is out of any range"
    if column.minimum is not None and value < float(column.minimum):
        return f"is below {column.minimum}"
    if column.maximum is not None and value > float(column.maximum):
        return f"is above {column.maximum}"
    return None


def _no_constant(name: str) -> Any:
    raise Poison(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Poison("a name is given twice")
    return found
