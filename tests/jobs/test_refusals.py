"""What cannot be taken is refused with the file, the cause and the fix: a source by itself, or the whole delivery."""

import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lakehouse import BUCKETS, Lakehouse

from solvent import etl
from solvent.datasets import synthetic
from solvent.etl import EtlError


def drop_column(path: Path) -> None:
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join(fields[:3] + fields[4:]) + "\n" for fields in lines))


def cut(path: Path) -> None:
    path.write_text("")


def only_header(path: Path) -> None:
    path.write_text(path.read_text().splitlines()[0] + "\n")


def latin1(path: Path) -> None:
    path.write_bytes(path.read_bytes() + "L000001,Müller\n".encode("latin-1"))


def cut_in_a_character(path: Path) -> None:
    path.write_bytes(path.read_bytes() + "€".encode()[:2])


def twice(path: Path) -> None:
    path.write_text(path.read_text().replace("amount,", "loan_id,", 1))


def no_header(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def semicolons(path: Path) -> None:
    path.write_text(path.read_text().replace(",", ";"))


CASES = {
    "missing column": (drop_column, "lacks the column(s) amount"),
    "empty file": (cut, "is empty"),
    "no rows": (only_header, "has no record below its header"),
    "not UTF-8": (latin1, "is not UTF-8: line 42 has the byte 0xfc"),
    "cut in a character": (cut_in_a_character, "is not UTF-8"),
    "a column twice": (twice, "has the column(s) loan_id twice"),
    "no header": (no_header, "has no header: of the 22 columns of contract loan_application its first line names 0"),
    "semicolons": (semicolons, "has no header: of the 22 columns of contract loan_application its first line names 0"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    synthetic.generate(tmp_path / "files", customers=40, loans=40, seed=3, mess=0)
    return tmp_path / "files"


def refused(lakehouse: Lakehouse, job: etl.Job, message: str) -> None:
    with pytest.raises(EtlError) as failure:
        lakehouse.run(job)
    assert message in str(failure.value)
    assert "Nothing was published." in str(failure.value)
    assert lakehouse.published() == {}


def stopped(lakehouse: Lakehouse, job: etl.Job, source: str, message: str) -> None:
    """The source is stopped and nothing of it published; the customers go on."""
    report = lakehouse.run(job)
    assert list(report["stopped"]["sources"]) == [source]
    assert message in report["stopped"]["text"]
    assert not any(f"/{source}" in key for key in lakehouse.published())
    assert lakehouse.table(job, "cleaned", "customers").num_rows == 40


@pytest.mark.parametrize(("spoil", "message"), CASES.values(), ids=CASES)
def test_an_unreadable_file_stops_its_source(
    lakehouse: Lakehouse, folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder / "loan_application.csv")
    stopped(lakehouse, lakehouse.deliver(folder), "loan_application", f"loan_application.csv {message}")


def repeated_name(path: Path) -> None:
    path.write_text(path.read_text().replace("\n", ",Ann Lee,Ann Lee\n"))


def column_lost(path: Path) -> None:
    drop_column(path)
    path.write_text(path.read_text().replace("\n", ",Ann Lee\n"))


@pytest.mark.parametrize("spoil", [no_header, semicolons, repeated_name, column_lost])
def test_a_refusal_repeats_nothing_that_a_file_holds(
    lakehouse: Lakehouse, folder: Path, spoil: Callable[[Path], None]
) -> None:
    """The text and all that Python prints with it go to Glue's log, the state machine's history and the reports."""
    path = folder / "customer_profile.csv"
    values = {v for line in path.read_text().splitlines()[1:] for v in line.split(",")}
    values = {v for v in values if len(v) > 5} | {"Ann Lee"}
    spoil(path)
    with pytest.raises(EtlError) as failure:
        lakehouse.run(lakehouse.deliver(folder))
    printed = "".join(traceback.format_exception_only(failure.value))
    cause = failure.value.__cause__
    printed += "".join(traceback.format_exception_only(cause)) if cause else ""
    assert "customer_profile.csv" in printed
    assert [v for v in values if v in printed] == []


def test_a_file_that_never_arrived_stops_its_source(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder, without=("repayment_history.csv",))
    stopped(lakehouse, job, "repayment_history", "repayment_history.csv does not exist")


def test_a_source_that_the_manifest_does_not_list_is_stopped(lakehouse: Lakehouse, folder: Path) -> None:
    (folder / "repayment_history.csv").unlink()
    stopped(lakehouse, lakehouse.deliver(folder), "repayment_history", "repayment_history was not delivered")


def test_a_file_of_no_contract_stops_the_run(lakehouse: Lakehouse, folder: Path) -> None:
    (folder / "pets.csv").write_text("name\nRex\n")
    refused(lakehouse, lakehouse.deliver(folder), "has pets.csv, of no contract")


def test_a_file_changed_after_the_manifest_stops_the_run(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    key = job.manifest.split("/", 3)[3].replace("manifest.json", "customer_profile.csv")
    lakehouse.s3.put_object(Bucket=BUCKETS["landing"], Key=key, Body=b"customer_id\nC000001\n")
    refused(lakehouse, job, "customer_profile.csv is not the file of the manifest")


def test_a_record_that_never_ends_stops_the_run(lakehouse: Lakehouse, folder: Path) -> None:
    path = folder / "customer_profile.csv"
    lines = path.read_text().splitlines()
    lines[5] = lines[5].replace(",", ',"', 1)
    path.write_text("\n".join(lines) + "\n")
    refused(
        lakehouse,
        lakehouse.deliver(folder),
        "customer_profile.csv ends within quotation marks: one that opens in record 6 never closes",
    )


def test_rows_that_do_not_add_up_fail_the_run(
    lakehouse: Lakehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = etl.statements.load

    def lossy(portfolio: str, dialect: str) -> tuple[etl.statements.Statement, ...]:
        return tuple(replace(s, sql=f"{s.sql} LIMIT 39") if s.table == "loans" else s for s in real(portfolio, dialect))

    monkeypatch.setattr(etl.statements, "load", lossy)
    with pytest.raises(EtlError, match="Rows of loan_application are not accounted for"):
        lakehouse.run(lakehouse.deliver(folder))


def test_a_new_column_is_reported_and_kept_raw(lakehouse: Lakehouse, folder: Path) -> None:
    path = folder / "customer_profile.csv"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},shoe_size", *(f"{line},43" for line in rest)]) + "\n")
    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    assert report["unknown_columns"] == {"customer_profile": ["shoe_size"]}
    assert set(lakehouse.table(job, "raw", "customer_profile")["shoe_size"].to_pylist()) == {"43"}
    assert "shoe_size" not in lakehouse.table(job, "cleaned", "customers").column_names


def test_an_unknown_column_is_named_only_if_its_name_looks_like_one(lakehouse: Lakehouse, folder: Path) -> None:
    path = folder / "customer_profile.csv"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},ann.lee@example.com,shoe_size", *(f"{line},x,43" for line in rest)]) + "\n")
    report = lakehouse.run(lakehouse.deliver(folder))
    assert report["unknown_columns"] == {"customer_profile": ["?", "shoe_size"]}
