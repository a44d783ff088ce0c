"""What the ETL asks of an engine. Two thin adapters: DuckDB on a laptop, Spark on Glue."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

Format = Literal["parquet", "jsonl"]


class Engine(Protocol):
    """Holds named tables; SQL statements refer to them by name.

    `dialect` selects the statements. `remote`: the engine reads and writes s3:// addresses itself, else local folders.
    """

    dialect: str
    remote: bool

    def parameters(self, values: Mapping[str, str], dates: Mapping[str, str], numbers: Mapping[str, int]) -> None:
        """The one-row table `run`: texts, dates and whole numbers that statements refer to."""
        ...

    def read(self, table: str, location: str | None, columns: Mapping[str, str] | None = None) -> None:
        """The Parquet files below `location` as a table.

        With `columns` (name -> type, as in the Glue catalog) the table has just these: one that the files lack is null,
        and without a location the table is empty.
        """
        ...

    def fill(self, table: str, select: str) -> None:
        """Compute a table once."""
        ...

    def write(self, table: str, location: str, *, form: Format, order: Sequence[str]) -> None:
        """Replace what is below `location` by the table's rows, sorted."""
        ...

    def rows(self, table: str) -> int:
        """Rows of a table."""
        ...

    def first(self, table: str) -> dict[str, Any]:
        """The first row of a table, by column."""
        ...

    def count(self, location: str) -> int:
        """Rows of the Parquet files below `location`."""
        ...

    def close(self) -> None: ...


def select(work: Path, name: str | None = None) -> Engine:
    """The engine by name; default is SOLVENT_ETL_ENGINE, else Spark, which is what Glue has.

    Raises ValueError for an unknown name.
    """
    name = name or os.environ.get("SOLVENT_ETL_ENGINE") or "spark"
    if name == "duckdb":
        from solvent.etl.duckdb_engine import DuckDbEngine

        return DuckDbEngine(work=work)
    if name == "spark":
        from solvent.etl.spark_engine import SparkEngine

        return SparkEngine()
    raise ValueError(f"There is no ETL engine {name!r}; SOLVENT_ETL_ENGINE is duckdb or spark.")
