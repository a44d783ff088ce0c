"""The bankruptcy portfolio on DuckDB and on Spark (ANSI off and on): the same tables, also of hostile values."""

import itertools
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lakehouse import Lakehouse

from solvent import etl
from solvent.datasets import bankruptcy

# What engines read differently if one lets them: (column's header, texts) per file, one row each.
HOSTILE: dict[str, dict[str, list[str]]] = {
    "company_financials.csv": {
        "company_id": ["7", "7.0", "KRS 7", "KRS-7", "krs7", "123456789", "-7", "７", "1e3", "0000000", "7.5"],
        "company_name": [
            "",
            "Ltd",
            "Å&B+C, Inc.",
            "ﬁne ﬂour",
            "İstanbul ıI",
            "Straße SE",
            "e\u0301tude S.A.",
            "ŉ",
            "你好 AG",
        ],
        "fiscal_year": [
            "2019/20",
            "1999/00",
            "1999/2000",
            "2019/21",
            "FY 2019",
            "fy2019",
            "19",
            "2019-20",
            "ſ2019",
            "2019.5",
        ],
        "fiscal_year_end": ["Feb 29, 2020", "29 February 2019", "31-DEC-2020", "1 Sept. 2020", "20201301", "20200630"],
        "published_date": ["March 5 2021", "5. March 2021", "05-Mär-2021", "ſep 5 2021", "2021-13-01", "13/12/2021"],
        "total_assets": ["(1)", "$(1)", "1.0000000000000000005", "1e9", "0", "-0", "999999999999999.99", "#DIV/0!"],
        "sales": ["0", "-5", "(5.5)", "0.001", "#N/A"],
    },
    "accounting_ratios.txt": {
        "company_no": ["", "#", "99999999", "123456789"],
        "current_ratio": ["1e5", "NaN", "inf", "0.000000123456789012", "123456789.123456789012345678", "-.5", "-0.0"],
        "fy": ["2019/20", "FY2019/2020", "2019/2021", "2019."],
    },
    "bankruptcy_filings.txt": {
        "chapter": ["CH-7", "c h 7", "vii", "Chapter 7.", "Chapter 77", "\u212aapitel 7", "７"],
        "filing_date": [
            "20230229",
            "Feb 29, 2024",
            "31-Apr-2023",
            "12/31/2023",
            "31/12/2023",
            "1.1.2023",
            "May 1, 2023",
        ],
        "company_name": ["Nobody", ""],
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bankruptcy.generate(tmp_path / "files", size=45, seed=5, mess=2.0)
    for name, columns in HOSTILE.items():
        path = tmp_path / "files" / name
        delimiter = "\t" if name == "accounting_ratios.txt" else ";"
        head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
        header = head.split(delimiter)
        templates = itertools.cycle([f for line in lines if len(f := line.split(delimiter)) == len(header)])
        for column, values in columns.items():
            for value in values:
                fields = next(templates).copy()
                fields[header.index(column)] = value
                lines.append(delimiter.join(fields))
        path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return tmp_path / "files"


def tables(lakehouse: Lakehouse, job: etl.Job, report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name in report["tables"]:
        zone, table = name.split(".")
        if table == "companies_to_score":
            rows = lakehouse.json_lines(job, zone, table)
        else:
            stored = lakehouse.table(job, zone, table)
            found[f"{name} schema"] = [{f.name: str(f.type).replace("large_", "") for f in stored.schema}]
            rows = stored.to_pylist()
        found[name] = sorted(rows, key=lambda row: [str(v) for v in row.values()][:8])
    return found


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


@pytest.mark.spark
def test_both_engines_write_the_same_tables(lakehouse: Lakehouse, folder: Path, spark: Any) -> None:
    from solvent.etl.spark_engine import SparkEngine

    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    assert report["stopped"] == {}
    expected = tables(lakehouse, job, report)
    assert {r["bankrupt"] for r in expected["training.company_year_features"]} == {0, 1, None}
    for ansi in ("false", "true"):
        for zone in ("raw", "cleaned", "training", "quarantine"):
            for key in lakehouse.objects(zone):
                lakehouse.s3.delete_object(Bucket=job.buckets[zone], Key=key)
        engine = SparkEngine(session=spark, remote=False)
        spark.conf.set("spark.sql.ansi.enabled", ansi)
        try:
            got = tables(lakehouse, job, lakehouse.run(job, engine))
        finally:
            spark.conf.set("spark.sql.ansi.enabled", "false")
        assert got.keys() == expected.keys()
        for name, rows in expected.items():
            assert len(got[name]) == len(rows), name
            for mine, theirs in zip(got[name], rows, strict=True):
                differing = {k: (mine.get(k), v) for k, v in theirs.items() if not equal(mine.get(k), v)}
                assert mine.keys() == theirs.keys() and not differing, (name, ansi, differing)


def test_hostile_values_are_judged_as_the_contracts_say(lakehouse: Lakehouse, folder: Path) -> None:
    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    reasons = {
        (source, row["payload"], row["reason"])
        for source in ("company_financials", "accounting_ratios", "bankruptcy_filings")
        for row in lakehouse.table(job, "quarantine", source).to_pylist()
    }

    def said(source: str, column: str, value: str) -> str:
        return "; ".join(r for s, payload, r in reasons if s == source and f'"{column}":"{value}"' in payload)

    judged = [
        ("company_financials", "fiscal_year", "2019/21", "fiscal_year - not a fiscal year"),
        ("company_financials", "fiscal_year", "2019-20", "fiscal_year - not a fiscal year"),
        ("company_financials", "company_id", "123456789", "company_id - wrong form"),
        ("company_financials", "total_assets", "#DIV/0!", "total_assets - missing"),
        ("accounting_ratios", "current_ratio", "NaN", "current_ratio - not a number"),
        ("bankruptcy_filings", "filing_date", "20230229", "filing_date - not a date"),
        ("bankruptcy_filings", "chapter", "Chapter 77", "chapter - not an allowed value"),
    ]
    for source, column, value, reason in judged:
        assert reason in said(source, column, value), (source, column, value)
    for source, column, value in (
        ("company_financials", "fiscal_year_end", "Feb 29, 2020"),
        ("bankruptcy_filings", "filing_date", "May 1, 2023"),
        ("bankruptcy_filings", "chapter", "c h 7"),
        ("accounting_ratios", "current_ratio", "0.000000123456789012"),
    ):
        assert f"{column} - not" not in said(source, column, value), (source, column, value)


def test_the_shipped_tables_have_the_types_of_their_contracts(lakehouse: Lakehouse, folder: Path) -> None:
    from solvent import contracts
    from solvent.contracts import glue

    job = lakehouse.deliver(folder)
    lakehouse.run(job)
    for contract in contracts.load().steps("bankruptcy"):
        stored = lakehouse.table(job, contract.zone, contract.name)
        assert tuple(stored.column_names) == contract.column_names
        for column in contract.columns:
            kind = stored.schema.field(column.name).type
            expected = {"string": pa.string(), "int": pa.int32(), "double": pa.float64(), "date": pa.date32()}
            assert kind == expected.get(glue.type_of(column), pa.bool_()), (contract.name, column.name)
            if column.required:
                assert stored[column.name].null_count == 0, (contract.name, column.name)
