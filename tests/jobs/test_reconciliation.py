"""No row disappears: what the generator planted is what the ETL caught, rule by rule."""

import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lakehouse import Lakehouse

from solvent import contracts, etl
from solvent.datasets import synthetic

SOURCES = ("customer_profile", "loan_application", "application_event", "repayment_history")


@pytest.fixture
def delivered(lakehouse: Lakehouse, tmp_path: Path) -> tuple[etl.Job, dict[str, dict]]:
    synthetic.generate(tmp_path / "files", customers=300, loans=300, seed=7, mess=3.0)
    job = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(job)
    return job, json.loads((tmp_path / "files" / "truth" / "faults.json").read_text())


def reconcile(lakehouse: Lakehouse, job: etl.Job, truth: dict[str, dict]) -> None:
    """Caught is what was planted: for every rule as many rows, and of every kind."""
    for source in SOURCES:
        quarantine = lakehouse.table(job, "quarantine", source).to_pylist()
        caught = Counter(row["reason"] for row in quarantine if row["kind"] == "rejected")
        assert dict(caught) == truth[source]["reasons"], source
        assert sum(row["kind"] == "malformed" for row in quarantine) == truth[source]["malformed"]
        assert lakehouse.table(job, "cleaned", contracts.load().cleaned(source).name).num_rows == truth[source]["good"]
        duplicates = lakehouse.table(job, "quarantine", f"{source}_duplicates")
        assert duplicates.num_rows == truth[source]["duplicates"]


def test_every_planted_fault_is_caught_and_nothing_else(
    lakehouse: Lakehouse, delivered: tuple[etl.Job, dict[str, dict]]
) -> None:
    job, truth = delivered
    reconcile(lakehouse, job, truth)
    for source in SOURCES:
        assert truth[source]["duplicates"] > 0
        assert truth[source]["malformed"] > 0
        assert len(truth[source]["reasons"]) > 2


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**31),
    customers=st.integers(20, 200),
    loans=st.integers(20, 200),
    mess=st.sampled_from([0.0, 0.3, 1.0]) | st.floats(0.0, 20.0),
)
@example(seed=0, customers=800, loans=1000, mess=1.0)
@example(seed=1, customers=30, loans=30, mess=20.0)
def test_caught_is_planted_for_any_seed_size_and_share(
    lakehouse: Lakehouse, seed: int, customers: int, loans: int, mess: float
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic.generate(folder, customers=customers, loans=loans, seed=seed, mess=mess)
        truth = json.loads((folder / "truth" / "faults.json").read_text())
        job = lakehouse.deliver(folder)
    lakehouse.run(job)
    reconcile(lakehouse, job, truth)


def test_the_load_log_and_the_report_say_what_the_tables_hold(
    lakehouse: Lakehouse, delivered: tuple[etl.Job, dict[str, dict]]
) -> None:
    job, truth = delivered
    log = {row["source"]: row for row in lakehouse.table(job, "training", "load_log").to_pylist()}
    for source in SOURCES:
        row = log[source]
        assert row["rows_in"] == truth[source]["rows_in"]
        assert row["rows_in"] == row["rows_good"] + row["rows_quarantined"] + row["rows_duplicate"]
    [body] = lakehouse.objects("artifacts").values()
    report = json.loads(body)
    assert report["rows"]["in"] == sum(t["rows_in"] for t in truth.values())
    assert report["rows"]["quarantined"] == sum(t["quarantined"] for t in truth.values())
    assert report["tables"]["cleaned.loans"].endswith(f"/lending/loans/run_id={job.run_id}/")


def test_every_quarantined_row_has_a_reason_its_position_and_its_payload(
    lakehouse: Lakehouse, delivered: tuple[etl.Job, dict[str, dict]], tmp_path: Path
) -> None:
    job, _ = delivered
    lines = (tmp_path / "files" / "repayment_history.csv").read_text().splitlines()
    for row in lakehouse.table(job, "quarantine", "repayment_history").to_pylist():
        line = lines[row["row_number"] - 1]
        assert row["reason"]
        if row["kind"] == "malformed":
            assert row["payload"] == line
        else:
            assert json.loads(row["payload"])["payment_id"] == line.split(",")[0]


def test_the_quarantine_log_names_each_row_and_holds_no_personal_data(
    lakehouse: Lakehouse, delivered: tuple[etl.Job, dict[str, dict]]
) -> None:
    job, truth = delivered
    log = lakehouse.table(job, "training", "quarantine_log")
    assert tuple(log.column_names) == contracts.load()["quarantine_log"].column_names
    assert log.num_rows == sum(t["quarantined"] for t in truth.values())
    rows = log.to_pylist()
    assert len({(r["source"], r["source_file"], r["row_number"]) for r in rows}) == len(rows)
    assert "example.com" not in json.dumps(rows)
    assert not any(r["record_key"] == "12" for r in rows)  # a malformed key is not repeated


def test_currency_signs_date_formats_and_blanks_are_read_not_rejected(
    lakehouse: Lakehouse, delivered: tuple[etl.Job, dict[str, dict]], tmp_path: Path
) -> None:
    job, _ = delivered
    messy = {r["loan_id"]: r for r in lakehouse.table(job, "cleaned", "loans").to_pylist()}
    clean = synthetic.simulate(customers=300, loans=300, seed=7).tables["loan_application"]
    by_id = dict(zip(clean["loan_id"].tolist(), range(300), strict=True))
    for loan_id, row in messy.items():
        at = by_id[loan_id]
        assert float(row["amount"]) == clean["amount"][at]
        assert row["application_date"] == clean["application_date"][at].item()
        assert row["purpose"] == clean["purpose"][at]


def test_of_several_copies_the_newest_wins(lakehouse: Lakehouse, delivered: tuple[etl.Job, dict[str, dict]]) -> None:
    job, _ = delivered
    kept = {r["customer_id"]: r["updated_at"] for r in lakehouse.table(job, "cleaned", "customers").to_pylist()}
    older = lakehouse.table(job, "quarantine", "customer_profile_duplicates").to_pylist()
    stamps = [(r["record_key"], json.loads(r["payload"])["updated_at"]) for r in older]
    assert all(str(kept[key]) >= stamp for key, stamp in stamps)
    assert any(str(kept[key]) > stamp for key, stamp in stamps)


def test_a_second_run_writes_the_same_bytes(lakehouse: Lakehouse, tmp_path: Path) -> None:
    synthetic.generate(tmp_path / "files", customers=60, loans=60, seed=1)
    job = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(job)
    before = lakehouse.published()
    lakehouse.run(job)
    assert lakehouse.published() == before


def test_no_delivered_value_reaches_report_load_log_or_quarantine_log(lakehouse: Lakehouse, tmp_path: Path) -> None:
    """A value of its own in every field: whatever rule it breaks, the reason names the rule."""
    canary = "Zoe Canary"
    synthetic.generate(tmp_path / "files", customers=40, loans=40, seed=2, mess=0)
    for path in (tmp_path / "files").glob("*.csv"):
        header, first, *rest = path.read_text().splitlines()
        fields = first.split(",")
        spoilt = [",".join([*fields[:i], canary, *fields[i + 1 :]]) for i in range(len(fields))]
        path.write_text("\n".join([header, first, *rest, *spoilt, f"{first},{canary}"]) + "\n")
    job = lakehouse.deliver(tmp_path / "files")
    report = lakehouse.run(job)
    log = lakehouse.table(job, "training", "quarantine_log").to_pylist()
    assert {row["source"] for row in log} == set(SOURCES)
    assert any(row["kind"] == "malformed" for row in log)
    public = json.dumps([report, log, lakehouse.table(job, "training", "load_log").to_pylist()], default=str)
    assert "Canary" not in public
    assert any(canary in row["payload"] for row in lakehouse.table(job, "quarantine", "loan_application").to_pylist())
