"""The load's own statements, run by the embedded Redshift on real Parquet and JSON lines: no network, no cloud."""

import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot

from embedded_aws.redshift.engine import Database, Roles
from embedded_aws.redshift.errors import SqlError
from solvent import contracts
from solvent.contracts import Column, Contract
from solvent.naming import predictions_prefix, table_prefix
from solvent.warehouse import load, migrations, statements
from solvent.warehouse.data_api import LARGEST_STATEMENT, MOST_STATEMENTS

KNOWN = contracts.load()
RUN = "0123456789abcdef"
BUCKETS = {zone: zone for zone in ("cleaned", "training", "artifacts")}
PUBLISHED = load.published(KNOWN, "lending")
PREDICTIONS = predictions_prefix("lending", RUN, "model-1")


class Lake:
    """S3 as folders: <root>/<bucket>/<key>."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        files = [p for p in (self.root / bucket).rglob("*") if p.is_file()]
        found = [(p.relative_to(self.root / bucket).as_posix(), p.stat().st_size) for p in files]
        return sorted(f for f in found if f[0].startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        shutil.copy(self.root / bucket / key, path)

    def upload(self, path: Path, bucket: str, key: str) -> None:
        raise NotImplementedError

    def put_rows(
        self, contract: Contract, rows: list[dict[str, Any]], run_id: str = RUN, portfolio: str = "lending"
    ) -> None:
        schema = pa.schema([(c.name, arrow(c)) for c in contract.columns])
        folder = self.root / contract.zone / table_prefix(portfolio, contract.name, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "part-0.parquet")

    def put_predictions(self, rows: list[dict[str, Any]], prefix: str = PREDICTIONS) -> None:
        folder = self.root / "artifacts" / prefix
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "open.jsonl.out").write_text("".join(json.dumps(r, default=str) + "\n" for r in rows))


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


def row(contract: Contract, number: int) -> dict[str, Any]:
    """A row with nulls wherever they are allowed."""
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
    return made


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "s3")
    fill(lake)
    return lake


def fill(lake: Lake, rows: int = 2, logged: int | None = None, run_id: str = RUN) -> None:
    tables = [c for c in PUBLISHED if c.name not in load.LOGS]
    for contract in tables:
        lake.put_rows(contract, [row(contract, n) for n in range(rows)], run_id)
    good = logged or rows
    figures = {"rows_in": good + 1, "rows_good": good, "rows_quarantined": 1, "rows_duplicate": 0}
    figures |= {"rows_kept": 0, "rows_tombstone": 0, "rows_deleted": 0}
    facts = {"run_id": run_id, "portfolio": "lending", "as_of": date(2026, 6, 30), "dataset": "t"}
    log = [{**facts, "source": c.source, **figures} for c in tables if c.source]
    lake.put_rows(KNOWN["load_log"], log, run_id)
    quarantine = [
        {
            **row(KNOWN["quarantine_log"], 7),
            "run_id": run_id,
            "source": entry["source"],
            "reason": "bad",
            "kind": "rejected",
        }
        for entry in log
    ]
    lake.put_rows(KNOWN["quarantine_log"], quarantine, run_id)


@pytest.fixture
def warehouse(tmp_path: Path, lake: Lake) -> Iterator[Database]:
    database = Database(
        tmp_path / "solvent.db", storage=lambda role: lake, roles=lambda: Roles("arn:role", ("arn:role",))
    )
    for migration in migrations.read():
        statements = [s for s in migration.statements("solvent-dev") if not s.startswith("COMMENT")]  # the longest
        if statements:
            database.run(statements, user="admin")
    yield database
    database.close()


def ask(warehouse: Database, sql: str) -> list[tuple[Any, ...]]:
    found: list[Any] = []
    warehouse.run([sql], user="admin", finished=lambda _, outcome: found.append(outcome.table))
    return [tuple(r.values()) for r in found[0].to_pylist()]


def snapshot(warehouse: Database) -> dict[str, list[tuple[Any, ...]]]:
    published = [c for c in KNOWN.values() if c.kind == "published" and c.portfolio in ("lending", "ops")]
    return {c.name: ask(warehouse, f"SELECT * FROM {c.table} ORDER BY {', '.join(c.key)}") for c in published}


def report(*, deleted: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the ETL would have reported: sources with deletions, tables that it did not publish."""
    sources = {c.source: {"deleted": int(c.source in deleted)} for c in PUBLISHED if c.source}
    return {"sources": sources, "tables": {f"{c.zone}.{c.name}": "" for c in PUBLISHED if c.name not in without}}


def batch_of(run_id: str = RUN, **told: Any) -> list[str]:
    return load.ingest(KNOWN, portfolio="lending", run_id=run_id, buckets=BUCKETS, report=report(**told))


def ingest(warehouse: Database, run_id: str = RUN, **told: Any) -> list[int]:
    """Run the load; returns the rows that each statement affected."""
    batch = batch_of(run_id, **told)
    affected: list[int] = []
    warehouse.run(
        batch, user="IAMR:solvent-dev-warehouse-load", finished=lambda _, outcome: affected.append(outcome.rows)
    )
    return affected


def score(warehouse: Database) -> None:
    batch = load.predictions(KNOWN, portfolio="lending", run_id=RUN, prefix=f"s3://artifacts/{PREDICTIONS}")
    warehouse.run(batch, user="IAMR:solvent-dev-warehouse-load")


def test_everything_published_arrives_and_rows_are_accounted_for(warehouse: Database) -> None:
    ingest(warehouse)
    found = snapshot(warehouse)
    assert {name: len(rows) for name, rows in found.items()} == {
        **{c.name: 2 for c in KNOWN.steps("lending")},
        "customers": 2, "loans": 2, "application_events": 2, "repayments": 2,
        "load_log": 4, "quarantine_log": 4, "deletion_log": 0, "predictions": 0,
        "retained_decisions": 0,  # of erased persons
    }  # fmt: skip


def test_loading_twice_changes_nothing_and_writes_nothing(warehouse: Database) -> None:
    ingest(warehouse)
    before = snapshot(warehouse)
    batch = batch_of()
    affected = ingest(warehouse)
    merged = {sql: n for n, sql in zip(affected, batch, strict=True) if sql.startswith("MERGE") and "_log" not in sql}
    assert len(merged) == 4 + len(KNOWN.steps("lending"))
    assert set(merged.values()) == {0}  # equal rows, nulls among them, never reach the table
    assert snapshot(warehouse) == before


def test_a_changed_row_replaces_the_old_one_and_the_others_stay(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse)
    loans = KNOWN["loans"]
    changed = {**row(loans, 1), "amount": Decimal("99.50"), "purpose": "repairs"}
    fill(lake, run_id="f" * 16)
    lake.put_rows(loans, [row(loans, 0), changed], "f" * 16)
    ingest(warehouse, "f" * 16)
    amounts = ask(warehouse, "SELECT amount, purpose FROM lending.loans ORDER BY loan_id")
    assert amounts == [(Decimal("0.00"), None), (Decimal("99.50"), "repairs")]


@pytest.mark.parametrize("statement", range(1, 30))
def test_a_load_that_is_killed_anywhere_leaves_nothing_behind_and_can_run_again(
    warehouse: Database, statement: int
) -> None:
    before = snapshot(warehouse)
    batch = batch_of()
    if statement > len(batch):
        pytest.skip("the load has fewer statements")
    with pytest.raises(SqlError):
        warehouse.run([*batch[:statement], "SELECT killed"], user="IAMR:solvent-dev-warehouse-load")
    assert snapshot(warehouse) == before
    ingest(warehouse)
    assert len(ask(warehouse, "SELECT loan_id FROM lending.loans")) == 2


def test_what_a_delivery_deleted_goes_with_the_features_that_describe_it(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse)
    later = "f" * 16
    fill(lake, rows=2, run_id=later)
    loans, features = KNOWN["loans"], KNOWN["application_features"]
    lake.put_rows(loans, [row(loans, 0)], later)
    lake.put_rows(features, [row(features, 0)], later)
    told = {"run_id": later, "source": "loan_application", "record_key": "1", "why": "absent from the snapshot"}
    lake.put_rows(KNOWN["deletion_log"], [{**told, "deleted_on": date(2026, 7, 31)}], later)
    log = pq.read_table(lake.root / "training" / table_prefix("lending", "load_log", later)).to_pylist()
    for entry in log:
        if entry["source"] == "loan_application":
            entry.update(rows_good=1, rows_in=2, rows_deleted=1)
    lake.put_rows(KNOWN["load_log"], log, later)
    ingest(warehouse, later, deleted=("loan_application",))
    assert ask(warehouse, "SELECT loan_id FROM lending.loans") == [("0",)]
    assert ask(warehouse, "SELECT loan_id FROM lending.application_features") == [("0",)]
    assert len(ask(warehouse, "SELECT customer_id FROM lending.customers")) == 2
    assert ask(warehouse, "SELECT source, record_key FROM ops.deletion_log") == [("loan_application", "1")]


def test_kept_rows_and_tombstones_are_accounted_for(warehouse: Database, lake: Lake) -> None:
    log = pq.read_table(lake.root / "training" / table_prefix("lending", "load_log", RUN)).to_pylist()
    for entry in log:  # of the two rows of each table one was kept; another row was a tombstone
        entry.update(rows_good=2, rows_kept=1, rows_tombstone=1, rows_in=3)
    lake.put_rows(KNOWN["load_log"], log)
    ingest(warehouse)
    log[0]["rows_kept"] = 2
    lake.put_rows(KNOWN["load_log"], log)
    with pytest.raises(SqlError, match="2 against 3"):
        ingest(warehouse)


def test_the_tables_of_a_stopped_source_stay_as_they_are(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse)
    later = "f" * 16
    fill(lake, run_id=later)
    shutil.rmtree(lake.root / "cleaned" / "lending" / "repayments" / f"run_id={later}")
    log = pq.read_table(lake.root / "training" / table_prefix("lending", "load_log", later)).to_pylist()
    log = [entry for entry in log if entry["source"] != "repayment_history"]
    lake.put_rows(KNOWN["load_log"], log, later)
    rows = pq.read_table(lake.root / "training" / table_prefix("lending", "quarantine_log", later)).to_pylist()
    lake.put_rows(KNOWN["quarantine_log"], [r for r in rows if r["source"] != "repayment_history"], later)
    ingest(warehouse, later, without=("repayments", *(c.name for c in KNOWN.steps("lending"))))
    assert len(ask(warehouse, "SELECT payment_id FROM lending.repayments")) == 2
    assert len(ask(warehouse, f"SELECT source FROM ops.load_log WHERE run_id = '{later}'")) == 3


def test_a_load_with_deletions_everywhere_fits_into_one_transaction() -> None:
    assert len(batch_of(deleted=tuple(c.source for c in PUBLISHED if c.source))) <= MOST_STATEMENTS


def test_rows_that_the_load_log_does_not_account_for_stop_the_load_with_figures(
    warehouse: Database, lake: Lake
) -> None:
    fill(lake, rows=2, logged=3)
    with pytest.raises(SqlError, match="rows in application_events: 2 against 3"):
        ingest(warehouse)
    assert snapshot(warehouse)["loans"] == []


def test_a_key_that_is_there_twice_stops_the_load(warehouse: Database, lake: Lake) -> None:
    customers = KNOWN["customers"]
    lake.put_rows(customers, [row(customers, 1), row(customers, 1)])
    with pytest.raises(SqlError, match="repeated keys in customers: 1 against 0"):
        ingest(warehouse)


def test_a_load_log_of_another_run_stops_the_load(warehouse: Database, lake: Lake) -> None:
    entries = [{**row(KNOWN["load_log"], 0), "run_id": "f" * 16, "source": c.source, "rows_good": 2, "rows_in": 3,
                "rows_quarantined": 1, "rows_kept": 0, "rows_tombstone": 0} for c in PUBLISHED if c.source]  # fmt: skip
    lake.put_rows(KNOWN["load_log"], entries)
    with pytest.raises(SqlError, match="runs in load_log: 4 against 0"):
        ingest(warehouse)


def test_a_missing_table_stops_the_load_before_anything_is_visible(warehouse: Database, lake: Lake) -> None:
    shutil.rmtree(lake.root / "cleaned" / "lending" / "repayments")
    with pytest.raises(SqlError):
        ingest(warehouse)
    assert snapshot(warehouse)["customers"] == []


def prediction(loan: str, **more: Any) -> dict[str, Any]:
    reasons = [{"code": "AMOUNT", "feature": "amount", "text": "Amount of the loan: it's more", "points": -3.5}]
    return {
        "loan_id": loan, "as_of": "2026-06-30", "probability": 0.25, "score": 500, "band": "C", "decision": "refer",
        "reasons": reasons, "model_version": "1", **more,
    }  # fmt: skip


def test_predictions_arrive_with_their_reasons_and_run_and_twice_is_once(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse)
    lake.put_predictions([prediction("0", unknown_levels=["purpose"]), prediction("1", reasons=[])])
    score(warehouse)
    first = snapshot(warehouse)["predictions"]
    score(warehouse)
    assert snapshot(warehouse)["predictions"] == first
    rows = ask(
        warehouse, "SELECT loan_id, probability, run_id, reasons[0].text FROM lending.predictions ORDER BY loan_id"
    )
    assert [r[:3] for r in rows] == [("0", 0.25, RUN), ("1", 0.25, RUN)]
    assert "it's more" in str(rows[0][3])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([prediction("9")], "predictions of unknown loans: 1 against 0"),
        ([prediction("0"), prediction("0")], "repeated keys in predictions"),
    ],
)
def test_predictions_that_cannot_be_right_stop_the_load(
    warehouse: Database, lake: Lake, rows: list[dict[str, Any]], said: str
) -> None:
    ingest(warehouse)
    lake.put_predictions(rows)
    with pytest.raises(SqlError, match=said):
        score(warehouse)
    assert snapshot(warehouse)["predictions"] == []


def test_the_analysts_query_answers(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse)
    lake.put_predictions([prediction("0"), prediction("1", band="D", decision="decline")])
    score(warehouse)
    query = (Path(__file__).parents[3] / "sql" / "analytics" / "risk_bands.sql").read_text()
    (statement,) = migrations.split(query)
    # Loan 0 has no amount, loan 1 has an amount of 1.
    assert ask(warehouse, statement) == [
        ("C", 1, Decimal("0.00"), 0.25, None, 0, 1, 0),
        ("D", 1, Decimal("1.00"), 0.25, 0.25, 0, 0, 1),
    ]


def test_every_statement_is_redshift_and_fits_the_data_api() -> None:
    batch = batch_of()
    batch += load.predictions(KNOWN, portfolio="lending", run_id=RUN, prefix=f"s3://artifacts/{PREDICTIONS}")
    assert len(batch) <= MOST_STATEMENTS + 5
    for sql in batch:
        assert len(sql.encode()) < LARGEST_STATEMENT
        assert not isinstance(sqlglot.parse_one(sql, read="redshift"), sqlglot.exp.Command), sql
        assert "TRUNCATE" not in sql.upper()


@pytest.mark.parametrize("run_id", ["", "0123", "0123456789ABCDEF", "0123456789abcde'", "../0123456789abcd"])
def test_a_run_id_that_is_none_never_becomes_sql(run_id: str) -> None:
    with pytest.raises(load.LoadError, match="run_id"):
        batch_of(run_id)


@pytest.mark.parametrize("prefix", ["s3://b/predictions/x", "s3://bucket/other/", "s3://bucket/predictions/x'y/", ""])
def test_a_prefix_outside_of_the_predictions_never_becomes_sql(prefix: str) -> None:
    with pytest.raises(load.LoadError, match="predictions_prefix"):
        load.predictions(KNOWN, portfolio="lending", run_id=RUN, prefix=prefix)


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a;b", "A", "1a", "a.b", "é"])
def test_only_plain_names_are_identifiers(name: str) -> None:
    with pytest.raises(statements.UnsafeSql):
        statements.identifier(name)


def test_text_is_quoted_and_escapes_are_refused() -> None:
    assert statements.literal("it's; --") == "'it''s; --'"
    for text in ("a\\'", "a\n", "\0"):
        with pytest.raises(statements.UnsafeSql):
            statements.literal(text)


def test_the_other_portfolio_is_loaded_by_the_same_user(warehouse: Database, lake: Lake) -> None:
    """Whatever the loads need, the migrations grant; and nothing is left for another user to do."""
    tables = load.published(KNOWN, "bankruptcy")
    logs = {name: KNOWN[name] for name in load.LOGS}
    for contract in (c for c in tables if c.name not in load.LOGS):
        lake.put_rows(contract, [row(contract, n) for n in range(2)], portfolio="bankruptcy")
    sources = [c.source for c in tables if c.source]
    facts = {**row(logs["load_log"], 0), "run_id": RUN, "portfolio": "bankruptcy", "rows_in": 2, "rows_good": 2}
    entries = [{**facts, "source": source, "rows_quarantined": 0} for source in sources]
    lake.put_rows(logs["load_log"], entries, portfolio="bankruptcy")
    lake.put_rows(logs["quarantine_log"], [], portfolio="bankruptcy")
    told = {
        "sources": {source: {"deleted": 0} for source in sources},
        "tables": {f"{c.zone}.{c.name}": "" for c in tables},
    }
    batch = load.ingest(KNOWN, portfolio="bankruptcy", run_id=RUN, buckets=BUCKETS, report=told)
    warehouse.run(batch, user="IAMR:solvent-dev-warehouse-load")
    assert ask(warehouse, "SELECT COUNT(*) FROM bankruptcy.companies") == [(2,)]
    prefix = predictions_prefix("bankruptcy", RUN, "model-1")
    contract = load.predictions_of(KNOWN, "bankruptcy")
    key = contract.references[0]
    (entity,) = {r[0] for r in ask(warehouse, f"SELECT MIN({key.target}) FROM bankruptcy.{key.contract}")}
    made = {**row(contract, 0), key.column: entity, "reasons": []}
    lake.put_predictions([{name: value for name, value in made.items() if name != "run_id"}], prefix)
    warehouse.run(
        load.predictions(KNOWN, portfolio="bankruptcy", run_id=RUN, prefix=f"s3://artifacts/{prefix}"),
        user="IAMR:solvent-dev-warehouse-load",
    )
    assert ask(warehouse, f"SELECT COUNT(*) FROM {contract.table}") == [(1,)]
