"""Handmade deliveries of the bankruptcy portfolio: a few rows, every figure in sight."""

from pathlib import Path
from typing import Any

from solvent import contracts
from solvent.datasets.files import Text, write

# A statement whose figures are easy to divide.
STATEMENT: dict[str, str] = {
    "company_name": "Acme Steel Inc.",
    "sector": "manufacturing",
    "country": "US",
    "currency": "USD",
    "sales": "2000",
    "total_sales": "2050",
    "cost_of_products_sold": "1500",
    "operating_expenses": "1800",
    "total_costs": "1950",
    "depreciation": "50",
    "profit_on_sales": "200",
    "operating_profit": "180",
    "extraordinary_items": "0",
    "financial_expenses": "80",
    "interest": "60",
    "ebit": "160",
    "gross_profit": "100",
    "net_profit": "80",
    "cash": "100",
    "short_term_securities": "20",
    "receivables": "200",
    "inventory": "180",
    "current_assets": "500",
    "fixed_assets": "500",
    "total_assets": "1000",
    "short_term_liabilities": "250",
    "long_term_liabilities": "150",
    "total_liabilities": "400",
    "share_capital": "100",
    "retained_earnings": "450",
    "equity": "600",
}


def statement(
    company: int, year: int, *, published: str | None = None, known: str | None = None, **changed: str
) -> dict[str, str]:
    """A row of company_financials for a fiscal year that ends on 31 December; published on 1 April unless said."""
    day = f"{year + 1}-04-01" if published is None else published
    return {
        **STATEMENT,
        "company_id": str(company),
        "fiscal_year": str(year),
        "fiscal_year_end": f"{year}-12-31",
        "published_date": day,
        "updated_at": known or f"{day or f'{year + 1}-04-01'} 10:00:00",
        **changed,
    }


def ratios(
    company: int | str, year: int | str, *, known: str = "2015-01-01 00:00:00", **changed: str
) -> dict[str, str]:
    """A row of accounting_ratios; what is not given is absent."""
    return {"company_id": str(company), "fiscal_year": str(year), "updated_at": known, **changed}


def filing(case: int, company: int | str, day: str, **changed: str) -> dict[str, str]:
    return {
        "case_number": f"20-{case:05d}",
        "company_id": str(company),
        "chapter": "Chapter 7",
        "filing_date": day,
        **changed,
    }


def deliver(
    folder: Path,
    *,
    statements: list[dict[str, str]],
    ratios: list[dict[str, str]] | None = None,
    filings: list[dict[str, str]] | None = None,
    **settings: Any,
) -> Path:
    """Write the rows as files. Without ratios there is one of a company that nothing else knows: a file has rows."""
    other = {"company_id": "99999999", "fiscal_year": "2000", "updated_at": "2001-04-30 00:00:00", "current_ratio": "1"}
    given = {
        "company_financials": statements,
        "accounting_ratios": ratios or [other],
        "bankruptcy_filings": filings or [],
    }
    write(
        folder,
        {source: _columns(source, rows) for source, rows in given.items() if rows or source == "bankruptcy_filings"},
        settings={"as_of": "2026-06-30", "dataset": "cases", "portfolio": "bankruptcy", **settings},
    )
    return folder


def _columns(source: str, rows: list[dict[str, str]]) -> Text:
    names = contracts.load()[source].column_names
    unknown = {name for row in rows for name in row} - set(names)
    assert not unknown, unknown
    return {name: [row.get(name, "") for row in rows] for name in names}
