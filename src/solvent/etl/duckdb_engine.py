"""DuckDB: local files, one process, a memory limit."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from solvent.etl.engine import Format

MEMORY_LIMIT = "1800MB"  # of the engine: with Python and libraries the process stays below 2 GiB


class DuckDbEngine:
    """Tables live in memory and spill into `work` when they exceed the limit (SOLVENT_DUCKDB_MEMORY)."""

    dialect = "duckdb"
    remote = False

    def __init__(self, *, work: Path, memory_limit: str | None = None) -> None:
        self._connection = duckdb.connect(
            config={
                "memory_limit": memory_limit or os.environ.get("SOLVENT_DUCKDB_MEMORY", MEMORY_LIMIT),
                "temp_directory": str(work / "spill"),
                # What is written is ordered explicitly; keeping the order of all between costs memory.
                "preserve_insertion_order": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )

    def parameters(self, values: Mapping[str, str], dates: Mapping[str, str], numbers: Mapping[str, int]) -> None:
        columns = [f"{n} {t}" for t, ns in (("VARCHAR", values), ("DATE", dates), ("INTEGER", numbers)) for n in ns]
        self._connection.execute(f"CREATE TABLE run ({', '.join(columns)})")
        given = [*values.values(), *dates.values(), *numbers.values()]
        self._connection.execute(f"INSERT INTO run VALUES ({', '.join('?' * len(given))})", given)  # noqa: S608

    def read(self, table: str, location: str | None, columns: Mapping[str, str] | None = None) -> None:
        if location is None:
            typed = ", ".join(f"{name} {kind}" for name, kind in (columns or {}).items())
            self._connection.execute(f"CREATE TABLE {table} ({typed})")
            return
        files = self._connection.read_parquet(f"{location}/*.parquet", union_by_name=True)
        if columns is not None:
            there = set(files.columns)
            files = files.project(
                ", ".join(f"CAST({n if n in there else 'NULL'} AS {kind}) AS {n}" for n, kind in columns.items())
            )
        files.create_view(table)

    def fill(self, table: str, select: str) -> None:
        self._connection.execute(f"CREATE TABLE {table} AS {select}")

    def write(self, table: str, location: str, *, form: Format, order: Sequence[str]) -> None:
        folder = Path(location)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        target = folder / f"part-00000.{form}"
        rows = self._connection.table(table).order(", ".join(order))
        if form == "parquet":
            rows.to_parquet(str(target), compression="zstd")
        else:
            rows.create_view("written", replace=True)
            self._connection.execute("COPY written TO ? (FORMAT json)", [str(target)])

    def rows(self, table: str) -> int:
        return int(self._connection.table(table).count("*").fetchall()[0][0])

    def first(self, table: str) -> dict[str, Any]:
        found = self._connection.table(table).limit(1)
        return dict(zip(found.columns, found.fetchall()[0], strict=True))

    def count(self, location: str) -> int:
        found = self._connection.read_parquet(f"{location}/*.parquet").count("*").fetchall()
        return int(found[0][0])

    def close(self) -> None:
        self._connection.close()
