"""Files that Db2 exported (EXPORT ... OF DEL) are delivered in our form: values in theirs, rows counted."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from landing import Lake, contract
from test_resume import Dying, Killed

from solvent.extraction.errors import NothingExported, UnreadableExport

PAYMENTS = contract(
    "repayment_history", "payment_id", "amount", "rate", "due_date", "updated_at", "note", key="payment_id"
)
LAYOUT = [
    "payment_id",
    "_",
    {"amount": "decimal"},
    {"rate": "decimal"},
    {"due_date": "date"},
    {"updated_at": "timestamp"},
    "note",
]
EXPORT = {"prefix": "nightly"}


def _put(lake: Lake, name: str, body: bytes) -> None:
    lake.client("s3").put_object(Bucket=lake.landing, Key=f"exports/nightly/{name}", Body=body)


def _declare(declare: Any, **more: Any) -> None:
    source = {"files": "PAY*.DEL", "layout": LAYOUT, **more.pop("source", {})}
    declare({"repayment_history": source}, PAYMENTS, export={**EXPORT, **more})


def test_the_forms_of_db2_become_ours(lake: Lake, declare: Any, tmp_path: Path) -> None:
    lines = [
        '"P1",7,+0000012345.50,+1.25000000000000E+001,20260228,"2026-02-28-23.59.58.123456","plain"',
        '"P2",7,-0000000000.07,-5.00000000000000E-003,20240229,"2024-02-29-00.00.00.000000","a ""quote"", and\nmore"',
        '"P3",,,,,,',
        '"P4",7,+00000.00,+0.00000000000000E+000,20260230,"no time",""',
    ]
    _put(lake, "PAY1.DEL", "\n".join(lines).encode() + b"\n")
    _put(lake, "CUSTOMER.DEL", b"not of this source")
    _declare(declare)
    report = lake.run(lake.job("test"), tmp_path)
    rows = {r["payment_id"]: list(r.values())[1:] for r in lake.rows(report["manifest"], "repayment_history")}
    assert report["mode"] == "snapshot"
    assert rows == {
        "P1": ["12345.50", "12.5000000000000", "2026-02-28", "2026-02-28 23:59:58.123456", "plain"],
        "P2": ["-0.07", "-0.00500000000000000", "2024-02-29", "2024-02-29 00:00:00", 'a "quote", and\nmore'],
        "P3": [None] * 5,
        # What is no date goes on as it is, and the ETL says so with the row.
        "P4": ["0.00", "0.00000000000000", "20260230", "no time", ""],
    }


def test_another_exporter_has_its_own_form(lake: Lake, declare: Any, tmp_path: Path) -> None:
    _put(lake, "PAY1.DEL", "id;x;a;r;d;u;n\nP1;0;1234,5;0,5;28.02.2026;28.02.2026 07:05;Jürgen\n".encode("latin-1"))
    form = {"delimiter": ";", "decimal": ",", "encoding": "latin-1", "header": True, "dates": "%d.%m.%Y"}
    _declare(declare, **form, timestamps="%d.%m.%Y %H:%M")
    report = lake.run(lake.job("test"), tmp_path)
    [row] = lake.rows(report["manifest"], "repayment_history")
    assert list(row.values()) == ["P1", "1234.5", "0.5", "2026-02-28", "2026-02-28 07:05:00", "Jürgen"]


def test_a_kill_at_any_write_loses_no_row_and_doubles_none(lake: Lake, declare: Any, tmp_path: Path) -> None:
    for file in range(3):  # chunks do not end where files do
        rows = [f'"P{file}{n}",,+1.0,,20260101,,"n"' for n in range(5)]
        _put(lake, f"PAY{file}.DEL", "\n".join(rows).encode())
    expected = Counter(f"P{file}{n}" for file in range(3) for n in range(5))
    for n in range(1, 40):
        _declare(declare, source={"chunk_rows": 4}, prefix="nightly", dates="%Y%m%d" + " " * n)
        try:
            report = lake.run(lake.job("test"), tmp_path, s3=Dying(lake.client("s3"), n, after=n % 2 == 0))
        except Killed:
            report = lake.run(lake.job("test"), tmp_path)
        else:
            break
        found = Counter(r["payment_id"] for r in lake.rows(report["manifest"], "repayment_history"))
        assert found == expected, n
    assert n > 8


def test_no_files_and_records_of_another_length_are_named(lake: Lake, declare: Any, tmp_path: Path) -> None:
    _declare(declare)
    with pytest.raises(NothingExported, match=r"PAY\*\.DEL lies in s3://.*/exports/nightly/"):
        lake.run(lake.job("test"), tmp_path)
    _put(lake, "PAY1.DEL", b'"P1",7,+1.0,,20260101,,"ok"\n"P2",7,secret\n')
    with pytest.raises(UnreadableExport, match=r"PAY1.DEL .*record 2 has not the 7 fields") as caught:
        lake.run(lake.job("test"), tmp_path)
    assert "secret" not in str(caught.value) and lake.manifests() == []


def test_an_export_that_changes_under_way_is_not_mixed(lake: Lake, declare: Any, tmp_path: Path) -> None:
    rows = "\n".join(f'"P{n}",7,+1.0,,20260101,,"n"' for n in range(9)).encode()
    _put(lake, "PAY1.DEL", rows)
    _declare(declare, source={"chunk_rows": 4})
    with pytest.raises(Killed):
        lake.run(lake.job("test"), tmp_path, s3=Dying(lake.client("s3"), 4, after=False))
    _put(lake, "PAY1.DEL", rows.replace(b"P8", b"X8"))
    with pytest.raises(UnreadableExport, match="have changed"):
        lake.run(lake.job("test"), tmp_path)
    report = lake.run(lake.job("test", full=True), tmp_path)
    assert Counter(r["payment_id"] for r in lake.rows(report["manifest"], "repayment_history"))["X8"] == 1
