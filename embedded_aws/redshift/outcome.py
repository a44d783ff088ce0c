"""What a statement did."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Outcome:
    """Rows returned or affected; the rows themselves and their DuckDB types for a query."""

    rows: int = 0
    table: pa.Table | None = None
    types: tuple[str, ...] = ()
