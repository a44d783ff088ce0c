"""Deliveries that follow one another: what is replaced, kept, deleted and remembered, with every row accounted for."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lakehouse import Lakehouse

from solvent import etl
from solvent.datasets import synthetic
from solvent.etl import EtlError

SOURCES = ("customer_profile", "loan_application", "application_event", "repayment_history")


class Files:
    """The files of a delivery, to be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self, source: str) -> list[dict[str, str]]:
        with (self.folder / f"{source}.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def write(self, source: str, rows: list[dict[str, str]]) -> None:
        with (self.folder / f"{source}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def settings(self, **changed: str) -> None:
        path = self.folder / "delivery.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    synthetic.generate(tmp_path / "files", customers=30, loans=30, seed=5, mess=0)
    return Files(tmp_path / "files")


@pytest.fixture
def changes(tmp_path: Path) -> Files:
    folder = tmp_path / "changes"
    folder.mkdir()
    settings = {"as_of": "2026-07-31", "dataset": "synthetic", "mode": "changes"}
    (folder / "delivery.json").write_text(json.dumps(settings))
    return Files(folder)


def history(lakehouse: Lakehouse, job: etl.Job) -> list[tuple[Any, ...]]:
    rows = lakehouse.table(job, "cleaned", "customers_history").to_pylist()
    return [(r["customer_id"], r["updated_at"], r["annual_income"], r["deleted"]) for r in rows]


def incomes(lakehouse: Lakehouse, job: etl.Job) -> dict[str, Any]:
    return {r["customer_id"]: r["annual_income"] for r in lakehouse.table(job, "cleaned", "customers").to_pylist()}


def balanced(report: dict[str, Any]) -> None:
    for rows in report["sources"].values():
        assert rows["in"] == rows["good"] + rows["quarantined"] + rows["duplicates"]


def test_a_first_delivery_remembers_the_older_copies_that_it_brings(lakehouse: Lakehouse, files: Files) -> None:
    rows = files.rows("customer_profile")
    files.write("customer_profile", [*rows, {**rows[3], "annual_income": "1", "updated_at": "2001-01-01 00:00:00"}])
    job = lakehouse.deliver(files.folder)
    report = lakehouse.run(job)
    balanced(report)
    assert report["sources"]["customer_profile"]["duplicates"] == 1
    assert history(lakehouse, job) == [(rows[3]["customer_id"], datetime(2001, 1, 1), 1, False)]


def test_a_correction_replaces_the_row_and_the_earlier_version_is_remembered(
    lakehouse: Lakehouse, files: Files
) -> None:
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    rows = files.rows("customer_profile")
    before = incomes(lakehouse, first)[rows[0]["customer_id"]]
    known = datetime.fromisoformat(rows[0]["updated_at"])
    rows[0] |= {"annual_income": "77", "updated_at": "2026-07-15 12:00:00"}
    files.write("customer_profile", rows)
    files.settings(as_of="2026-07-31")
    second = lakehouse.deliver(files.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    assert report["rows"]["kept"] == report["rows"]["deleted"] == 0
    assert incomes(lakehouse, second)[rows[0]["customer_id"]] == 77
    assert history(lakehouse, second) == [(rows[0]["customer_id"], known, before, False)]
    # The same again brings nothing new, and nothing is remembered twice.
    files.settings(as_of="2026-08-01")
    third = lakehouse.deliver(files.folder, base=second)
    lakehouse.run(third)
    assert history(lakehouse, third) == history(lakehouse, second)


def test_what_a_snapshot_lacks_was_deleted(lakehouse: Lakehouse, files: Files) -> None:
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    rows = files.rows("customer_profile")
    with_loans = {r["customer_id"] for r in files.rows("loan_application")}
    gone = next(r for r in rows if r["customer_id"] not in with_loans)
    files.write("customer_profile", [r for r in rows if r is not gone])
    files.settings(as_of="2026-07-31")
    second = lakehouse.deliver(files.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    assert report["sources"]["customer_profile"]["deleted"] == 1
    assert gone["customer_id"] not in incomes(lakehouse, second)
    last, tombstone = sorted(history(lakehouse, second), key=lambda v: v[3])
    assert last[1] == datetime.fromisoformat(gone["updated_at"])
    assert tombstone == (gone["customer_id"], datetime(2026, 7, 31, 23, 59, 59), None, True)
    [logged] = lakehouse.table(second, "training", "deletion_log").to_pylist()
    assert (logged["record_key"], logged["why"]) == (gone["customer_id"], "absent from the snapshot")


def test_a_row_whose_new_version_is_rejected_stays_as_it_was(lakehouse: Lakehouse, files: Files) -> None:
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    rows = files.rows("customer_profile")
    rows[0] |= {"annual_income": "a lot", "updated_at": "2026-07-15 12:00:00"}
    files.write("customer_profile", rows)
    files.settings(as_of="2026-07-31")
    second = lakehouse.deliver(files.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    assert report["sources"]["customer_profile"]["quarantined"] == report["sources"]["customer_profile"]["kept"] == 1
    assert incomes(lakehouse, second) == incomes(lakehouse, first)
    assert report["sources"]["loan_application"]["quarantined"] == 0  # its loans still have their customer


def test_a_late_older_version_is_remembered_and_replaces_nothing(
    lakehouse: Lakehouse, files: Files, changes: Files
) -> None:
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    row = files.rows("customer_profile")[0]
    changes.write("customer_profile", [{**row, "annual_income": "5", "updated_at": "2002-02-02 00:00:00"}])
    second = lakehouse.deliver(changes.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    assert report["sources"]["customer_profile"]["duplicates"] == 1
    assert incomes(lakehouse, second) == incomes(lakehouse, first)
    assert history(lakehouse, second) == [(row["customer_id"], datetime(2002, 2, 2), 5, False)]


def test_a_snapshot_counts_as_it_is_also_where_the_source_went_back(lakehouse: Lakehouse, files: Files) -> None:
    rows = files.rows("customer_profile")
    known = rows[0]["updated_at"]
    files.write(
        "customer_profile", [{**rows[0], "annual_income": "88", "updated_at": "2026-06-29 00:00:00"}, *rows[1:]]
    )
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    files.write("customer_profile", [{**rows[0], "annual_income": "99", "updated_at": known}, *rows[1:]])
    files.settings(as_of="2026-07-31")
    second = lakehouse.deliver(files.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    assert incomes(lakehouse, second)[rows[0]["customer_id"]] == 99
    assert history(lakehouse, second) == [(rows[0]["customer_id"], datetime(2026, 6, 29), 88, False)]


def test_changes_add_replace_and_delete_and_leave_the_rest(lakehouse: Lakehouse, files: Files, changes: Files) -> None:
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    rows = files.rows("repayment_history")
    new = {**rows[0], "payment_id": "P999999999", "instalment_number": "400", "updated_at": "2026-07-10 00:00:00"}
    paid = {**rows[1], "amount_paid": "1.00", "updated_at": "2026-07-11 00:00:00"}
    gone = {**dict.fromkeys(rows[2], ""), "payment_id": rows[2]["payment_id"], "updated_at": "2026-07-12 00:00:00"}
    changes.write("repayment_history", [{**r, "_deleted": d} for r, d in ((new, ""), (paid, "no"), (gone, "true"))])
    second = lakehouse.deliver(changes.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    counted = report["sources"]["repayment_history"]
    assert (counted["in"], counted["good"], counted["tombstones"], counted["deleted"]) == (3, 3, 1, 1)
    assert counted["kept"] == len(rows) - 2
    assert report["sources"]["customer_profile"]["in"] == 0
    assert incomes(lakehouse, second) == incomes(lakehouse, first)
    table = {r["payment_id"]: r for r in lakehouse.table(second, "cleaned", "repayments").to_pylist()}
    assert len(table) == len(rows)
    assert table["P999999999"]["instalment_number"] == 400
    assert float(table[rows[1]["payment_id"]]["amount_paid"]) == 1.0
    assert rows[2]["payment_id"] not in table
    versions = lakehouse.table(second, "cleaned", "repayments_history").to_pylist()
    assert sorted((v["payment_id"], v["deleted"]) for v in versions) == sorted(
        [(rows[1]["payment_id"], False), (rows[2]["payment_id"], False), (rows[2]["payment_id"], True)]
    )


def test_changes_need_what_they_change(lakehouse: Lakehouse, files: Files, changes: Files) -> None:
    first = lakehouse.deliver(files.folder)
    changes.write("repayment_history", files.rows("repayment_history")[:1])
    second = lakehouse.deliver(changes.folder, base=first)  # which never ran
    with pytest.raises(EtlError, match=f"Run {first.run_id} has no table customers .* Deliver a snapshot instead"):
        lakehouse.run(second)
    assert lakehouse.published() == {}


def test_an_unsound_tombstone_deletes_nothing(lakehouse: Lakehouse, files: Files, changes: Files) -> None:
    first = lakehouse.deliver(files.folder)
    lakehouse.run(first)
    row = files.rows("customer_profile")[0]
    changes.write("customer_profile", [{**dict.fromkeys(row, ""), "customer_id": row["customer_id"], "_deleted": "1"}])
    second = lakehouse.deliver(changes.folder, base=first)
    report = lakehouse.run(second)
    balanced(report)
    assert incomes(lakehouse, second) == incomes(lakehouse, first)
    [rejected] = lakehouse.table(second, "quarantine", "customer_profile").to_pylist()
    assert rejected["reason"] == "updated_at - missing"
