"""A lending portfolio of a given number of repayment rows, as the ETL publishes its cleaned tables: typed Parquet.

The rows are the synthetic portfolio's (`solvent.datasets.synthetic`), in blocks of 48,000 loans, each of a seed of its
own. One instalment, loan and customer in a hundred has a history: an earlier version that a correction replaced.
"""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from solvent import contracts
from solvent.contracts import Column
from solvent.datasets import synthetic
from solvent.datasets.files import Typed

AS_OF = date.fromisoformat(str(synthetic.AS_OF))
TABLES = {"customers": "customer_profile", "loans": "loan_application", "repayments": "repayment_history"}
_BLOCK = 48_000
# What the earlier version of a corrected row said.
_EARLIER = {
    "customers": "CAST(annual_income * 0.9 AS DECIMAL(14, 2)) AS annual_income",
    "loans": "'open' AS status",
    "repayments": "CAST(NULL AS DATE) AS paid_date, CAST(NULL AS DECIMAL(14, 2)) AS amount_paid, 'overdue' AS status",
}


def tables(folder: Path, rows: int) -> Path:
    """`<folder>/<rows>/` with `<table>/` and `<table>_history/`: exactly `rows` repayments, the last loan may be cut.

    Written once and kept for the next call; `make clean` removes them.
    """
    target = folder / str(rows)
    if not target.exists():
        unfinished = folder / f"{rows}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished, rows)
        unfinished.rename(target)
    return target


def _write(folder: Path, rows: int) -> None:
    loans = min(_BLOCK, rows // 20 + 1)
    # Through a file, so that blocks need not stay in memory.
    database = folder / "blocks.duckdb"
    with duckdb.connect(str(database)) as connection:
        block = written = 0
        while written < rows:
            simulated = synthetic.simulate(customers=loans, loans=loans, seed=block).tables
            for table, source in TABLES.items():
                limit = rows - written if table == "repayments" else loans
                _append(connection, table, simulated[source], block * loans, limit)
            block += 1
            [(written,)] = connection.execute("SELECT COUNT(*) FROM repayments").fetchall()
        for table in TABLES:
            _publish(connection, table, folder)
    database.unlink()


def _append(connection: duckdb.DuckDBPyConnection, table: str, typed: Typed, offset: int, limit: int) -> None:
    block = pa.table(
        {n: pa.array(v.tolist() if v.dtype.kind == "U" else v, from_pandas=True) for n, v in typed.items()}
    )
    connection.register("block", block)
    columns = ", ".join(_column(c, offset) for c in contracts.load()[table].columns)
    exists = connection.execute("FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()
    into = f"INSERT INTO {table}" if exists else f"CREATE TABLE {table} AS"
    connection.execute(f"{into} SELECT {columns} FROM block LIMIT {limit}")  # noqa: S608  names of our contracts
    connection.unregister("block")


def _column(column: Column, offset: int) -> str:
    """The typed column; an identifier is moved on by the blocks before, with seven digits instead of six."""
    if column.name in ("customer_id", "loan_id"):
        number = f"CAST(SUBSTR({column.name}, 2) AS INTEGER) + {offset}"
        return f"CONCAT('{column.name[0].upper()}', LPAD(CAST({number} AS VARCHAR), 7, '0')) AS {column.name}"
    if column.name == "payment_id":
        number = f"(CAST(SUBSTR(loan_id, 2) AS BIGINT) + {offset}) * 1000 + instalment_number"
        return f"CONCAT('P', LPAD(CAST({number} AS VARCHAR), 10, '0')) AS payment_id"
    value = f"NULLIF({column.name}, '')" if column.type == "string" else column.name
    return f"CAST({value} AS {column.physical}) AS {column.name}"


def _publish(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> None:
    key = contracts.load()[table].key[0]
    earlier = (
        f"SELECT * REPLACE ({_EARLIER[table]}, updated_at - INTERVAL '1' HOUR AS updated_at), FALSE AS deleted "  # noqa: S608
        f"FROM {table} WHERE HASH({key}) % 100 = 0"
    )
    for name, select in ((table, f"FROM {table}"), (f"{table}_history", earlier)):
        (folder / name).mkdir()
        target = folder / name / "part-00000.parquet"
        connection.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
