"""The marts of bankruptcy say what pandas finds in the delivered files, figure by figure: exactly, with other code.

The files are synthetic and without faults, but written as vendors, analysts and courts write. A company without a
number is found by the names that the generator gave (`truth/`), not by the platform's key matching.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lakehouse import BUCKETS, Lakehouse
from moto import mock_aws
from warehouse_cases import assert_equal, migrated, refresh, rows_of

from solvent import contracts
from solvent.datasets import bankruptcy
from solvent.warehouse import load

ROMAN = {"VII": "7", "XI": "11", "XV": "15"}
RATIOS = ("current_ratio", "net_profit_to_total_assets")
YEAR = ["company_id", "fiscal_year"]
AS_OF = pd.Timestamp("2026-06-30")
FILED_AS = re.compile(r"(VII|XV|XI|7|11|15)$")


class Files:
    """A delivery as pandas reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.companies = self.read("truth/companies.csv", ",")
        named = self.companies.assign(words=self.companies.company_name.map(words))
        # Two companies whose names differ by their legal form alone are not told apart by name.
        self.id_of = named.drop_duplicates("words", keep=False).set_index("words").company_id.to_dict()

    def read(self, name: str, separator: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / name, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")

    def company(self, row: pd.Series) -> str:
        digits = re.sub(r"\D", "", re.sub(r"\.0$", "", row.company_id))
        return digits.zfill(8) if digits else self.id_of.get(words(row.company_name), "")

    def of_known_companies(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with the number of their company; those whose company is ambiguous are left out."""
        rows["company_id"] = rows.apply(self.company, axis=1)
        return rows[rows.company_id != ""].copy()

    def filings(self) -> pd.DataFrame:
        rows = self.of_known_companies(self.read("bankruptcy_filings.txt", ";").drop_duplicates("case_number"))
        numeral = rows.chapter.str.upper().str.extract(FILED_AS, expand=False).replace(ROMAN)
        day = rows.filing_date.map(lambda text: pd.to_datetime(text, dayfirst="." in text))
        return pd.DataFrame({"company_id": rows.company_id, "chapter": "chapter_" + numeral, "day": day})

    def statements(self) -> pd.DataFrame:
        """Every version of every statement, the oldest first."""
        rows = self.of_known_companies(self.read("company_financials.csv", ";"))
        for name in ("fiscal_year", "current_assets", "short_term_liabilities", "net_profit", "total_assets"):
            rows[name] = rows[name].map(number)
        return rows.sort_values("updated_at")

    def ratios(self) -> pd.DataFrame:
        """The analyst's, the oldest first; 2022/2023 ends in 2023."""
        named = {"company_no": "company_id", "company": "company_name"}
        rows = self.of_known_companies(self.read("accounting_ratios.txt", "\t").rename(columns=named))
        rows["fiscal_year"] = rows.fy.map(lambda text: int(re.findall(r"\d+", text.removesuffix(".0"))[-1][-2:]) + 2000)
        for name in RATIOS:
            rows[name] = rows[name].map(number)
        return rows.sort_values("updated_at")

    def years(self) -> pd.DataFrame:
        """Each company-year with its observation day, and its ratios as they were known on that day.

        The day is that of the first publication, 120 days after the year's end if no statement says; with ratios alone
        not before these came. A ratio is the statement's, else the analyst's.
        """
        statements, analyst = self.statements(), self.ratios()
        first = statements.drop_duplicates(YEAR).set_index(YEAR)[["published_date", "fiscal_year_end"]]
        first = first.apply(pd.to_datetime, errors="coerce")
        came = pd.to_datetime(analyst.drop_duplicates(YEAR).set_index(YEAR).updated_at.str[:10])
        alone = came.index.difference(first.index)
        new_year = pd.Series(pd.to_datetime([f"{year}-12-31" for _, year in alone]), index=alone)
        published = first.published_date.fillna(first.fiscal_year_end + pd.Timedelta(days=120))
        late = (new_year + pd.Timedelta(days=120)).combine(came[alone], max)
        years = pd.concat([published, late]).rename("observed").to_frame()
        told, known = (_as_known(rows, years) for rows in (statements, analyst))
        own = pd.DataFrame(
            {
                "current_ratio": told.current_assets / told.short_term_liabilities,
                "net_profit_to_total_assets": told.net_profit / told.total_assets,
            }
        )
        years = years.join(own.combine_first(known[list(RATIOS)]), how="left").assign(
            known=years.index.isin(told.index.union(known.index))
        )
        years = years.reset_index()
        return years.assign(sector=years.company_id.map(self.sectors()))

    def labelled(self) -> pd.DataFrame:
        """The company-years with a label, `bankrupt`: a filing within twelve months, if none was before."""
        years = self.years()
        first = self.filings().groupby("company_id").day.min()
        filed, end = years.company_id.map(first), years.observed + pd.DateOffset(months=12)
        had = filed <= years.observed
        return years.assign(bankrupt=filed <= end)[years.known & ~had & (end <= AS_OF)]

    def sectors(self) -> pd.Series:
        """Sector by company: of the newest version of its newest statement."""
        newest = self.statements().sort_values(["fiscal_year", "updated_at"])
        return (
            newest.groupby("company_id")
            .sector.last()
            .str.lower()
            .reindex(self.companies.company_id, fill_value="unknown")
        )


def _as_known(rows: pd.DataFrame, years: pd.DataFrame) -> pd.DataFrame:
    """The newest version of each year among those known on its day."""
    dated = rows.join(years.observed, on=YEAR)
    known = dated[pd.to_datetime(dated.updated_at.str[:10]) <= dated.observed]
    return known.drop_duplicates(YEAR, keep="last").set_index(YEAR)


def words(name: str) -> str:
    """A company's three words without what writers vary: case, accents, punctuation, the legal form."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l").replace("ø", "o"))
    return " ".join(re.findall(r"[a-z]+", re.sub(r"[\u0300-\u036f]", "", plain))[:3])


def number(text: str) -> float:
    bare = re.sub(r"[$,]", "", text.strip())
    return float(f"-{bare[1:-1]}" if bare.startswith("(") else bare or "nan") if bare != "N/A" else float("nan")


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Files, Any]]:
    folder = tmp_path_factory.mktemp("bankruptcy")
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        (folder / "work").mkdir()
        lake = Lakehouse(folder / "work")
        bankruptcy.generate(folder / "files", size=150, seed=7, mess=0)
        job = lake.deliver(folder / "files")
        report = lake.run(job)
        warehouse = migrated(folder)
        for zone in ("cleaned", "training"):
            for key, body in lake.objects(zone).items():
                warehouse.storage.put(BUCKETS[zone], key, body)
        batch = load.ingest(contracts.load(), portfolio="bankruptcy", run_id=job.run_id, buckets=BUCKETS, report=report)
        warehouse.run(*batch, user="admin")
        refresh(warehouse)
        yield Files(folder / "files"), warehouse
        warehouse.database.close()


def test_filings_by_year(delivered: tuple[Files, Any]) -> None:
    files, warehouse = delivered
    filings = files.filings()
    filings["year"] = filings.day.dt.year
    expected = filings.groupby(["year", "chapter"]).company_id.agg(filings="size", companies="nunique").reset_index()
    expected["share_of_year"] = expected.filings / expected.groupby("year").filings.transform("sum")
    assert len(expected) > 10
    assert_equal(rows_of(warehouse, "SELECT * FROM marts.filings_by_year"), expected.to_dict("records"))


def test_sectors_their_companies_and_bankruptcy_rates(delivered: tuple[Files, Any]) -> None:
    files, warehouse = delivered
    sectors = files.sectors()
    filed = files.filings().company_id.unique()
    known = files.labelled()
    expected = pd.DataFrame(
        {
            "companies": sectors.value_counts(),
            "companies_filed": sectors[sectors.index.isin(filed)].value_counts(),
            "company_years": files.years().sector.value_counts(),
            "labelled": known.sector.value_counts(),
            "bankruptcies": known.groupby("sector").bankrupt.sum(),
        }
    )
    expected["bankruptcy_rate"] = expected.bankruptcies / expected.labelled
    query = f"SELECT sector, {', '.join(expected.columns)} FROM marts.sector_overview"  # noqa: S608
    assert expected.labelled.min() >= 30
    assert_equal(rows_of(warehouse, query), expected.rename_axis("sector").reset_index().to_dict("records"))


def test_medians_of_the_sectors(delivered: tuple[Files, Any]) -> None:
    files, warehouse = delivered
    long = files.years().melt([*YEAR, "sector"], RATIOS, "ratio", "amount").dropna()
    expected = (
        long.groupby(["sector", "fiscal_year", "ratio"]).amount.agg(companies="size", median="median").reset_index()
    )
    got = rows_of(warehouse, "SELECT * FROM marts.sector_ratio_medians")
    assert len(expected) > 100
    assert_equal([r for r in got if r["ratio"] in RATIOS], expected.to_dict("records"))


def test_quadrants(delivered: tuple[Files, Any]) -> None:
    files, warehouse = delivered
    years = files.years().dropna(subset=list(RATIOS))
    medians = years.groupby(["sector", "fiscal_year"])[list(RATIOS)].transform("median")
    high = years[list(RATIOS)].ge(medians)
    names = {(True, True): "liquid and profitable", (True, False): "liquid only", (False, True): "profitable only"}
    years["quadrant"] = [names.get((a, b), "neither") for a, b in high.itertuples(index=False)]
    newest = years.sort_values("fiscal_year").drop_duplicates("company_id", keep="last")
    expected = newest[["company_id", "fiscal_year", "quadrant"]]
    got = rows_of(warehouse, "SELECT company_id, fiscal_year, quadrant FROM marts.company_quadrants")
    assert_equal(got, expected.to_dict("records"))
