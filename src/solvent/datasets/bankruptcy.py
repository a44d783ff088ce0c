"""A seeded bankruptcy portfolio: statements that show a company's health late and in part, failures with causes.

Three files of different make, as the contracts describe them: a vendor's spreadsheet, an analyst's ratios, courts'
filings. The truth beside them says how many rows each rule must catch, and what became of each company.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solvent.datasets import bankruptcy_mess, companies, ratios, statements
from solvent.datasets.companies import Companies
from solvent.datasets.files import Array, Typed, write, write_truth
from solvent.datasets.statements import YEARS

AS_OF = np.datetime64("2026-06-30")
PUBLICATION_DAYS = 120
_CAUSES = np.array(["over_indebted", "illiquid", "loss_making", "misfortune"])


@dataclass(frozen=True)
class Portfolio:
    """Typed tables per source, and the truth.

    `company_of`: {source: position in `companies` of each row}. Of the `statements` rows of company_financials the rest
    are restatements. `outcome`: per company `filing_date` (NaT for none) and `cause`. `probability`: of a filing within
    12 months, per statement. `split_year`: per company, whether its fiscal year ends before December.
    `by_ratios_alone`: companies without a statement.
    """

    companies: Companies
    tables: dict[str, Typed]
    company_of: dict[str, Array]
    outcome: Typed
    probability: Array
    split_year: Array
    by_ratios_alone: Array

    @property
    def statements(self) -> int:
        return len(self.probability)


def generate(folder: Path, *, size: int = 1000, seed: int = 0, mess: float = 1.0) -> None:
    """Write the delivery of `size` companies (as of 2026-06-30) and its truth into `folder`.

    `mess` scales the share of planted faults; 0 plants none, but the files keep their odd formats.
    """
    portfolio = simulate(size=size, seed=seed)
    generator = np.random.default_rng([seed, 19])
    planted = bankruptcy_mess.plant(portfolio, share=mess, generator=generator)
    write(
        folder,
        planted.tables,
        settings={"as_of": str(AS_OF), "dataset": "bankruptcy", "portfolio": "bankruptcy"},
        malformed=planted.malformed,
        byte_order_mark=frozenset({"company_financials"}),
        carriage_return=frozenset({"accounting_ratios"}),
    )
    write_truth(folder, planted.truth, **truths(portfolio))


def truths(portfolio: Portfolio) -> dict[str, dict[str, list[Any]]]:
    """`companies` and `company_years` as they are, for `truth/<name>.csv`."""
    everyone: Typed = {"company_id": portfolio.companies.company_id, "company_name": np.array(portfolio.companies.name)}
    return {
        "companies": {k: v.tolist() for k, v in (everyone | portfolio.outcome).items()},
        "company_years": {k: v.tolist() for k, v in label(portfolio).items()},
    }


def simulate(*, size: int, seed: int) -> Portfolio:
    """The portfolio before any mess."""
    generator = np.random.default_rng([seed, 11])
    everyone = companies.found(size, generator)
    grid = statements.simulate(size, generator)
    year_end = _year_ends(size, generator)
    delay = 60 + generator.gamma(4.0, 14.0, year_end.shape) - 8 * grid.health
    late = generator.random(year_end.shape) < 0.05
    published = year_end + np.clip(np.where(late, delay + 130, delay), 30, 420).astype(int)
    begun = np.arange(len(YEARS)) >= generator.integers(0, len(YEARS) - 3, size)[:, None]
    filing_date, cause = _failures(grid, published, begun, generator)

    followed = begun & (published <= AS_OF)
    failed = published > filing_date[:, None]
    # Every fourth failed company publishes once more, while its case is under way.
    once_more = failed & (np.cumsum(failed & followed, axis=1) == 1) & (np.arange(size)[:, None] % 4 == 0)
    there = followed & (~failed | once_more)
    with_ratios = there & (generator.random(there.shape) < 0.92)
    # Some companies are known by their ratios alone, others lack a statement here and there.
    by_ratios_alone = generator.random((size, 1)) < 0.04
    with_statement = there & ~by_ratios_alone & (generator.random(there.shape) > 0.02)

    tables = {
        "company_financials": _statements(grid, everyone, year_end, published, with_statement, generator),
        "accounting_ratios": _ratios(grid, everyone, published, with_ratios, generator),
        "bankruptcy_filings": _filings(everyone, filing_date, generator),
    }
    return Portfolio(
        companies=everyone,
        tables=tables,
        company_of={source: table.pop("position") for source, table in tables.items()},
        outcome={"filing_date": np.where(filing_date <= AS_OF, filing_date, np.datetime64("NaT")), "cause": cause},
        probability=grid.probability[with_statement],
        split_year=year_end[:, 0].astype("datetime64[M]").astype(int) % 12 != 11,
        by_ratios_alone=by_ratios_alone[:, 0],
    )


def label(portfolio: Portfolio) -> Typed:
    """What is true of each company-year with a statement: its observation date, label (-1 for none) and exclusion."""
    table, position = portfolio.tables["company_financials"], portfolio.company_of["company_financials"]
    first = np.arange(portfolio.statements)
    published, end = table["published_date"][first], table["fiscal_year_end"][first]
    usable = ~np.isnat(published) & ~(published < end)
    observed = np.where(usable, published, end + PUBLICATION_DAYS)
    window_end = _a_year_later(observed)
    filed = portfolio.outcome["filing_date"][position[first]]
    exclusion = np.where(filed <= observed, "already_filed", np.where(window_end > AS_OF, "immature", ""))
    bankrupt = (filed > observed) & (filed <= window_end)
    return {
        "company_id": table["company_id"][first],
        "fiscal_year": table["fiscal_year"][first],
        "observation_date": observed,
        "probability": portfolio.probability,
        "bankrupt": np.where(exclusion == "", bankrupt.astype(int), -1),
        "exclusion": exclusion,
    }


def _year_ends(size: int, generator: np.random.Generator) -> Array:
    """Last days of the fiscal years, (companies, years); most end with the calendar year."""
    month = generator.choice([3, 6, 12], size, p=[0.1, 0.12, 0.78])
    first = (YEARS[None, :] - 1970).astype("datetime64[Y]").astype("datetime64[M]") + month[:, None]
    return first.astype("datetime64[D]") - 1


def _failures(
    grid: statements.Grid, published: Array, begun: Array, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Each company's first filing, within a year after the publication that foretold it (NaT for none), and why."""
    fails = begun & (generator.random(grid.probability.shape) < grid.probability)
    day = published + generator.integers(1, 366, published.shape)
    filing = np.where(fails, day, np.datetime64("2999-01-01")).min(axis=1)
    year = np.where(fails, day, np.datetime64("2999-01-01")).argmin(axis=1)
    rows = np.arange(len(filing))
    items = {k: v[rows, year] for k, v in grid.items.items()}
    reasons = np.stack(
        [
            items["total_liabilities"] > 0.9 * items["total_assets"],
            items["short_term_liabilities"] > items["current_assets"],
            items["net_profit"] < 0,
            np.ones(len(rows), dtype=bool),
        ]
    )
    never = filing > np.datetime64("2900-01-01")
    cause = np.where(never, "", _CAUSES[reasons.argmax(axis=0)])
    return np.where(never, np.datetime64("NaT"), filing), cause


def _statements(
    grid: statements.Grid,
    everyone: Companies,
    year_end: Array,
    published: Array,
    there: Array,
    generator: np.random.Generator,
) -> Typed:
    """One row per statement, then the restatements: later versions with less inventory, and so less of the rest."""
    row, column = np.nonzero(there)
    size = len(row)
    day = published[there]
    table: Typed = {
        "position": row,
        "company_id": everyone.company_id[row],
        "company_name": np.array(everyone.name)[row],
        "sector": everyone.sector[row],
        "country": everyone.country[row],
        "fiscal_year": YEARS[column],
        "fiscal_year_end": year_end[there],
        "published_date": np.where(generator.random(size) < 0.06, np.datetime64("NaT"), day),
        "currency": np.full(size, "USD"),
        "updated_at": day.astype("datetime64[s]") + generator.integers(8 * 3600, 18 * 3600, size),
    }
    items = {name: values[there].copy() for name, values in grid.items.items()}
    for name in ("extraordinary_items", "short_term_securities", "retained_earnings", "depreciation"):
        items[name][generator.random(size) < 0.01] = np.nan
    table |= items
    later = generator.integers(40, 400, size)
    # Where the publication is unknown, what had been restated by the day of observation would be known then.
    again = (generator.random(size) < 0.04) & (day + later <= AS_OF) & ~np.isnat(table["published_date"])
    restated = {name: values[again].copy() for name, values in table.items()}
    written_off = np.round(restated["inventory"] * 0.4)
    for name in ("inventory", "current_assets", "total_assets", "equity", "net_profit"):
        restated[name] = restated[name] - written_off
    restated["updated_at"] = restated["updated_at"] + later[again].astype("timedelta64[D]")
    return {name: np.concatenate([values, restated[name]]) for name, values in table.items()}


def _ratios(
    grid: statements.Grid, everyone: Companies, published: Array, there: Array, generator: np.random.Generator
) -> Typed:
    """The analyst's ratios, of the statements as they were first published."""
    row, column = np.nonzero(there)
    items = {name: values[there] for name, values in grid.items.items()}
    for name, source, years in (
        ("previous_sales", "sales", 1),
        ("previous_gross_profit", "gross_profit", 1),
        ("gross_profit_before_previous", "gross_profit", 2),
    ):
        before = np.maximum(column - years, 0)
        items[name] = np.where(column >= years, grid.items[source][row, before], np.nan)
    size = len(row)
    days = np.where(generator.random(size) < 0.6, 0, generator.integers(1, 40, size))
    return {
        "position": row,
        "company_id": everyone.company_id[row],
        "company_name": np.array(everyone.name)[row],
        "fiscal_year": YEARS[column],
        **ratios.compute(items),
        "published_bankrupt": np.full(size, np.nan),
        "updated_at": (published[there] + days).astype("datetime64[s]") + generator.integers(0, 24 * 3600, size),
    }


def _filings(everyone: Companies, filing_date: Array, generator: np.random.Generator) -> Typed:
    """The cases up to the day of the delivery; some companies that were to go on file again."""
    position = np.flatnonzero(filing_date <= AS_OF)
    day = filing_date[position]
    again = (generator.random(len(position)) < 0.08) & (day + 500 <= AS_OF)
    position = np.concatenate([position, position[again]])
    day = np.concatenate([day, day[again] + generator.integers(200, 500, again.sum())])
    size = len(position)
    year = day.astype("datetime64[Y]").astype(int) + 1970
    number = generator.permutation(90_000)[:size] if size <= 90_000 else np.arange(size)
    return {
        "case_number": np.array([f"{y % 100:02d}-{n + 1:05d}" for y, n in zip(year, number, strict=True)]),
        "company_id": everyone.company_id[position],
        "company_name": np.array(everyone.name)[position],
        "chapter": generator.choice(np.array(["chapter_7", "chapter_11", "chapter_15"]), size, p=[0.55, 0.42, 0.03]),
        "filing_date": day,
        "court": generator.choice(np.array(["D. Delaware", "S.D. New York", "N.D. Texas", "C.D. California"]), size),
        "position": position,
    }


def _a_year_later(day: Array) -> Array:
    """The same day of the next year; 28 February for 29 February."""
    month = day.astype("datetime64[M]")
    later = month + 12
    last = (later + 1).astype("datetime64[D]") - 1
    return np.minimum(later.astype("datetime64[D]") + (day - month.astype("datetime64[D]")), last)
