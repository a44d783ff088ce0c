"""Applicants of a table, CSV with a header or Parquet, as a line of JSON would give them. pyarrow is imported late."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from solvent.scoring import LONGEST_TEXT, InvalidApplicant

MOST_ROWS = 20_000
LARGEST_TABLE = 64 * 1024 * 1024  # of Parquet, unpacked
LARGEST_CELL = 64 * 1024


class UnreadableTable(ValueError):
    """A table that is none, or is too large. `status_code` is the HTTP status to answer with."""

    def __init__(self, message: str, status_code: int = 400, field: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.field = field


def lines(text: str) -> list[list[str]]:
    """The cells of each line of CSV. Raises UnreadableTable naming the line."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return list(reader)
    except csv.Error as error:
        raise UnreadableTable(f"line {reader.line_num}: is no CSV: {error}.") from error


def with_header(text: str, numeric: frozenset[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where it stands, applicant) of each line below a line of names; an empty cell is a value not known.

    Raises UnreadableTable, and InvalidApplicant for a name that is there twice.
    """
    names, *rows = lines(text) or [[]]
    _once(names)
    if len(rows) > MOST_ROWS:
        raise UnreadableTable(f"The table has {len(rows)} rows; send at most {MOST_ROWS} at a time.", 413)
    for number, cells in enumerate(rows, 2):
        if len(cells) != len(names):
            raise UnreadableTable(f"line {number}: has {len(cells)} fields; its header has {len(names)} names.", 422)
        try:
            given = {name: typed(name, cell, numeric) for name, cell in zip(names, cells, strict=True)}
        except InvalidApplicant as error:
            raise UnreadableTable(f"line {number}: {error}", error.status_code, error.field) from error
        yield f"line {number}: ", given


def typed(name: str, cell: str, numeric: frozenset[str]) -> float | str | None:
    """A cell as the model takes it. Raises InvalidApplicant for what is no number where one is needed."""
    if not cell or name not in numeric:
        return cell or None
    try:
        if "_" in cell:  # Python reads 1_000
            raise ValueError(cell)
        return float(cell)
    except ValueError as error:
        raise InvalidApplicant(name, f"must be a number or empty, not {cell[:40]!r}") from error


def parquet(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """(where it stands, applicant) of each row of a Parquet file. Null is a value not known, NaN is refused later.

    Raises UnreadableTable (no Parquet, too many rows, too large once unpacked; 415 where pyarrow is not installed), and
    InvalidApplicant naming a column that holds neither numbers nor text nor dates.
    """
    try:
        import pyarrow as pa
        from pyarrow import compute
        from pyarrow import parquet as pq
    except ImportError as error:
        raise UnreadableTable(f"Parquet is not served here, pyarrow is not installed: {error}", 415) from error
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        schema, meta = file.schema_arrow, file.metadata
        _once(schema.names)
        unpacked = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
        if meta.num_rows > MOST_ROWS or unpacked > LARGEST_TABLE:
            raise UnreadableTable(
                f"The table has {meta.num_rows} rows and {unpacked} bytes once unpacked; send at most {MOST_ROWS} rows "
                f"and {LARGEST_TABLE} bytes at a time.",
                413,
            )
        # Text stays a dictionary, so that one long text of all rows is held once.
        texts = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        table = pq.read_table(pa.BufferReader(body), read_dictionary=texts, use_threads=False)
        columns = [_values(name, table.column(name), pa, compute) for name in schema.names]
    except (UnreadableTable, InvalidApplicant):
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: a text that is not UTF-8
        raise UnreadableTable(f"The request is no Parquet that can be read: {str(error)[:200]}") from error
    rows = zip(*columns, strict=True) if columns else ()
    return [(f"row {n}: ", dict(zip(schema.names, row, strict=True))) for n, row in enumerate(rows, 1)]


def _values(name: str, column: Any, pa: Any, compute: Any) -> list[Any]:
    """A column's values as JSON has them."""
    kinds, kind = pa.types, column.type
    if kinds.is_dictionary(kind):
        for chunk in column.chunks:
            known = chunk.dictionary
            if not kinds.is_string(known.type) and not kinds.is_large_string(known.type):
                raise InvalidApplicant(name[:LONGEST_TEXT], f"holds {kind}; give text as text")
            if len(known) and compute.max(compute.binary_length(known)).as_py() > LARGEST_CELL:
                raise InvalidApplicant(name[:LONGEST_TEXT], f"holds a text of more than {LARGEST_CELL} bytes")
        return list(column.to_pylist())
    if kinds.is_decimal(kind):
        return list(column.cast(pa.float64()).to_pylist())
    if kinds.is_date32(kind):
        return [None if day is None else day.isoformat() for day in column.to_pylist()]
    if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_null(kind):
        return list(column.to_pylist())
    raise InvalidApplicant(name[:LONGEST_TEXT], f"holds {kind}; a column holds numbers, text or dates")


def _once(names: Sequence[str]) -> None:
    if not names:
        raise UnreadableTable("The table has no columns: its first line, or its schema, must name them.", 422)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidApplicant(twice[:LONGEST_TEXT], "is given twice")
