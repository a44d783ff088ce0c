"""The odd ways in which a vendor, an analyst and courts write the same things; all of them legal by the contracts."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from solvent import contracts
from solvent.datasets import companies
from solvent.datasets.files import Array, Text, Typed, render

if TYPE_CHECKING:
    from solvent.datasets.bankruptcy import Portfolio

_CHAPTERS = {
    "chapter_7": ("Chapter 7", "Ch. 7", "7", "VII", "ch7", "CHAPTER VII"),
    "chapter_11": ("Chapter 11", "Ch. 11", "11", "XI", "ch11", "Chapter XI"),
    "chapter_15": ("Chapter 15", "Ch. 15", "15", "XV"),
}
_DAYS: tuple[Callable[[date], str], ...] = (
    lambda d: d.isoformat(),
    lambda d: f"{d:%m/%d/%Y}",
    lambda d: f"{d:%d.%m.%Y}",
    lambda d: f"{d:%d-%b-%Y}",
    lambda d: f"{d:%Y%m%d}",
    lambda d: f"{d:%B} {d.day}, {d.year}",
)


def statements(table: Typed, generator: np.random.Generator) -> Text:
    """Amounts as a spreadsheet shows them: $1,234 or 1,234, (1,234) below zero, N/A for nothing."""
    text = render("company_financials", table)
    for column in contracts.load()["company_financials"].columns:
        values = text[column.name]
        if column.type == "number":
            dollar = generator.random(len(values)) < 0.3
            text[column.name] = [_money(v, d) for v, d in zip(values, dollar.tolist(), strict=True)]
        elif not column.required:
            text[column.name] = [v or "N/A" for v in values]
    text["company_id"] = [companies.numbered(i, generator) for i in text["company_id"]]
    return text


def ratios(portfolio: "Portfolio", generator: np.random.Generator) -> tuple[Text, Array]:
    """The text, and which rows name their company by its name alone. Numbers have six significant digits."""
    table, position = portfolio.tables["accounting_ratios"], portfolio.company_of["accounting_ratios"]
    plain = {name: values for name, values in table.items() if name in _not_ratios()}
    text = {
        c.name: _significant(table[c.name]) if c.name not in plain else []
        for c in contracts.load()["accounting_ratios"].columns
    }
    years = list(zip(plain["fiscal_year"].tolist(), portfolio.split_year[position].tolist(), strict=True))
    text["fiscal_year"] = [_fiscal_year(y, split, generator) for y, split in years]
    text["updated_at"] = [t.replace("T", " ") for t in np.datetime_as_string(plain["updated_at"]).tolist()]
    text["published_bankrupt"] = [""] * len(position)
    by_name = (generator.random(len(position)) < 0.55) & ~portfolio.by_ratios_alone[position]
    text |= _company(portfolio, position, by_name, generator)
    return text, by_name


def filings(portfolio: "Portfolio", generator: np.random.Generator) -> tuple[Text, Array]:
    """The text, and which rows name their company by its name alone."""
    table, position = portfolio.tables["bankruptcy_filings"], portfolio.company_of["bankruptcy_filings"]
    by_name = generator.random(len(position)) < 0.5
    form = generator.integers(0, len(_DAYS), len(position)).tolist()
    text: Text = {"case_number": table["case_number"].tolist(), "company_id": [], "company_name": []}
    text["chapter"] = [str(generator.choice(np.array(_CHAPTERS[c]))) for c in table["chapter"].tolist()]
    text["filing_date"] = [_DAYS[f](d) for f, d in zip(form, table["filing_date"].tolist(), strict=True)]
    text["court"] = table["court"].tolist()
    return text | _company(portfolio, position, by_name, generator), by_name


def _company(portfolio: "Portfolio", position: Array, by_name: Array, generator: np.random.Generator) -> Text:
    everyone = portfolio.companies
    ids = everyone.company_id[position].tolist()
    return {
        "company_id": [
            "" if named else companies.numbered(i, generator) for i, named in zip(ids, by_name.tolist(), strict=True)
        ],
        "company_name": [companies.spelled(everyone.stem[c], everyone.form[c], generator) for c in position.tolist()],
    }


def _not_ratios() -> tuple[str, ...]:
    return ("company_id", "company_name", "fiscal_year", "published_bankrupt", "updated_at")


def _money(text: str, dollar: bool) -> str:
    if not text:
        return "N/A"
    amount = float(text)
    shown = f"{'$' if dollar else ''}{abs(amount):,.0f}"
    return f"({shown})" if amount < 0 else shown


def _significant(values: Array) -> list[str]:
    return [
        "" if v != v else np.format_float_positional(v, precision=6, unique=False, fractional=False, trim="-")
        for v in values.tolist()
    ]


def _fiscal_year(year: int, split: bool, generator: np.random.Generator) -> str:
    forms = [f"{year}", f"FY{year}", f"{year}.0", f"FY {year}"]
    if split:
        forms += [f"{year - 1}/{year % 100:02d}", f"{year - 1}/{year}"]
    return forms[int(generator.integers(len(forms)))]
