"""Which company a row means (docs/key-matching.md), and the ways of writing days, years, numbers and chapters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bankruptcy_cases as cases
import duckdb
import pytest
from bankruptcy_cases import filing, ratios, statement
from lakehouse import Lakehouse

from solvent import contracts
from solvent.etl import forms, matching

SAME_NAME = {
    "ACME STEEL": [
        "Acme Steel",
        "ACME STEEL, INC.",
        "  acme   steel Ltd.",
        "Acme-Steel GmbH",
        "Acmé Steel S.A.",
    ],
    "MULLER SOHNE": ["Müller & Söhne GmbH & Co. KG", "MULLER AND SOHNE", "Mu\u0308ller + So\u0308hne AG"],
    "LODZ TEXTILE": ["Łódź Textile Sp. z o.o.", "Lodz Textile SP ZOO"],
    "ONEIL": ["O'Neil Inc", "ONeil", "O\u2019Neil PLC"],
    "STRASSE": ["Straße SE", "STRASSE"],
    "CO": ["Co", "CO Ltd"],  # a name of nothing but a legal form stays
}


def evaluate(expression: Callable[[str], str], text: str | None) -> Any:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE given (x VARCHAR)")
    connection.execute("INSERT INTO given VALUES (?)", [text])
    return connection.execute(f"SELECT {expression('x')} FROM given").fetchall()[0][0]


@pytest.mark.parametrize(("normal", "spellings"), SAME_NAME.items(), ids=SAME_NAME)
def test_spellings_of_one_name_are_equal(normal: str, spellings: list[str]) -> None:
    found = {spelling: evaluate(matching.normalised, spelling) for spelling in spellings}
    assert len(set(found.values())) == 1, found
    assert found[spellings[0]].replace(" AND", "") == normal


@pytest.mark.parametrize("text", [None, "", "  ", "...", "-"])
def test_nothing_is_no_name(text: str | None) -> None:
    assert evaluate(matching.normalised, text) is None


DAYS = {
    "2023-03-15": "2023-03-15", "03/15/2023": "2023-03-15", "15.03.2023": "2023-03-15", "15-Mar-2023": "2023-03-15",
    "20230315": "2023-03-15", "March 15, 2023": "2023-03-15", "15 march 2023": "2023-03-15",
    "Sept. 1, 2023": "2023-09-01",
    "Feb 29, 2024": "2024-02-29", "29-FEB-2023": "None", "15/03/2023": "None", "20231301": "None", "March 2023": "None",
    "2023": "None", "15-Mär-2023": "None", "32 May 2023": "None", "March 15 2023 x": "None",
}  # fmt: skip
YEARS = {
    "2023": 2023, "2023.0": 2023, "FY2023": 2023, "fy 2023": 2023, "2023/24": 2024, "FY2023/2024": 2024,
    "1999/00": 2000,
    "1999/2000": 2000, "2023/25": None, "2023/2124": None, "2023-24": None, "23": None, "FY": None, "2023.5": None,
}  # fmt: skip
NUMBERS = {
    "00001234": "00001234", "1234": "00001234", "1234.0": "00001234", "KRS 1234": "00001234", "KRS-1234": "00001234",
    "123456789": None, "12 34": None, "#12": None, "-12": None, "12.5": None,
}  # fmt: skip
CHAPTERS = {
    "Chapter 7": "chapter_7", "ch. 11": "chapter_11", "XI": "chapter_11", "chapter_15": "chapter_15", "7": "chapter_7",
    "77": None, "Chapter": None, "VIII": None,
}  # fmt: skip


def test_days() -> None:
    assert {text: str(evaluate(forms.day, text)) for text in DAYS} == DAYS


def test_fiscal_years() -> None:
    assert {text: evaluate(forms.fiscal_year, text) for text in YEARS} == YEARS


def test_register_numbers() -> None:
    column = contracts.load()["company_financials"].column("company_id")
    assert {t: evaluate(lambda x: forms.identifier(x, column), t) for t in NUMBERS} == NUMBERS


def test_chapters() -> None:
    column = contracts.load()["bankruptcy_filings"].column("chapter")
    assert {t: evaluate(lambda x: forms.spelling(x, column), t) for t in CHAPTERS} == CHAPTERS


def test_number_first_then_name_else_quarantine(lakehouse: Lakehouse, tmp_path: Path) -> None:
    folder = cases.deliver(
        tmp_path / "files",
        statements=[
            statement(1, 2023, company_name="Acme Steel Inc."),
            statement(2, 2023, company_name="Nordic Foods Ltd"),
            statement(3, 2023, company_name="Nordic Foods GmbH"),
            statement(4, 2023, company_name="Old Name AG"),
            statement(4, 2024, company_name="New Name AG"),
            statement(5, 2023, company_name="Rejected Corp", currency="Dollar"),
        ],
        ratios=[
            ratios("1", 2020, company_name="Nordic Foods Ltd", current_ratio="1"),  # the number counts, not the name
            ratios("", 2021, company_name="ACME-STEEL", current_ratio="1"),
            ratios("n. a.", 2022, company_name="Acmé Steel, Incorporated", current_ratio="1"),
            ratios("", "2022/23", company_name="Acme Steel", current_ratio="1"),
            ratios("", 2021, company_name="Old Name", current_ratio="1"),
            ratios("", 2022, company_name="New Name", current_ratio="1"),
            ratios("KRS 77", 2021, company_name="Nobody Else", current_ratio="1"),
            ratios("", 2021, company_name="Nordic Foods", current_ratio="1"),
            ratios("", 2021, company_name="Rejected Corp.", current_ratio="1"),
            ratios("123456789", 2021, company_name="", current_ratio="1"),
        ],
        filings=[
            filing(1, "", "2024-05-05", company_name="NOBODY ELSE S.A."),
            filing(2, "00000077", "2024-05-05"),
            filing(3, "78", "2024-05-05", company_name="Acme Steel"),  # a number that nobody has
            filing(4, "", "2024-05-05", company_name="Nordic Foods"),
            filing(5, "2", "2024-05-05", company_name="Nordic Foods"),
        ],
    )
    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    found = lakehouse.table(job, "cleaned", "analyst_ratios").to_pylist()
    assert {(r["company_id"], r["fiscal_year"]) for r in found} == {
        ("00000001", 2020), ("00000001", 2021), ("00000001", 2022), ("00000001", 2023),
        ("00000004", 2021), ("00000004", 2022), ("00000077", 2021),
    }  # fmt: skip
    cases_found = {r["case_number"]: r["company_id"] for r in lakehouse.table(job, "cleaned", "filings").to_pylist()}
    assert cases_found == {"20-00001": "00000077", "20-00002": "00000077", "20-00005": "00000002"}
    rejected = [r["reason"] for r in lakehouse.table(job, "quarantine", "accounting_ratios").to_pylist()]
    assert sorted(rejected) == ["company - ambiguous", "company - unknown", "company - unknown"]
    cases_lost = {
        r["record_key"]: r["reason"] for r in lakehouse.table(job, "quarantine", "bankruptcy_filings").to_pylist()
    }
    assert cases_lost == {"20-00003": "company - unknown", "20-00004": "company - ambiguous"}
    for rows in report["sources"].values():
        assert rows["in"] == rows["good"] + rows["quarantined"] + rows["duplicates"]
