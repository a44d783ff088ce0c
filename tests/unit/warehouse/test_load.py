"""The load's own statements, run by the embedded Redshift on real Parquet and JSON lines: no network, no cloud."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from load_cases import (
    KNOWN,
    LOADER,
    RUN,
    Lake,
    ask,
    batch_of,
    deleted,
    fill,
    ingest,
    inlined,
    migrated,
    prediction,
    row,
    scoring,
    snapshot,
)

from embedded_aws.redshift.engine import Database
from embedded_aws.redshift.errors import SqlError
from solvent.warehouse import load, marts, merging, migrations, statements
from solvent.warehouse.data_api import LARGEST_STATEMENT, MOST_STATEMENTS

LATER = "f" * 16


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "solvent.db"
    with migrated(path, Lake(path.parent)):
        return path


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "s3")
    fill(lake)
    return lake


@pytest.fixture
def warehouse(tmp_path: Path, template: Path, lake: Lake) -> Iterator[Database]:
    with migrated(Path(shutil.copy(template, tmp_path)), lake) as database:
        yield database


def score(warehouse: Database) -> None:
    warehouse.run(scoring(), user=LOADER)


def test_everything_published_arrives_and_rows_are_accounted_for(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
    found = snapshot(warehouse)
    assert {name: len(rows) for name, rows in found.items()} == {
        **{c.name: 2 for c in KNOWN.steps("lending")},
        "customers": 2, "loans": 2, "application_events": 2, "repayments": 2,
        "load_log": 4, "quarantine_log": 4, "deletion_log": 0, "predictions": 0,
        "retained_decisions": 0,  # of erased persons
        "models": 0,
    }  # fmt: skip


def test_loading_twice_changes_nothing_and_writes_nothing(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
    before = snapshot(warehouse)
    batch = inlined(lake)
    affected: list[int] = []
    warehouse.run(batch, user=LOADER, finished=lambda _, outcome: affected.append(outcome.rows))
    merged = {sql: n for n, sql in zip(affected, batch, strict=True) if sql.startswith("MERGE") and "_log" not in sql}
    assert len(merged) == 4 + len(KNOWN.steps("lending"))
    assert set(merged.values()) == {0}  # equal rows, nulls among them, never reach the table
    assert snapshot(warehouse) == before


def test_a_changed_row_replaces_the_old_one_and_the_others_stay(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
    loans = KNOWN["loans"]
    changed = {**row(loans, 1), "amount": Decimal("99.50"), "purpose": "repairs"}
    fill(lake, run_id=LATER)
    lake.put_rows(loans, [row(loans, 0), changed], LATER)
    ingest(warehouse, lake, LATER)
    amounts = ask(warehouse, "SELECT amount, purpose FROM lending.loans ORDER BY loan_id")
    assert amounts == [(Decimal("0.00"), None), (Decimal("99.50"), "repairs")]


def test_what_a_delivery_deleted_goes_with_the_features_that_describe_it(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
    fill(lake, run_id=LATER)
    for name in ("loans", "application_features", "behaviour_features"):
        lake.put_rows(KNOWN[name], [row(KNOWN[name], 0)], LATER)
    deleted(lake, LATER, {"loan_application": ["1"]})
    log = lake.rows(KNOWN["load_log"], LATER)
    one_less = {"rows_good": 1, "rows_in": 2}
    log = [{**e, **(one_less if e["source"] == "loan_application" else {})} for e in log]
    lake.put_rows(KNOWN["load_log"], log, LATER)
    for _ in range(2):
        ingest(warehouse, lake, LATER, deleted=("loan_application",))
        assert ask(warehouse, "SELECT loan_id FROM lending.loans") == [("0",)]
        assert ask(warehouse, "SELECT loan_id FROM lending.application_features") == [("0",)]
        assert ask(warehouse, "SELECT loan_id FROM lending.behaviour_features") == [("0",)]
        assert len(ask(warehouse, "SELECT customer_id FROM lending.customers")) == 2
        assert ask(warehouse, "SELECT source, record_key FROM ops.deletion_log") == [("loan_application", "1")]


def test_company_years_go_with_their_statement_and_a_company_with_its_last_one(tmp_path: Path, template: Path) -> None:
    """The statement of companies 1 and 2 is deleted; of company 2 the analyst still knows the year."""
    lake = Lake(tmp_path / "s3", "bankruptcy")
    fill(lake, rows=3)
    with migrated(Path(shutil.copy(template, tmp_path)), lake) as warehouse:
        ingest(warehouse, lake)
        fill(lake, rows=3, run_id=LATER)
        derived = ("companies", "company_years", "company_year_features")
        left = {**dict.fromkeys(derived, (0, 2)), "ratio_differences": (0,), "financial_statements": (0,)}
        for name, numbers in {**left, "analyst_ratios": (0, 2)}.items():
            lake.put_rows(KNOWN[name], [row(KNOWN[name], n) for n in numbers], LATER)
        gone = {"company_financials": ["1|1", "2|2"], "accounting_ratios": ["1|1"]}
        deleted(lake, LATER, gone)
        good = {"company_financials": 1, "accounting_ratios": 2}
        log = lake.rows(KNOWN["load_log"], LATER)
        log = [{**e, "rows_good": good.get(e["source"], 3), "rows_in": good.get(e["source"], 3) + 1} for e in log]
        lake.put_rows(KNOWN["load_log"], log, LATER)
        ingest(warehouse, lake, LATER, deleted=tuple(gone))
        found = snapshot(warehouse, "bankruptcy")
    for name, numbers in left.items():
        assert len(found[name]) == len(numbers), name
    assert [r[0] for r in found["company_years"]] == ["0", "2"]
    assert [r[0] for r in found["ratio_differences"]] == ["0"]
    assert len(found["filings"]) == 3


def test_kept_rows_and_tombstones_are_accounted_for(warehouse: Database, lake: Lake) -> None:
    log = lake.rows(KNOWN["load_log"])
    for entry in log:  # of the two rows of each table one was kept; another row was a tombstone
        entry.update(rows_good=2, rows_kept=1, rows_tombstone=1, rows_in=3)
    lake.put_rows(KNOWN["load_log"], log)
    ingest(warehouse, lake)
    log[0]["rows_kept"] = 2
    lake.put_rows(KNOWN["load_log"], log)
    with pytest.raises(SqlError, match="2 against 3"):
        ingest(warehouse, lake)


def test_the_tables_of_a_stopped_source_stay_as_they_are(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
    fill(lake, run_id=LATER)
    shutil.rmtree(lake.root / "cleaned" / "lending" / "repayments" / f"run_id={LATER}")
    log = [entry for entry in lake.rows(KNOWN["load_log"], LATER) if entry["source"] != "repayment_history"]
    lake.put_rows(KNOWN["load_log"], log, LATER)
    rows = lake.rows(KNOWN["quarantine_log"], LATER)
    lake.put_rows(KNOWN["quarantine_log"], [r for r in rows if r["source"] != "repayment_history"], LATER)
    ingest(warehouse, lake, LATER, without=("repayments", *(c.name for c in KNOWN.steps("lending"))))
    assert len(ask(warehouse, "SELECT payment_id FROM lending.repayments")) == 2
    assert len(ask(warehouse, f"SELECT source FROM ops.load_log WHERE run_id = '{LATER}'")) == 3


@pytest.mark.parametrize("portfolio", ["lending", "bankruptcy"])
def test_a_load_with_deletions_everywhere_leaves_room_in_its_transaction(tmp_path: Path, portfolio: str) -> None:
    lake = Lake(tmp_path, portfolio)
    batch = batch_of(lake, deleted=tuple(c.source for c in lake.published if c.source))
    assert len(batch) <= MOST_STATEMENTS - 5


def test_rows_that_the_load_log_does_not_account_for_stop_the_load_with_figures(
    warehouse: Database, lake: Lake
) -> None:
    fill(lake, rows=2, logged=3)
    with pytest.raises(SqlError, match="rows in repayments: 2 against 3"):
        ingest(warehouse, lake)
    assert snapshot(warehouse)["loans"] == []


def test_a_key_that_is_there_twice_stops_the_load(warehouse: Database, lake: Lake) -> None:
    customers = KNOWN["customers"]
    lake.put_rows(customers, [row(customers, 1), row(customers, 1)])
    with pytest.raises(SqlError, match="repeated keys in customers: 1 against 0"):
        ingest(warehouse, lake)


def test_a_load_log_of_another_run_stops_the_load(warehouse: Database, lake: Lake) -> None:
    entries = [{**row(KNOWN["load_log"], 0), "run_id": LATER, "source": c.source, "rows_good": 2, "rows_in": 3,
                "rows_quarantined": 1, "rows_kept": 0, "rows_tombstone": 0}
               for c in lake.published if c.source]  # fmt: skip
    lake.put_rows(KNOWN["load_log"], entries)
    with pytest.raises(SqlError, match="runs in load_log: 4 against 0"):
        ingest(warehouse, lake)


def test_a_missing_table_stops_the_load_before_anything_is_visible(warehouse: Database, lake: Lake) -> None:
    shutil.rmtree(lake.root / "cleaned" / "lending" / "repayments")
    with pytest.raises(SqlError):
        ingest(warehouse, lake)
    assert snapshot(warehouse)["customers"] == []


def test_predictions_arrive_with_their_reasons_and_run_and_twice_is_once(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
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
    ingest(warehouse, lake)
    lake.put_predictions(rows)
    with pytest.raises(SqlError, match=said):
        score(warehouse)
    assert snapshot(warehouse)["predictions"] == []


def test_the_analysts_query_answers(warehouse: Database, lake: Lake) -> None:
    ingest(warehouse, lake)
    lake.put_predictions([prediction("0"), prediction("1", band="D", decision="decline")])
    score(warehouse)
    for statements_of in (marts.LEDGER, *(mart.create() for mart in marts.read())):
        warehouse.run(list(statements_of), user="admin")
    query = (Path(__file__).parents[3] / "sql" / "analytics" / "risk_bands.sql").read_text()
    (statement,) = migrations.split(query)
    # Loan 0 has no amount, loan 1 has an amount of 1.
    assert ask(warehouse, statement) == [
        ("C", 1, Decimal("0.00"), 0.25, None, 0, 1, 0),
        ("D", 1, Decimal("1.00"), 0.25, 0.25, 0, 0, 1),
    ]


def test_every_statement_is_redshift_and_fits_the_data_api(lake: Lake) -> None:
    made = [s for s in merging.procedures(KNOWN) if s.startswith("CREATE OR REPLACE PROCEDURE ops.merge_")]
    assert len(made) == len(merging.tables(KNOWN))
    for sql in [*inlined(lake), *scoring(), *made]:
        assert len(sql.encode()) < LARGEST_STATEMENT
        if sql not in made:
            assert not isinstance(sqlglot.parse_one(sql, read="redshift"), sqlglot.exp.Command), sql
        assert "TRUNCATE" not in sql.upper()


@pytest.mark.parametrize("run_id", ["", "0123", "0123456789ABCDEF", "0123456789abcde'", "../0123456789abcd"])
def test_a_run_id_that_is_none_never_becomes_sql(lake: Lake, run_id: str) -> None:
    with pytest.raises(load.LoadError, match="run_id"):
        batch_of(lake, run_id)


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
