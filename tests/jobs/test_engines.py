"""DuckDB and Spark, from one SQL code base, write the same tables: values, types, reasons."""

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lakehouse import Lakehouse

from solvent import etl
from solvent.datasets import synthetic

# What engines read differently if one lets them.
HOSTILE: dict[str, list[str]] = {
    "annual_income": [
        *(
            "1_000",
            "1d",
            "nan",
            "inf",
            "1e5",
            "0x10",
            "(12.50)",
            "(-5)",
            "-$5",
            "$-5",
            "1,23",
            "12,345.678",
            "1,234,567",
        ),
        *("2.675", "0.125", "1.005", ".5", "5.", "  7 ", "\u00a07", "\uff15", "$ 9", "€9.10", "£1", "+4", "--4", "4-"),
        *("123456789012345", "99999999999.99", "1234567890123456"),
    ],
    "credit_score": [
        *("600.0", "600.", "600.5", "6e2", "0600", "-600", "3000000000", "\u0666\u0660\u0660", "299", "851", " 700 "),
    ],
    "signup_date": [
        *("2024-02-29", "2023-02-29", "2015-2-3", "2019", "29.02.2024", "1.2.2024", "31.04.2024", "12/31/2024"),
        *("31/12/2024", "2024-01-01\n", "1949-12-31", "0001-01-01", "9999-12-31", "2024-01-01 00:00:00", "01-02-2024"),
    ],
    "updated_at": [
        *("2024-01-01T10:00:00Z", "2024-01-01 24:00:00", "2024-01-01 23:59:60", "2024-01-01 10:00", "2024-01-01"),
        *(
            "2024-01-01 10:00:00.123456",
            "2024-01-01 10:00:00.1234567",
            "2024-01-01 10:00:00+02:00",
            "2024-03-31 02:30:00",
        ),
    ],
    "full_name": [
        'Ann "Q" Lee',
        "back\\slash",
        "tab\there",
        "line\nfeed",
        "nul\x00l",
        "Zoë 你好",
        "N/A",
        "x" * 101,
        "a,b",
    ],
    "housing": ["OWN", " own ", "own\n", "own\u00a0", "none"],
    "email": ["a@b", "a b@c", "@", "ä@ö.example", "a@b\n", "-"],
}


def change(path: Path, column: str, value: str, *, every: int) -> None:
    """Write `value` into a column of each record of that many that has one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    at = header.index(column)
    for row in rows[::every]:
        if len(row) == len(header) and row[at]:
            row[at] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A messy portfolio, and one customer more for each hostile value."""
    synthetic.generate(tmp_path / "files", customers=60, loans=60, seed=11, mess=3.0)
    path = tmp_path / "files" / "customer_profile.csv"
    # What the features must tell apart: late profiles, underpaid instalments, a window from a leap day.
    change(path, "updated_at", "2025-12-31 10:00:00", every=3)
    change(tmp_path / "files" / "repayment_history.csv", "amount_paid", "1.00", every=40)
    change(tmp_path / "files" / "loan_application.csv", "application_date", "2024-02-29", every=9)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    template = next(r for r in rows if len(r) == len(header) and r[0].startswith("C"))
    number = 500_000
    for column, values in HOSTILE.items():
        for value in values:
            number += 1
            row = dict(zip(header, template, strict=True)) | {"customer_id": f"C{number}", column: value}
            rows.append(list(row.values()))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return tmp_path / "files"


def tables(lakehouse: Lakehouse, job: etl.Job, report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in report["tables"]:
        zone, table = name.split(".")
        if table == "open_loans":
            found[name] = sorted(lakehouse.json_lines(job, zone, table), key=lambda row: row["loan_id"])
        else:
            found[name] = sorted_by_key(lakehouse.table(job, zone, table))
    return found


def sorted_by_key(table: pa.Table) -> pa.Table:
    order = [
        c for c in ("source", "_source_file", "source_file", "_row_number", "row_number") if c in table.column_names
    ]
    keys = [c for c in table.column_names if c in ("loan_id", "observation_date")]
    return table.sort_by([(c, "ascending") for c in order or keys[:2] or table.column_names[:1]])


@pytest.mark.spark
def test_both_engines_write_the_same_tables(lakehouse: Lakehouse, folder: Path, spark: Any) -> None:
    from solvent.etl.spark_engine import SparkEngine

    job = lakehouse.deliver(folder)
    on_duckdb = tables(lakehouse, job, lakehouse.run(job))
    for zone in ("raw", "cleaned", "training", "quarantine"):
        for key in lakehouse.objects(zone):
            lakehouse.s3.delete_object(Bucket=job.buckets[zone], Key=key)
    on_spark = tables(lakehouse, job, lakehouse.run(job, SparkEngine(session=spark, remote=False)))
    features = on_duckdb["training.application_features"].to_pylist()
    assert {row["defaulted"] for row in features} == {0, 1, None}
    assert {row["job"] is None for row in features} == {True, False}
    assert on_duckdb.keys() == on_spark.keys()
    for name, expected in on_duckdb.items():
        got = on_spark[name]
        if isinstance(expected, pa.Table):
            assert got.schema.names == expected.schema.names, name
            assert got.schema.types == expected.schema.types, name
            assert got.to_pylist() == expected.to_pylist(), name
        else:
            assert got == expected, name


def test_hostile_values_are_judged_as_the_contract_says(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    kept = {r["customer_id"]: r for r in lakehouse.table(job, "cleaned", "customers").to_pylist()}
    number, verdicts = 500_000, {}
    for column, values in HOSTILE.items():
        for value in values:
            number += 1
            verdicts[column, value] = str(kept[f"C{number}"][column]) if f"C{number}" in kept else "rejected"
    assert verdicts["annual_income", "12,345.678"] == "12345.68"
    assert verdicts["annual_income", "(-5)"] == verdicts["annual_income", "1,23"] == "rejected"
    assert verdicts["annual_income", "nan"] == verdicts["annual_income", "1d"] == "rejected"
    assert verdicts["annual_income", "£1"] == "1.00"
    assert verdicts["credit_score", "600.0"] == "600"
    assert verdicts["credit_score", "600.5"] == "rejected"
    assert verdicts["signup_date", "29.02.2024"] == verdicts["signup_date", "2024-02-29"] == "2024-02-29"
    assert verdicts["signup_date", "2023-02-29"] == verdicts["signup_date", "2019"] == "rejected"
    assert verdicts["signup_date", "12/31/2024"] == "2024-12-31"
    assert verdicts["signup_date", "1949-12-31"] == "rejected"
    assert verdicts["updated_at", "2024-01-01 24:00:00"] == "rejected"
    assert verdicts["full_name", "line\nfeed"] == verdicts["full_name", "nul\x00l"] == "rejected"
    assert verdicts["full_name", "N/A"] == "None"
    assert verdicts["housing", " own "] == "own"
    assert verdicts["housing", "OWN"] == "rejected"
