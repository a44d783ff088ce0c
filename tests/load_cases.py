"""Loads of made-up runs: a lake as folders, the load's own statements, and a warehouse that migrations have made.

lake = Lake(folder); fill(lake); ingest(warehouse)
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from embedded_aws.redshift.engine import Database, Roles
from solvent import contracts
from solvent.contracts import Column, Contract
from solvent.naming import predictions_prefix, table_prefix
from solvent.warehouse import load, merging, migrations, statements

KNOWN = contracts.load()
RUN = "0123456789abcdef"
BUCKETS = {zone: zone for zone in ("cleaned", "training", "artifacts")}
PREDICTIONS = predictions_prefix("lending", RUN, "model-1")
LOADER = "IAMR:solvent-dev-warehouse-load"


class Lake:
    """S3 as folders: <root>/<bucket>/<key>."""

    def __init__(self, root: Path, portfolio: str = "lending") -> None:
        self.root, self.portfolio = root, portfolio
        self.published = load.published(KNOWN, portfolio)

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        files = [p for p in (self.root / bucket).rglob("*") if p.is_file()]
        found = [(p.relative_to(self.root / bucket).as_posix(), p.stat().st_size) for p in files]
        return sorted(f for f in found if f[0].startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        shutil.copy(self.root / bucket / key, path)

    def upload(self, path: Path, bucket: str, key: str) -> None:
        raise NotImplementedError

    def folder(self, contract: Contract, run_id: str = RUN) -> Path:
        portfolio = contract.portfolio if contract.name not in load.LOGS else self.portfolio
        return self.root / contract.zone / table_prefix(portfolio, contract.name, run_id)

    def rows(self, contract: Contract, run_id: str = RUN) -> list[dict[str, Any]]:
        return list(pq.read_table(self.folder(contract, run_id) / "part-0.parquet").to_pylist())

    def put_rows(self, contract: Contract, rows: list[dict[str, Any]], run_id: str = RUN) -> None:
        schema = pa.schema([(c.name, arrow(c)) for c in contract.columns])
        folder = self.folder(contract, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "part-0.parquet")

    def put_predictions(self, rows: list[dict[str, Any]]) -> None:
        folder = self.root / "artifacts" / PREDICTIONS
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "open_loans.jsonl.out").write_text("".join(json.dumps(r) + "\n" for r in rows))


def arrow(column: Column) -> pa.DataType:
    kind = column.physical.split("(")[0]
    if kind == "DECIMAL":
        precision, scale = column.physical.partition("(")[2].rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return {
        "VARCHAR": pa.string(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DATE": pa.date32(),
        "TIMESTAMP": pa.timestamp("us"),
        "BOOLEAN": pa.bool_(),
        "DOUBLE PRECISION": pa.float64(),
    }[kind]


def row(contract: Contract, number: int, version: int = 0) -> dict[str, Any]:
    """A row with nulls wherever they are allowed; a `version` other than 0 is in the column `marker`."""
    samples: dict[str, Any] = {"date": date(2026, 6, 30), "timestamp": datetime(2026, 6, 30, 12), "integer": number}
    samples["boolean"] = True
    made: dict[str, Any] = {}
    for c in contract.columns:
        if c.name in contract.key or c.required:
            decimal = c.physical.startswith("DECIMAL")
            made[c.name] = samples.get(
                c.type, (Decimal(number) if decimal else float(number)) if c.type == "number" else f"{number}"
            )
        else:
            made[c.name] = None
    if version:
        column = marker(contract)
        made[column.name] = f"{version}" if column.type == "string" else version
    return made


def marker(contract: Contract) -> Column:
    """The column that says which version of a row it is: the first that is no key and no date."""
    return next(c for c in contract.columns if c.name not in contract.key and c.type in ("string", "integer", "number"))


def fill(
    lake: Lake, rows: int = 2, logged: int | None = None, run_id: str = RUN, version: int = 0, first: int = 0
) -> None:
    """Everything that a run publishes: `rows` rows a table, numbered from `first`; `version` is in a column of each."""
    tables = [c for c in lake.published if c.name not in load.LOGS]
    for contract in tables:
        lake.put_rows(contract, [row(contract, n, version) for n in range(first, first + rows)], run_id)
    good = logged or rows
    figures = {"rows_in": good + 1, "rows_good": good, "rows_quarantined": 1, "rows_duplicate": 0}
    figures |= {"rows_kept": 0, "rows_tombstone": 0, "rows_deleted": 0}
    facts = {"run_id": run_id, "portfolio": lake.portfolio, "as_of": date(2026, 6, 30), "dataset": "t"}
    log = [{**facts, "source": c.source, **figures} for c in tables if c.source]
    lake.put_rows(KNOWN["load_log"], log, run_id)
    refused = row(KNOWN["quarantine_log"], 7) | {"run_id": run_id, "reason": "bad", "kind": "rejected"}
    lake.put_rows(KNOWN["quarantine_log"], [{**refused, "source": entry["source"]} for entry in log], run_id)


def deleted(lake: Lake, run_id: str, keys: dict[str, list[str]]) -> None:
    """Say in the logs of a filled run that it deleted rows of sources: source -> keys."""
    told = {"run_id": run_id, "why": "absent from the snapshot", "deleted_on": date(2026, 7, 31)}
    rows = [{**told, "source": source, "record_key": key} for source, found in keys.items() for key in found]
    lake.put_rows(KNOWN["deletion_log"], rows, run_id)
    log = [
        {**entry, "rows_deleted": len(keys.get(entry["source"], []))} for entry in lake.rows(KNOWN["load_log"], run_id)
    ]
    lake.put_rows(KNOWN["load_log"], log, run_id)


@contextmanager
def migrated(path: Path, lake: Lake) -> Iterator[Database]:
    """The database of a file; made by the migrations if it is new."""
    new = not path.exists()
    database = Database(path, storage=lambda role: lake, roles=lambda: Roles("arn:role", ("arn:role",)))
    try:
        for migration in migrations.read() if new else []:
            made = [s for s in migration.statements("solvent-dev") if not s.startswith("COMMENT")]  # the longest
            if made:
                database.run(made, user="admin")
        if new:
            database.run(merging.procedures(KNOWN), user="admin")
        yield database
    finally:
        database.close()


def ask(warehouse: Database, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one query."""
    found: list[Any] = []
    warehouse.run([sql], user="admin", finished=lambda _, outcome: found.append(outcome.table))
    return [tuple(r.values()) for r in found[0].to_pylist()]


def snapshot(warehouse: Database, portfolio: str = "lending") -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    published = [c for c in KNOWN.values() if c.kind == "published" and c.portfolio in (portfolio, "ops")]
    return {c.name: ask(warehouse, f"SELECT * FROM {c.table} ORDER BY {', '.join(c.key)}") for c in published}


def report(lake: Lake, *, deleted: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the ETL would have reported: sources with deletions, tables that it did not publish."""
    sources = {c.source: {"deleted": int(c.source in deleted)} for c in lake.published if c.source}
    return {"sources": sources, "tables": {f"{c.zone}.{c.name}": "" for c in lake.published if c.name not in without}}


def batch_of(lake: Lake, run_id: str = RUN, **told: Any) -> list[str]:
    """The load as it is submitted."""
    return load.ingest(KNOWN, portfolio=lake.portfolio, run_id=run_id, buckets=BUCKETS, report=report(lake, **told))


def inlined(lake: Lake, run_id: str = RUN, **told: Any) -> list[str]:
    """The load, with the statements of the procedures that it calls in their place."""
    bodies = {statements.call(merging.procedure(c)): merging.body(KNOWN, c) for c in merging.tables(KNOWN)}
    return [sql for called in batch_of(lake, run_id, **told) for sql in bodies.get(called, [called])]


def ingest(warehouse: Database, lake: Lake, run_id: str = RUN, **told: Any) -> None:
    """Run the load as it is submitted."""
    warehouse.run(batch_of(lake, run_id, **told), user=LOADER)


def scoring() -> list[str]:
    """The load of predictions."""
    return load.predictions(KNOWN, portfolio="lending", run_id=RUN, prefix=f"s3://artifacts/{PREDICTIONS}")


def prediction(loan: str, **more: Any) -> dict[str, Any]:
    reasons = [{"code": "AMOUNT", "feature": "amount", "text": "Amount of the loan: it's more", "points": -3.5}]
    return {
        "loan_id": loan, "as_of": "2026-06-30", "probability": 0.25, "score": 500, "band": "C", "decision": "refer",
        "reasons": reasons, "model_version": "1", **more,
    }  # fmt: skip
