"""Values of a database as text, and back: for the files that are delivered and for the state of an extraction."""

import base64
import datetime as dt
import hashlib
import io
import json
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv


def text(value: Any) -> str | None:
    """A value as it stands in a delivered file; None stays None.

    Numbers in full, without exponent; times in ISO form, those with a zone in UTC with a Z; truth as true and false;
    bytes in hexadecimal; documents as JSON.
    """
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case float():
            return format(Decimal(repr(value)), "f")
        case dt.datetime():
            utc = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
            return utc.isoformat(sep=" ") + ("Z" if value.tzinfo else "")
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=text)
    return str(value)


def csv(header: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str) -> bytes:
    """A delivered file. An empty text is `""`, a null is nothing between two delimiters."""
    columns: list[list[str | None]] = [[] for _ in header]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(text(value))
    return written(
        pa.table({name: pa.array(c, pa.string()) for name, c in zip(header, columns, strict=True)}), delimiter
    )


def written(table: pa.Table, delimiter: str) -> bytes:
    """A table of texts as a delivered file."""
    buffer = io.BytesIO()
    pacsv.write_csv(table, buffer, pacsv.WriteOptions(delimiter=delimiter, quoting_style="needed"))
    return buffer.getvalue()


def encoded(value: Any) -> list[str] | None:
    """A key or a watermark for JSON, with its type, so that it is bound again as what it was. Raises TypeError."""
    match value:
        case None:
            return None
        case bool():
            raise TypeError("a boolean orders nothing")
        case int() | float() | Decimal() | str() | uuid.UUID():
            return [type(value).__name__, str(value)]
        case dt.datetime() | dt.date():
            return [type(value).__name__, value.isoformat()]
        case bytes() | bytearray():
            return ["bytes", base64.b64encode(value).decode()]
    raise TypeError(f"a value of type {type(value).__name__}")


def decoded(data: Sequence[str] | None) -> Any:
    """The inverse of `encoded`."""
    if data is None:
        return None
    kind, value = data
    readers: dict[str, Any] = {
        "int": int,
        "float": float,
        "Decimal": Decimal,
        "str": str,
        "UUID": uuid.UUID,
        "datetime": dt.datetime.fromisoformat,
        "date": dt.date.fromisoformat,
        "bytes": base64.b64decode,
    }
    return readers[kind](value)


def fingerprint(key: Sequence[Any], watermark: Any) -> str:
    """16 hex characters that tell one version of one row, and nothing about it."""
    plain = json.dumps([encoded(v) for v in (*key, watermark)])
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def back(value: Any, overlap: int) -> Any:
    """A watermark moved back by `overlap`: seconds of times, units of whole numbers; anything else stays."""
    if isinstance(value, dt.datetime):
        return value - dt.timedelta(seconds=overlap)
    if isinstance(value, dt.date):
        return value - dt.timedelta(days=-(-overlap // 86_400))
    return value - overlap if isinstance(value, int | Decimal) else value
