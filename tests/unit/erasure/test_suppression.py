"""Who was erased does not come back with a later delivery, and every delivered row stays accounted for."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakehouse import BUCKETS

from solvent import contracts, naming
from solvent.contracts.people import chain, links, parents, person_source
from solvent.etl import admission, suppression
from solvent.etl.suppression import Suppressed, hashed
from solvent.quarantine import Quarantine


def test_the_same_files_again_do_not_bring_the_person_back(bank: Any, tmp_path: Path) -> None:
    bank.erase(bank.ask())
    again = shutil.copytree(bank.files, tmp_path / "again")
    settings = json.loads((again / "delivery.json").read_text())
    (again / "delivery.json").write_text(json.dumps({**settings, "as_of": "2026-07-31"}))
    job = bank.lake.deliver(again, base=bank.job)
    report = bank.lake.run(job)
    rows = report["rows"]
    delivered = sum(len(path.read_text().splitlines()) - 1 for path in again.glob("*.csv"))
    assert rows["in"] == delivered == rows["good"] + rows["quarantined"] + rows["duplicates"]
    assert {place.partition("/")[0] for place in bank.leftovers()} == {"landing"}
    quarantined = [r for c in chain(contracts.load(), "lending") for r in table(bank, job, c)]
    erased = [r for r in quarantined if r["kind"] == "erased"]
    assert {r["reason"] for r in erased} >= {"customer_id - erased", "loan_id - erased"}
    assert all(r["record_key"] is None and r["payload"] is None and r["row_number"] > 1 for r in erased)
    assert bank.lake.table(job, "training", "deletion_log").num_rows == 0
    shown = Quarantine(bank.s3, BUCKETS).rows("lending", contracts.load().sources("lending"), job.run_id)
    assert len(shown) == len(quarantined) - len(erased), "there is nothing of them to show or to replay"


def table(bank: Any, job: Any, source: str) -> list[dict[str, Any]]:
    return list(bank.lake.table(job, "quarantine", source).to_pylist())


def test_a_new_loan_of_an_erased_customer_is_kept_out_for_good(bank: Any, tmp_path: Path) -> None:
    """Its payments may come with a later delivery of changes that does not hold the loan."""
    bank.erase(bank.ask())
    loan = dict(zip(*header_and_row(bank.files / "loan_application.csv"), strict=True))
    payment = dict(zip(*header_and_row(bank.files / "repayment_history.csv"), strict=True))
    first, second = tmp_path / "first", tmp_path / "second"
    changes(first, "2026-07-31", loan_application=[{**loan, "loan_id": "L900001", "customer_id": bank.customer}])
    job = bank.lake.deliver(first, base=bank.job)
    bank.lake.run(job)
    changes(second, "2026-08-31", repayment_history=[{**payment, "payment_id": "P900001001", "loan_id": "L900001"}])
    last = bank.lake.deliver(second, base=job)
    bank.lake.run(last)
    assert [r["reason"] for r in table(bank, last, "repayment_history")] == ["loan_id - erased"]
    published = {p for p in bank.leftovers("L900001", bank.customer) if not p.startswith("landing/")}
    assert published == set()


def test_a_completed_delivery_can_be_run_again_after_an_erasure(bank: Any) -> None:
    """Its manifest is what it was, so the run's id is, too; its files are no more what the manifest says."""
    before = bank.s3.get_object(Bucket=BUCKETS["landing"], Key=bank.job.manifest.split("/", 3)[3])["Body"].read()
    bank.erase(bank.ask())
    after = bank.s3.get_object(Bucket=BUCKETS["landing"], Key=bank.job.manifest.split("/", 3)[3])["Body"].read()
    assert before == after
    report = bank.lake.run(bank.job)
    assert report["stopped"] in ({}, [])
    assert bank.leftovers() == []


def test_a_file_that_nobody_has_erased_from_must_be_what_its_manifest_says(bank: Any) -> None:
    bank.erase(bank.ask())
    folder = bank.job.manifest.split("/", 3)[3].rpartition("/")[0]
    bank.put("landing", f"{folder}/repayment_history.csv", "payment_id\nP1\n")
    report = bank.lake.run(bank.job)
    assert "repayment_history" in json.dumps(report["stopped"])


def header_and_row(path: Path) -> tuple[list[str], list[str]]:
    rows = list(csv.reader(path.open()))
    return rows[0], next(r for r in rows[1:] if len(r) == len(rows[0]))


def changes(folder: Path, as_of: str, **sources: list[dict[str, str]]) -> None:
    folder.mkdir()
    (folder / "delivery.json").write_text(json.dumps({"as_of": as_of, "dataset": "synthetic", "mode": "changes"}))
    for source, rows in sources.items():
        with (folder / f"{source}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def test_without_anybody_erased_nothing_is_read_and_nothing_written(tmp_path: Path) -> None:
    absent = tmp_path / "absent.parquet"
    assert suppression.drop(Suppressed(), contracts.load()["customer_profile"], raw=absent, malformed=absent) == 0


@pytest.fixture
def suppressed() -> Suppressed:
    of = {"customer_profile": {hashed("salt", "customer_profile", "C000001")}}
    return Suppressed({"salt": {**of, "loan_application": {hashed("salt", "loan_application", "L000001")}}})


@pytest.mark.parametrize("written", ["C000001", " c000001", "C000001\t"])
def test_a_key_is_recognised_as_systems_write_it(suppressed: Suppressed, written: str) -> None:
    assert suppressed.holds("customer_profile", written)
    assert not suppressed.holds("loan_application", written)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('x,"C000001;9', True),
        ("L000001-C9", True),
        ("C0000011", False),
        ("", False),
        (None, False),
        ("nobody", False),
    ],
)
def test_a_malformed_line_is_looked_through_word_by_word(suppressed: Suppressed, text: str | None, found: bool) -> None:
    assert suppressed.mentioned(text, ("customer_profile", "loan_application")) is found


def test_a_row_with_a_broken_reference_is_looked_through(suppressed: Suppressed, tmp_path: Path) -> None:
    """`loan_id` says nothing, but a column that no contract knows names the loan."""
    contract = contracts.load()["repayment_history"]
    columns = [*contract.column_names, "note", "_source_file", "_row_number"]
    rows: list[dict[str, Any]] = [
        {
            **dict.fromkeys(columns, ""),
            "payment_id": "P000000001",
            "loan_id": "?",
            "note": "was L000001",
            "_row_number": 2,
        },
        {**dict.fromkeys(columns, ""), "payment_id": "P000000002", "loan_id": "L000002", "_row_number": 3},
    ]
    raw, malformed = tmp_path / "raw.parquet", tmp_path / "malformed.parquet"
    pq.write_table(pa.Table.from_pylist(rows), raw)
    line = {"_source_file": "f", "_row_number": 4, "_reason": "record - 1 fields", "_payload": "P9,L000001"}
    pq.write_table(pa.Table.from_pylist([line], admission.MALFORMED), malformed)
    assert suppression.drop(suppressed, contract, raw=raw, malformed=malformed) == 2
    assert pq.read_table(raw)["payment_id"].to_pylist() == ["P000000002"]
    assert {(r["_reason"], r["_payload"]) for r in pq.read_table(malformed).to_pylist()} == {("record - erased", None)}


def test_the_contracts_say_who_is_a_person_and_what_hangs_on_them() -> None:
    cs = contracts.load()
    source = person_source(cs, "lending")
    assert source is not None
    assert source.name == "customer_profile"
    known = chain(cs, "lending")
    assert list(known)[0] == "customer_profile"
    assert set(known) == {"customer_profile", "loan_application", "repayment_history", "application_event"}
    assert parents(known) == {"customer_profile", "loan_application"}
    of = {link.column: link.source for link in links(cs["application_features"], cs, known)}
    assert of == {"loan_id": "loan_application", "customer_id": "customer_profile"}


def test_companies_are_no_persons() -> None:
    """The bankruptcy portfolio has no direct identifier: there is nobody to erase."""
    for portfolio in set(naming.PORTFOLIOS) - {"lending"}:
        assert person_source(contracts.load(), portfolio) is None


def test_the_list_shows_no_id(bank: Any) -> None:
    bank.erase(bank.ask())
    listed = [b.decode() for k, b in bank.lake.objects("artifacts").items() if k.startswith(naming.SUPPRESSED)]
    assert listed
    assert not any(mark in text for text in listed for mark in bank.marks)
    assert suppression.read(bank.s3, BUCKETS["artifacts"]).holds("customer_profile", bank.customer)
