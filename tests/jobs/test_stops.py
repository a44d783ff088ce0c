"""One source that cannot be taken is stopped by name; the others go on, and what rests on it waits."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from lakehouse import Lakehouse

from solvent.datasets import synthetic
from solvent.etl import EtlError

SOURCES = {"customer_profile", "loan_application", "application_event", "repayment_history"}
STEPS = {"training.application_features", "training.open_loans"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    synthetic.generate(tmp_path / "files", customers=30, loans=30, seed=5, mess=0)
    return tmp_path / "files"


def change(path: Path, changed: Callable[[list[str], list[str]], list[str]]) -> None:
    """Every record, the header included, by `changed(header, record)`."""
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([changed(header, r) for r in [list(header), *rows]])


def without(column: str) -> Callable[[list[str], list[str]], list[str]]:
    return lambda header, row: [v for name, v in zip(header, row, strict=True) if name != column]


def retyped(column: str, text: str) -> Callable[[list[str], list[str]], list[str]]:
    return lambda header, row: [
        text if name == column and row != header and v else v for name, v in zip(header, row, strict=True)
    ]


def test_a_missing_column_stops_its_source_and_what_rests_on_it(lakehouse: Lakehouse, folder: Path) -> None:
    change(folder / "repayment_history.csv", without("paid_date"))
    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    assert set(report["stopped"]["sources"]) == {"repayment_history"}
    assert "repayment_history.csv lacks the column(s) paid_date" in report["stopped"]["text"]
    assert report["stopped"]["waiting"] == []
    assert set(report["sources"]) == SOURCES - {"repayment_history"}
    assert lakehouse.table(job, "cleaned", "loans").num_rows == 30
    assert not STEPS & set(report["tables"])
    assert not any("repayment" in key for key in lakehouse.published())


def test_a_retyped_column_stops_its_source_and_keeps_its_raw_rows(lakehouse: Lakehouse, folder: Path) -> None:
    change(folder / "application_event.csv", retyped("occurred_at", "Tuesday"))
    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    assert set(report["stopped"]["sources"]) == {"application_event"}
    assert "retyped column(s): occurred_at (150 of 150 values)" in report["stopped"]["text"]
    assert "Tuesday" not in str(report)
    assert lakehouse.table(job, "raw", "application_event").num_rows == 150
    assert "cleaned.application_events" not in report["tables"]
    assert set(report["tables"]) >= STEPS  # which do not read events
    assert lakehouse.table(job, "training", "load_log").num_rows == 3


def test_a_few_values_of_another_type_are_faults_of_rows(lakehouse: Lakehouse, folder: Path) -> None:
    path = folder / "customer_profile.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:1] + [line.replace(",", ",x", 1) for line in lines[1:]]) + "\n")
    report = lakehouse.run(lakehouse.deliver(folder))
    assert report["stopped"] == {}


def test_sources_that_refer_to_a_stopped_one_wait(lakehouse: Lakehouse, folder: Path) -> None:
    """The customers go on; without loans neither events nor payments can be checked."""
    change(folder / "loan_application.csv", without("amount"))
    report = lakehouse.run(lakehouse.deliver(folder))
    assert set(report["stopped"]["sources"]) == {"loan_application"}
    assert set(report["stopped"]["waiting"]) == {"application_event", "repayment_history"}
    assert set(report["sources"]) == {"customer_profile"}


def test_a_source_that_was_not_delivered_is_stopped_by_name(lakehouse: Lakehouse, folder: Path) -> None:
    (folder / "application_event.csv").unlink()
    report = lakehouse.run(lakehouse.deliver(folder))
    assert report["stopped"]["sources"] == {
        "application_event": "application_event was not delivered. Deliver its file together with the others."
    }


def test_nothing_is_published_when_nothing_is_left(lakehouse: Lakehouse, folder: Path) -> None:
    change(folder / "customer_profile.csv", without("region"))
    with pytest.raises(EtlError, match="lacks the column.s. region .* would have to wait for that. Nothing was"):
        lakehouse.run(lakehouse.deliver(folder))
    assert lakehouse.published() == {}


def test_a_new_column_is_reported_and_kept_in_the_raw_zone(lakehouse: Lakehouse, folder: Path) -> None:
    change(folder / "customer_profile.csv", lambda header, row: [*row, "nickname" if row == header else "Bob"])
    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    assert report["unknown_columns"] == {"customer_profile": ["nickname"]}
    assert set(lakehouse.table(job, "raw", "customer_profile")["nickname"].to_pylist()) == {"Bob"}
    assert "nickname" not in lakehouse.table(job, "cleaned", "customers").column_names
