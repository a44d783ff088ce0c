"""Faults, contradictions and differences, planted in a bankruptcy portfolio and counted.

A row gets one fault at most. Rows that nobody can be found for because of other rows' faults are counted, too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from solvent import contracts
from solvent.datasets import bankruptcy_files
from solvent.datasets.files import Array, Text, rows
from solvent.datasets.mess import Planted

if TYPE_CHECKING:
    from solvent.datasets.bankruptcy import Portfolio

STATEMENTS, RATIOS, FILINGS = "company_financials", "accounting_ratios", "bankruptcy_filings"
_NOWHERE = {"company_id": "", "company_name": "Nowhere Holdings Ltd"}

# source -> (what is written where, the reason that it gives, share of the rows)
_FAULTS: dict[str, tuple[tuple[dict[str, str], str, float], ...]] = {
    STATEMENTS: (
        ({"fiscal_year": "last"}, "fiscal_year - not a fiscal year", 0.002),
        ({"fiscal_year_end": "31.02.2023"}, "fiscal_year_end - not a date", 0.002),
        ({"fiscal_year_end": "N/A"}, "fiscal_year_end - missing", 0.001),
        ({"total_assets": "n.k."}, "total_assets - not a number", 0.002),
        ({"equity": "N/A"}, "equity - missing", 0.002),
        ({"currency": "Dollar"}, "currency - wrong form", 0.001),
        ({"sector": "castles"}, "sector - not an allowed value", 0.001),
        ({"company_id": "K-12-B"}, "company_id - wrong form", 0.001),
        (
            {"total_assets": "0", "total_liabilities": "0", "equity": "0", "current_assets": "N/A"},
            "total_assets - not positive",
            0.002,
        ),
        ({"total_liabilities": "$1"}, "balance - assets differ from liabilities and equity", 0.003),
        ({"current_assets": "999,999,999,999"}, "current_assets - above total assets", 0.002),
        ({"fiscal_year_end": "1999-12-31"}, "fiscal_year - not the year of fiscal_year_end", 0.002),
    ),
    RATIOS: (
        ({"fiscal_year": "next year"}, "fiscal_year - not a fiscal year", 0.001),
        ({"fiscal_year": "2021/23"}, "fiscal_year - not a fiscal year", 0.001),
        ({"current_ratio": "high"}, "current_ratio - not a number", 0.002),
        ({"updated_at": "yesterday"}, "updated_at - not a time", 0.001),
        (_NOWHERE, "company - unknown", 0.003),
        ({"company_id": "#42", "company_name": ""}, "company - unknown", 0.001),
    ),
    FILINGS: (
        ({"chapter": "Chapter 99"}, "chapter - not an allowed value", 0.01),
        ({"filing_date": "2023-02-30"}, "filing_date - not a date", 0.01),
        ({"filing_date": ""}, "filing_date - missing", 0.01),
        ({"case_number": "pending"}, "case_number - wrong form", 0.01),
        (_NOWHERE, "company - unknown", 0.01),
        ({"company_id": "99999999", "company_name": "N/A"}, "company - unknown", 0.01),
    ),
}
_MALFORMED, _OLDER, _EXACT = 0.001, 0.004, 0.002
_CONTRADICTIONS = (
    "published_before_year_end",
    "sales_not_positive",
    "current_items_inconsistent",
    "liabilities_inconsistent",
)


@dataclass
class _Rows:
    """A source on its way: its text, whom each row means (position, -1 for nobody), and what has become of it."""

    source: str
    text: Text
    company: list[int]
    state: list[str]
    reasons: Counter[str]

    @property
    def size(self) -> int:
        return len(self.company)


def plant(portfolio: "Portfolio", *, share: float, generator: np.random.Generator) -> Planted:
    """Render the portfolio's files and spoil them. `share` scales the share of every fault; 0 leaves all as it is.

    `truth` is as `mess.plant` gives it; besides, company_financials has `contradictions` {flag: company-years} and
    accounting_ratios `differences`, a list of [company_id, fiscal_year, ratio].
    """
    table = portfolio.tables[STATEMENTS]
    restated = _twice(table["company_id"], table["fiscal_year"])
    whole = np.flatnonzero(~restated & ~np.isnat(table["published_date"]))
    free = iter(generator.permutation(whole).tolist())
    contradictions = _contradict(portfolio, free, share)
    untouched = set(free)
    ratio_text, ratios_by_name = bankruptcy_files.ratios(portfolio, generator)
    differences, of_statements, of_ratios = _differ(portfolio, ratio_text, ratios_by_name, untouched, share, generator)
    filing_text, filings_by_name = bankruptcy_files.filings(portfolio, generator)

    planted = Planted({})
    text = bankruptcy_files.statements(table, generator)
    statements = _of(portfolio, STATEMENTS, text)
    open_to_faults = (r for r in untouched - of_statements)
    _spoil(statements, planted, open_to_faults, share, generator)

    known: dict[str, set[int]] = defaultdict(set)
    _learn(known, portfolio, statements)
    ratios = _of(portfolio, RATIOS, ratio_text)
    _find(ratios, portfolio, ratios_by_name, known)
    _spoil(ratios, planted, (r for r in range(ratios.size) if r not in of_ratios), share, generator)

    _learn(known, portfolio, ratios)
    there = {c for names in known.values() for c in names}
    filings = _of(portfolio, FILINGS, filing_text)
    _find(filings, portfolio, filings_by_name, known, there=there)
    _spoil(filings, planted, range(filings.size), share, generator)

    planted.truth[STATEMENTS]["contradictions"] = contradictions
    planted.truth[RATIOS]["differences"] = differences
    return planted


def _of(portfolio: "Portfolio", source: str, text: Text) -> _Rows:
    company = portfolio.company_of[source].tolist()
    return _Rows(source, text, company, ["good"] * len(company), Counter())


def _contradict(portfolio: "Portfolio", free: Iterator[int], share: float) -> dict[str, int]:
    """Statements that contradict themselves but are kept; returns how many of each kind."""
    table, size = portfolio.tables[STATEMENTS], portfolio.statements
    counts = {}
    for flag in _CONTRADICTIONS:
        found = _take(free, 0.006 * share, size)
        counts[flag] = len(found)
        for row in found:
            if flag == "published_before_year_end":
                table["published_date"][row] = table["fiscal_year_end"][row] - 20
            elif flag == "sales_not_positive":
                table["sales"][row] = -table["sales"][row] if row % 2 else 0
            elif flag == "current_items_inconsistent":
                table["cash"][row] = table["current_assets"][row] * 1.2
            else:
                table["short_term_liabilities"][row] = table["total_liabilities"][row] * 1.3
    return counts


def _differ(
    portfolio: "Portfolio",
    text: Text,
    by_name: Array,
    statements: set[int],
    share: float,
    generator: np.random.Generator,
) -> tuple[list[list[Any]], set[int], set[int]]:
    """Wrong ratios; returns them, and the rows of statements and ratios that must stay as they are for them."""
    table, ratios = portfolio.tables[STATEMENTS], portfolio.tables[RATIOS]
    names = ("current_ratio", "equity_to_total_assets", "sales_to_total_assets", "gross_margin")
    at = {(table["company_id"][r], table["fiscal_year"][r]): r for r in statements}
    found: list[list[Any]] = []
    of_statements, of_ratios = set(), set()
    for row in generator.permutation(np.flatnonzero(~by_name)).tolist():
        if len(found) >= round(0.012 * share * len(by_name)):
            break
        company, year = str(ratios["company_id"][row]), int(ratios["fiscal_year"][row])
        name = names[len(found) % len(names)]
        statement = at.get((company, year))
        if statement is not None and abs(float(ratios[name][row])) > 0.02:
            text[name][row] = f"{float(text[name][row]) * 1.5:.6f}"
            found.append([company, year, name])
            of_statements.add(statement)
            of_ratios.add(row)
    return sorted(found), of_statements, of_ratios


def _learn(known: dict[str, set[int]], portfolio: "Portfolio", of: _Rows) -> None:
    """Add the names of the good rows, and whom they mean."""
    for row, company in enumerate(of.company):
        if of.state[row] == "good":
            known[portfolio.companies.stem[portfolio.company_of[of.source][row]]].add(company)


def _find(
    of: _Rows, portfolio: "Portfolio", by_name: Array, known: dict[str, set[int]], there: set[int] | None = None
) -> None:
    """Whom each row means: its own number if it has one (of a company that is `there`, if given), else by its name."""
    for row, named in enumerate(by_name.tolist()):
        if not named and (there is None or of.company[row] in there):
            continue
        candidates = known.get(portfolio.companies.stem[of.company[row]], set()) if named else set()
        if len(candidates) == 1:
            [of.company[row]] = candidates
        else:
            of.reasons["company - ambiguous" if candidates else "company - unknown"] += 1
            of.state[row] = "quarantined"


def _spoil(of: _Rows, planted: Planted, may: Iterable[int], share: float, generator: np.random.Generator) -> None:
    candidates = np.array(sorted(r for r in may if of.state[r] == "good"), dtype=int)
    free = iter(generator.permutation(candidates).tolist())
    for written, reason, part in _FAULTS[of.source]:
        for row in _take(free, part * share, of.size):
            for column, text in written.items():
                of.text[column][row] = text
            of.reasons[reason] += 1
            of.state[row] = "quarantined"
    malformed: dict[int, list[str]] = {}
    for i, row in enumerate(_take(free, _MALFORMED * share, of.size)):
        fields = [values[row] for values in of.text.values()]
        malformed[row] = fields[:-1] if i % 2 else [*fields, "x"]
        of.state[row] = "quarantined"
    version = contracts.load()[of.source].version_column
    copied = [(row, bool(version)) for row in _take(free, _OLDER * share, of.size)]
    copied += [(row, False) for row in _take(free, _EXACT * share, of.size)]
    for row, older in copied:
        for values in of.text.values():
            values.append(values[row])
        if older and version:
            values = of.text[version]
            values[-1] = f"{int(values[row][:4]) - 1}{values[row][4:8]}01{values[row][10:]}"
    quarantined = sum(of.reasons.values()) + len(malformed)
    good = _distinct(of)
    size = rows(of.text)
    planted.tables[of.source] = of.text
    planted.malformed[of.source] = malformed
    planted.truth[of.source] = {
        "rows_in": size,
        "good": good,
        "quarantined": quarantined,
        "duplicates": size - quarantined - good,
        "malformed": len(malformed),
        "reasons": dict(of.reasons),
    }


def _distinct(of: _Rows) -> int:
    """How many keys the good rows have."""
    if of.source == FILINGS:
        return len({of.text["case_number"][r] for r in range(of.size) if of.state[r] == "good"})
    year = [_ends_in(text) for text in of.text["fiscal_year"]]
    return len({(of.company[r], year[r]) for r in range(of.size) if of.state[r] == "good"})


def _ends_in(fiscal_year: str) -> str:
    """The last two digits of the year in which it ends, whichever way it is written."""
    return fiscal_year.removesuffix(".0")[-2:]


def _twice(company: Array, year: Array) -> Array:
    """Rows whose company-year is there more than once."""
    key = np.char.add(company, year.astype(str))
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)


def _take(free: Iterator[int], part: float, size: int) -> list[int]:
    wanted = max(1, round(part * size)) if part else 0
    return [row for _, row in zip(range(wanted), free, strict=False)]
