"""Replay: rows in quarantine go in again after a fix; whatever happens, no row is lost and none is there twice."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from lakehouse import BUCKETS, Lakehouse

from solvent import contracts, delivery, etl, naming, quarantine
from solvent.datasets import synthetic
from solvent.quarantine import Quarantine, QuarantineError, Row

SOURCES = {c.name: c for c in contracts.load().sources("lending")}
LATEST = "2026-06-30"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clean delivery into which faults are planted: an income that is none, a line too short, a date that is none."""
    folder = tmp_path / "files"
    synthetic.generate(folder, customers=60, loans=60, seed=3, mess=0.0)
    edit(folder / "customer_profile.csv", 5, {"annual_income": "a lot", "full_name": 'Ann; "Q", Lee'})
    edit(folder / "loan_application.csv", 40, {"application_date": "soon"})
    path = folder / "repayment_history.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    lines[7] = lines[7].rpartition(",")[0]  # a field is gone
    path.write_text("\n".join(lines) + "\n")
    return folder


def edit(path: Path, number: int, changes: dict[str, str]) -> None:
    """Change fields of record `number`; the header is 1."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    for name, value in changes.items():
        rows[number - 2][header.index(name)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def read(lakehouse: Lakehouse, job: etl.Job, reason: str | None = None) -> list[Row]:
    return Quarantine(lakehouse.s3, BUCKETS).rows("lending", SOURCES.values(), job.run_id, reason)


def replay(
    lakehouse: Lakehouse, job: etl.Job, scratch: Path, fixes: str | None = None, reason: str | None = None
) -> etl.Job:
    """What `solvent quarantine replay` delivers, as the job that then builds on the run."""
    completed(lakehouse, job)
    scratch.mkdir()
    given = quarantine.corrections(fixes) if fixes else {}
    there = Quarantine(lakehouse.s3, BUCKETS)
    uri, _ = there.replay("lending", SOURCES, job.run_id, scratch, reason=reason, fixes=given)
    body = lakehouse.s3.get_object(**place(uri))["Body"].read()
    return etl.Job("lending", delivery.run_id(body, "test"), uri, BUCKETS, base=job.run_id)


def completed(lakehouse: Lakehouse, job: etl.Job) -> None:
    """The report that `ingest` leaves."""
    body = {"status": "completed", "run": {"manifest": job.manifest, "as_of": LATEST}}
    key = naming.report_key("lending", job.run_id, "ingest")
    lakehouse.s3.put_object(Bucket=BUCKETS["artifacts"], Key=key, Body=json.dumps(body).encode())


def place(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def keys(lakehouse: Lakehouse, job: etl.Job) -> dict[str, list[Any]]:
    """The keys of every cleaned table, sorted: what is there twice shows."""
    found = {}
    for contract in SOURCES.values():
        cleaned = contracts.load().cleaned(contract.name)
        found[contract.name] = sorted(lakehouse.table(job, "cleaned", cleaned.name)[contract.key[0]].to_pylist())
    return found


def delivered_keys(folder: Path) -> dict[str, list[str]]:
    found = {}
    for name, contract in SOURCES.items():
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            found[name] = sorted(row[contract.key[0]] for row in csv.DictReader(file))
    return found


def fix_of(rows: list[Row], *, all_of_it: bool = True) -> str:
    """Corrections for the three planted faults; what hangs on them passes by itself."""
    [income] = [r for r in rows if "annual_income" in r.reason]
    [date] = [r for r in rows if "application_date" in r.reason]
    [short] = [r for r in rows if r.kind == "malformed"]
    names = [
        "source_file",
        "row_number",
        "annual_income",
        "application_date",
        *SOURCES["repayment_history"].column_names,
    ]
    lines: list[dict[str, Any]] = [
        {"source_file": income.source_file, "row_number": income.row_number, "annual_income": "41000"},
        {"source_file": date.source_file, "row_number": date.row_number, "application_date": "2024-03-01"},
    ]
    if all_of_it:
        whole = dict(
            zip(SOURCES["repayment_history"].column_names, [*next(csv.reader([short.payload])), ""], strict=True)
        )
        whole |= {"updated_at": "2026-06-30 10:00:00"}
        lines.append({"source_file": short.source_file, "row_number": short.row_number, **whole})
    text = [",".join(names)]
    text += [",".join(str(line.get(n, "")) for n in names) for line in lines]
    return "\n".join(text) + "\n"


def test_fixed_rows_become_good_and_nothing_is_lost_or_doubled(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    first = lakehouse.run(job)
    rows = read(lakehouse, job)
    assert first["rows"]["quarantined"] == len(rows) > 3  # loans and payments wait with their customer
    again = replay(lakehouse, job, folder.parent / "replay", fix_of(rows))
    report = lakehouse.run(again)
    assert report["rows"]["in"] == len(rows) == report["rows"]["good"]
    assert report["rows"]["quarantined"] == report["rows"]["duplicates"] == 0
    assert keys(lakehouse, again) == delivered_keys(folder)
    customers = {r["full_name"]: r for r in lakehouse.table(again, "cleaned", "customers").to_pylist()}
    assert str(customers['Ann; "Q", Lee']["annual_income"]) == "41000.00"


def test_what_is_not_fixed_returns_under_the_new_run(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    rows = read(lakehouse, job)
    again = replay(lakehouse, job, folder.parent / "replay", fix_of(rows, all_of_it=False))
    report = lakehouse.run(again)
    [back] = read(lakehouse, again)
    [short] = [r for r in rows if r.kind == "malformed"]
    # The line is the text that it was, and still no record.
    assert (back.kind, back.payload, back.run_id) == ("malformed", short.payload, again.run_id)
    assert report["rows"]["in"] == len(rows) == report["rows"]["good"] + 1
    there, wanted = keys(lakehouse, again), delivered_keys(folder)
    lost = short.payload.split(",")[0]
    wanted["repayment_history"].remove(lost)
    assert there == wanted


def test_without_a_fix_everything_returns_and_the_tables_stay(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    before = keys(lakehouse, job)
    again = replay(lakehouse, job, folder.parent / "replay")
    report = lakehouse.run(again)
    assert report["rows"]["quarantined"] == report["rows"]["in"] == len(read(lakehouse, job))
    assert keys(lakehouse, again) == before
    assert {(r.source, r.payload) for r in read(lakehouse, again)} == {
        (r.source, r.payload) for r in read(lakehouse, job)
    }


def test_the_same_replay_is_the_same_delivery_and_run(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    fixes = fix_of(read(lakehouse, job))
    first = replay(lakehouse, job, folder.parent / "one", fixes)
    objects = lakehouse.objects("landing")
    second = replay(lakehouse, job, folder.parent / "two", fixes)
    assert second == first  # the run id is the delivery's: the second execution finds a completed run
    assert lakehouse.objects("landing") == objects
    # Even if it ran (with other code, say), it would bring the same rows once more.
    lakehouse.run(first)
    before = keys(lakehouse, first)
    repeated = etl.Job(first.portfolio, "f" * 16, first.manifest, BUCKETS, base=first.run_id)
    lakehouse.run(repeated)
    assert keys(lakehouse, repeated) == before


def test_the_manifest_says_what_is_replayed_and_what_was_generated(lakehouse: Lakehouse, folder: Path) -> None:
    settings = json.loads((folder / "delivery.json").read_text())
    settings["provenance"] = {"customer_profile": {"annual_income": "generated"}}
    (folder / "delivery.json").write_text(json.dumps(settings))
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    again = replay(lakehouse, job, folder.parent / "replay", reason="annual_income")
    manifest = delivery.parse(lakehouse.s3.get_object(**place(again.manifest))["Body"].read())
    assert (manifest.mode, manifest.replay_of, manifest.as_of) == ("changes", job.run_id, LATEST)
    assert manifest.dataset == settings["dataset"]
    # Or features computed from generated columns would be back in the model.
    assert manifest.is_generated("customer_profile", "annual_income")
    assert [f.name for f in manifest.files] == ["customer_profile-1.csv"]


def test_a_run_without_such_rows_says_so(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    with pytest.raises(QuarantineError, match="no rows in quarantine with 'nonsense' in their reason"):
        read(lakehouse, job, "nonsense")
    with pytest.raises(QuarantineError, match=r"Run 0123456789abcdef of lending has no rows in quarantine in s3://"):
        read(lakehouse, etl.Job("lending", "0123456789abcdef", "", BUCKETS))


def test_a_replay_is_as_of_the_latest_completed_delivery(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    completed(lakehouse, job)
    for run, status, as_of in (("a" * 16, "completed", "2026-07-31"), ("b" * 16, "failed", "2026-08-31")):
        body = {"status": status, "run": {"manifest": "", "as_of": as_of}}
        key = naming.report_key("lending", run, "ingest")
        lakehouse.s3.put_object(Bucket=BUCKETS["artifacts"], Key=key, Body=json.dumps(body).encode())
    (folder.parent / "replay").mkdir()
    uri, _ = Quarantine(lakehouse.s3, BUCKETS).replay("lending", SOURCES, job.run_id, folder.parent / "replay")
    assert "/2026-07-31-" in uri


def test_a_run_whose_delivery_is_gone_cannot_be_replayed(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    completed(lakehouse, job)
    lakehouse.s3.delete_object(**place(job.manifest))
    with pytest.raises(QuarantineError, match="manifest.json is not there .*any more.*Nothing was delivered"):
        Quarantine(lakehouse.s3, BUCKETS).replay("lending", SOURCES, job.run_id, folder.parent)
