"""Result sets on disk, as Parquet beside their column metadata; they survive a restart and are kept for 24 hours."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from embedded_aws.redshift.cells import cell, column_metadata

KEPT_SECONDS = 24 * 3600
PAGE_ROWS = 1000


class Results:
    """Result sets of statements and sub-statements, by their id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                with contextlib.suppress(OSError):
                    old.unlink()

    def put(self, statement: str, table: pa.Table, types: tuple[str, ...]) -> int:
        """Keep a result; returns its size in bytes."""
        columns = [
            column_metadata(name, "DECIMAL(38,0)" if kind == "HUGEINT" and pa.types.is_decimal(field.type) else kind)
            for name, kind, field in zip(table.column_names, types, table.schema, strict=True)
        ]
        numbered = table.rename_columns([str(n) for n in range(len(columns))])  # names may repeat
        pq.write_table(numbered, self._path(statement, ".parquet"))
        self._path(statement, ".json").write_text(json.dumps(columns))
        return table.nbytes

    def page(self, statement: str, offset: int) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]], int] | None:
        """(column metadata, records from `offset` on, number of all rows), or None without a result."""
        path = self._path(statement, ".parquet")
        if not path.exists():
            return None
        table = pq.read_table(path)
        rows = table.slice(offset, PAGE_ROWS)
        records = [
            list(row) for row in zip(*([cell(v) for v in column.to_pylist()] for column in rows.columns), strict=True)
        ]
        return json.loads(self._path(statement, ".json").read_text()), records, table.num_rows

    def clear(self) -> None:
        for path in self._folder.iterdir():
            path.unlink()

    def _path(self, statement: str, suffix: str) -> Path:
        return self._folder / (statement.replace(":", "_") + suffix)
