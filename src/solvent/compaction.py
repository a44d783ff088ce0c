"""The stream's small files: each closed day of micro-batches becomes one Parquet object, each event in it once.

A compacted object lies under another prefix and names, in its own Parquet metadata, the micro-batches that it holds:
data and list arrive in one put, so there is no moment at which one is there without the other. A reader takes the
compacted objects and every micro-batch that none of them names, which is right before, during and after a compaction,
and after one that was killed; the next one finishes what is left. Originals are deleted last.
"""

import io
import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from solvent import naming
from solvent.contracts import Contract

if TYPE_CHECKING:
    import pyarrow as pa

_INPUTS = b"solvent.inputs"  # metadata: the keys of the micro-batches, as JSON
_ROW_GROUP = 100_000
_DELETED_AT_ONCE = 1000
_GRACE_DAYS = 1  # a batch is retried for hours at most, and keeps its day: after this nothing is added to it


class CompactionError(Exception):
    """Originals could not be deleted; nothing is lost or doubled, the next compaction goes on."""


def closed_before(today: date) -> date:
    """Days before this one are closed."""
    return today - timedelta(days=_GRACE_DAYS)


def compact(s3: Any, bucket: str, contract: Contract, *, before: date) -> dict[str, Any]:
    """Compact the closed days (before `before`, UTC) of an event's stream; `{"days", "objects", "rows"}` that it took.

    Running it again, or after a kill, changes nothing that a reader sees. Raises CompactionError.
    """
    done: dict[str, Any] = {"days": [], "objects": 0, "rows": 0}
    batches = _by_day(_keys(s3, bucket, naming.stream_prefix(contract.name)))
    parts = _by_day(_keys(s3, bucket, naming.compacted_prefix(contract.name)))
    for day, originals in sorted(batches.items()):
        if date.fromisoformat(day) >= before:
            continue
        held = {key for part in parts.get(day, []) for key in _inputs(_parquet(s3, bucket, part))}
        new = sorted(set(originals) - held)
        if new:
            rows = _write(s3, bucket, contract, day, new)
            done = {"days": [*done["days"], day], "objects": done["objects"] + len(new), "rows": done["rows"] + rows}
        _delete(s3, bucket, originals)
    return done


def read(s3: Any, bucket: str, contract: Contract) -> Iterator[dict[str, Any]]:
    """Every event in the raw zone once, by day; columns without a value are left out."""
    # Micro-batches first: what is compacted in between is then named by a part that is listed after it.
    batches = _by_day(_keys(s3, bucket, naming.stream_prefix(contract.name)))
    parts = _by_day(_keys(s3, bucket, naming.compacted_prefix(contract.name)))
    for day in sorted({*batches, *parts}):
        yield from _day(s3, bucket, contract, day, batches.get(day, []), parts.get(day, []))


def _day(
    s3: Any, bucket: str, contract: Contract, day: str, batches: list[str], parts: list[str]
) -> list[dict[str, Any]]:
    tables = [_parquet(s3, bucket, part) for part in parts]
    held = {key for table in tables for key in _inputs(table)}
    rows = [row for table in tables for row in table.to_pylist()]
    try:
        rows += [event for key in batches if key not in held for event in _lines(s3, bucket, key)]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
    else:
        return [{k: v for k, v in row.items() if v is not None} for row in rows]
    # Compacted and deleted since it was listed: look again, in the same order.
    batches = list(_keys(s3, bucket, f"{naming.stream_prefix(contract.name)}dt={day}/"))
    parts = list(_keys(s3, bucket, f"{naming.compacted_prefix(contract.name)}dt={day}/"))
    return _day(s3, bucket, contract, day, batches, parts)


def _write(s3: Any, bucket: str, contract: Contract, day: str, keys: list[str]) -> int:
    """One object of these micro-batches; the same batches always give the same key. Returns its rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    inputs = json.dumps(keys).encode()
    schema = _schema(contract).with_metadata({_INPUTS: inputs})
    target, rows, waiting = io.BytesIO(), 0, []
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for key in keys:
            waiting += _lines(s3, bucket, key)
            if len(waiting) >= _ROW_GROUP or key == keys[-1]:
                writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
                rows, waiting = rows + len(waiting), []
    target.seek(0)
    key = naming.compacted_key(contract.name, day, sha256(inputs).hexdigest()[:16])
    s3.put_object(Bucket=bucket, Key=key, Body=target.getvalue())
    return rows


def _schema(contract: Contract) -> "pa.Schema":
    """Values as an event carries them: dates and times stay the text that they were."""
    import pyarrow as pa

    kinds = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    return pa.schema([(c.name, kinds.get(c.type, pa.string())) for c in contract.columns])


def _lines(s3: Any, bucket: str, key: str) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return [json.loads(line) for line in body.splitlines() if line]


def _parquet(s3: Any, bucket: str, key: str) -> "pa.Table":
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))


def _inputs(table: "pa.Table") -> list[str]:
    return [str(key) for key in json.loads((table.schema.metadata or {})[_INPUTS])]


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return (o["Key"] for page in pages for o in page.get("Contents", []))


def _by_day(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(key.split("/dt=", 1)[1].split("/", 1)[0], []).append(key)
    return found


def _delete(s3: Any, bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), _DELETED_AT_ONCE):
        batch = [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]]
        refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}).get("Errors", [])
        if refused:
            raise CompactionError(
                f"{len(refused)} micro-batches that are compacted could not be deleted ({refused[0]['Code']}). "
                f"Readers see each event once; run the compaction again."
            )
