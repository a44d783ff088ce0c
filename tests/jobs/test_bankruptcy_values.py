"""Hostile values of the bankruptcy portfolio's files: judged as the contracts say, tables as their contracts type them.

That DuckDB and Spark judge alike: test_steps.py, on the same files.
"""

from pathlib import Path

import messy
import pyarrow as pa
import pytest
from lakehouse import Lakehouse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    messy.bankruptcy(tmp_path / "files")
    return tmp_path / "files"


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
