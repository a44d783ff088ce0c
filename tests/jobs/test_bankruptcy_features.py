"""Observation date, label, exclusions, point in time and ratios of the bankruptcy portfolio, on handmade cases."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bankruptcy_cases as cases
import numpy as np
import pandas as pd
import pytest
from bankruptcy_cases import filing, ratios, statement
from lakehouse import Lakehouse

from solvent import contracts, specification
from solvent.datasets import polish
from solvent.datasets import ratios as formulas

FEATURES = [f.name for f in specification.load("bankruptcy").features]


@pytest.fixture
def run(lakehouse: Lakehouse, tmp_path: Path) -> Callable[..., "Tables"]:
    def deliver_and_run(**delivery: Any) -> Tables:
        folder = cases.deliver(tmp_path / f"delivery-{len(list(tmp_path.iterdir()))}", **delivery)
        job = lakehouse.deliver(folder)
        report = lakehouse.run(job)
        assert report["stopped"] == {}
        return Tables(lakehouse, job)

    return deliver_and_run


@dataclasses.dataclass
class Tables:
    lakehouse: Lakehouse
    job: Any

    def features(self, key: str) -> dict[str, Any]:
        rows = self.lakehouse.table(self.job, "training", "company_year_features").to_pylist()
        return {r["company_year_id"]: r for r in rows}[key]

    def year(self, key: str) -> dict[str, Any]:
        rows = self.lakehouse.table(self.job, "cleaned", "company_years").to_pylist()
        return {r["company_year_id"]: r for r in rows}[key]

    def scored(self) -> set[str]:
        rows = self.lakehouse.json_lines(self.job, "training", "companies_to_score")
        return {r["company_year_id"] for r in rows}


def outcome(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row["bankrupt"], row["label_source"], row["exclusion"]


def test_label_and_exclusions(run: Callable[..., Tables]) -> None:
    """Observed on 1 April 2024; the window ends on 1 April 2025; the delivery is of 30 June 2026."""
    observed = {"healthy": 1, "on the day": 2, "day after": 3, "last day": 4, "too late": 5, "twice": 6}
    tables = run(
        statements=[
            *(statement(company, 2023) for company in observed.values()),
            statement(7, 2024, published="2025-07-01"),  # its window ends a day after the delivery
            statement(8, 2024, published="2025-06-30"),  # its window ends with the delivery
            statement(9, 2024, published="2025-07-01"),
        ],
        filings=[
            filing(2, 2, "04/01/2024"),
            filing(3, 3, "2024-04-02"),
            filing(4, 4, "1.4.2025"),
            filing(5, 5, "April 2, 2025"),
            filing(61, 6, "20200101"),
            filing(62, 6, "15-May-2024"),
            filing(9, 9, "2025-12-31"),
        ],
    )

    def of(company: int, year: int = 2023) -> tuple[Any, Any, Any]:
        return outcome(tables.features(f"{company:08d}-{year}"))

    assert of(1) == (0, "filings", None)
    assert of(2) == (None, None, "already_filed")
    assert of(3) == of(4) == (1, "filings", None)
    assert of(5) == (0, "filings", None)
    assert of(6) == (None, None, "already_filed")
    assert of(7, 2024) == of(9, 2024) == (None, None, "immature")
    assert of(8, 2024) == (0, "filings", None)
    assert tables.scored() == {"00000001-2023", "00000007-2024", "00000008-2024", "99999999-2000"}


def test_the_observation_date(run: Callable[..., Tables]) -> None:
    tables = run(
        statements=[
            statement(1, 2023, published="2024-03-05"),
            statement(2, 2023, published="", known="2024-04-29 23:00:00"),
            statement(3, 2023, published="", known="2024-04-30 00:00:00"),
            statement(4, 2023, published="2023-12-01"),
            statement(5, 2023, published="2024-03-05", known="2024-03-06 00:00:00"),
        ],
        ratios=[
            ratios(6, 2023, known="2024-02-01 00:00:00", current_ratio="2"),
            ratios(7, 2023, known="2024-08-01 12:00:00", current_ratio="2"),
        ],
    )
    days = {c: str(tables.year(f"{c:08d}-2023")["observation_date"]) for c in range(1, 8)}
    assert days == {
        1: "2024-03-05",
        2: "2024-04-29",  # 120 days after the year
        3: "2024-04-29",
        4: "2024-04-29",  # published before the year had ended: unknown
        5: "2024-03-05",
        6: "2024-04-29",
        7: "2024-08-01",  # ratios alone, first known later than that
    }
    assert tables.year("00000004-2023")["published_before_year_end"]
    known = {c: tables.year(f"{c:08d}-2023")["statement_known"] for c in range(1, 6)}
    assert known == {1: True, 2: True, 3: False, 4: True, 5: False}
    assert outcome(tables.features("00000003-2023")) == (None, None, "nothing_known")


def test_a_restatement_after_the_observation_is_not_seen(run: Callable[..., Tables]) -> None:
    """Two versions of one row in one delivery, and of an earlier year's row."""
    tables = run(
        statements=[
            statement(1, 2022, sales="1000", known="2023-04-01 10:00:00"),
            statement(1, 2022, sales="800", known="2024-04-01 23:59:59"),  # known on the day of observation of 2023
            statement(1, 2023, sales="2000"),
            statement(1, 2023, sales="500", known="2024-04-02 00:00:00"),
            statement(1, 2023, sales="400", known="2024-09-01 00:00:00"),
        ]
    )
    assert tables.features("00000001-2022")["sales_to_total_assets"] == 1.0
    assert tables.features("00000001-2023")["sales_to_total_assets"] == 2.0
    assert tables.features("00000001-2023")["sales_growth"] == 2000 / 800
    current = tables.lakehouse.table(tables.job, "cleaned", "financial_statements").to_pylist()
    assert {(r["fiscal_year"], int(r["sales"])) for r in current} == {(2022, 800), (2023, 400)}


def test_a_later_delivery_does_not_change_what_was_known(lakehouse: Lakehouse, tmp_path: Path) -> None:
    """Whatever comes after an observation, whether restated, corrected or withdrawn, moves no feature of it."""
    first = {
        "statements": [statement(1, 2021), statement(1, 2022, gross_profit="90"), statement(1, 2023)],
        "ratios": [ratios(1, 2023, known="2024-04-01 09:00:00", current_ratio="7", net_profit_to_equity="0.5")],
    }
    later = "2025-01-01 00:00:00"
    second = {
        "statements": [
            # 2021 is withdrawn, 2022 restated, 2023 restated with another day of publication and without its cash
            statement(1, 2022, gross_profit="-500", sales="1", known=later),
            statement(1, 2023, published="2024-02-01", known=later, cash="N/A", equity="500", total_liabilities="500"),
        ],
        "ratios": [
            ratios(1, 2023, known=later, current_ratio="1", net_profit_to_equity="9", inventory_days_of_sales="3")
        ],
        "filings": [filing(1, 1, "2024-12-24")],
    }
    job = lakehouse.deliver(cases.deliver(tmp_path / "first", as_of="2024-06-30", **first))
    lakehouse.run(job)
    before = Tables(lakehouse, job).features("00000001-2023")
    next_job = lakehouse.deliver(cases.deliver(tmp_path / "second", **second), base=job)
    lakehouse.run(next_job)
    tables = Tables(lakehouse, next_job)
    after = tables.features("00000001-2023")
    assert {n: after[n] for n in FEATURES} == {n: before[n] for n in FEATURES}
    assert after["observation_date"] == before["observation_date"]
    assert before["gross_profit_three_years_to_total_assets"] == (100 + 90 + 100) / 1000
    assert (before["bankrupt"], before["exclusion"]) == (None, "immature")
    assert after["bankrupt"] == 1
    present = lakehouse.table(next_job, "cleaned", "financial_statements").to_pylist()
    assert {r["fiscal_year"] for r in present} == {2022, 2023}


def test_the_analysts_ratio_steps_in_where_the_statement_has_a_gap(run: Callable[..., Tables]) -> None:
    tables = run(
        statements=[statement(1, 2023, inventory="N/A"), statement(2, 2023, inventory="")],
        ratios=[
            ratios(1, 2023, known="2024-04-01 08:00:00", quick_ratio="1.25", current_ratio="99"),
            ratios(2, 2023, known="2024-04-02 08:00:00", quick_ratio="1.25"),  # a day after the observation
        ],
    )
    assert tables.features("00000001-2023")["quick_ratio"] == 1.25
    assert tables.features("00000001-2023")["current_ratio"] == 2.0
    assert tables.features("00000002-2023")["quick_ratio"] is None
    assert tables.year("00000001-2023")["items_missing"] == 1
    [difference] = tables.lakehouse.table(tables.job, "cleaned", "ratio_differences").to_pylist()
    assert difference == {
        "company_year_id": "00000001-2023", "ratio": "current_ratio",
        "recomputed": 2.0, "analyst": 99.0, "difference": 97.0,
    }  # fmt: skip


def test_a_published_label_is_taken_as_published(run: Callable[..., Tables]) -> None:
    tables = run(
        statements=[statement(1, 2025)],
        ratios=[
            ratios(2, 2012, known="2013-04-01 00:00:00", current_ratio="1", published_bankrupt="1"),
            ratios(3, 2012, known="2013-04-01 00:00:00", current_ratio="1", published_bankrupt="0"),
        ],
        filings=[filing(3, 3, "2013-06-01")],
    )
    assert outcome(tables.features("00000002-2012")) == (1, "published", None)
    assert outcome(tables.features("00000003-2012")) == (0, "published", None)


def test_ratios_by_hand(run: Callable[..., Tables]) -> None:
    row = run(statements=[statement(1, 2022, sales="1600"), statement(1, 2023)]).features("00000001-2023")
    expected = {
        "net_profit_to_total_assets": 0.08,
        "current_ratio": 2.0,
        "defensive_interval_days": (100 + 20 + 200 - 250) * 365 / 1750,
        "sales_growth": 1.25,
        "log_total_assets": 3.0,
        "liabilities_to_operating_cash_flow": 400 * 12 / (230 * 365),
        "working_capital": 250.0,
        "operating_profit_less_depreciation_to_sales": 130 / 2000,
        "short_term_liabilities_to_cost": 250 / 1500,
        "net_profit_to_equity": 80 / 600,
        "constant_capital_to_fixed_assets": 1.5,
        "gross_profit_three_years_to_total_assets": None,  # 2021 is not known
    }
    for name, value in expected.items():
        assert row[name] == (value if value is None else pytest.approx(value, rel=1e-12)), name


def test_all_ratios_against_a_recomputation_with_pandas(lakehouse: Lakehouse, tmp_path: Path) -> None:
    """By the formulas that the generator has of its own; statements without faults, contradictions or restatements."""
    from solvent.datasets import bankruptcy

    bankruptcy.generate(tmp_path / "files", size=60, seed=8, mess=0)
    job = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(job)
    years = lakehouse.table(job, "cleaned", "company_years").to_pandas()
    stored = lakehouse.table(job, "cleaned", "financial_statements").to_pandas()
    history = lakehouse.table(job, "cleaned", "financial_statements_history").to_pandas()
    original = pd.concat([history.drop(columns="deleted"), stored]).sort_values("updated_at")
    original = original.drop_duplicates(["company_id", "fiscal_year"]).sort_values(["company_id", "fiscal_year"])
    items = {
        c.name: original[c.name].astype(float).to_numpy()
        for c in contracts.load()["company_financials"].columns
        if c.type == "number"
    }
    same = original["company_id"].to_numpy()
    year = original["fiscal_year"].to_numpy()

    def before(name: str, years: int) -> Any:
        there = pd.Series(items[name], index=pd.MultiIndex.from_arrays([same, year]))
        return there.reindex(pd.MultiIndex.from_arrays([same, year - years])).to_numpy()

    items |= {"previous_sales": before("sales", 1), "previous_gross_profit": before("gross_profit", 1)}
    expected = formulas.compute(items | {"gross_profit_before_previous": before("gross_profit", 2)})
    keys = original["company_id"] + "-" + original["fiscal_year"].astype(str)
    got = years[years["statement_known"]].set_index("company_year_id")
    wanted = pd.DataFrame(expected, index=keys.to_numpy()).loc[got.index]
    assert len(got) > 200
    late = ["sales_growth", "gross_profit_three_years_to_total_assets"]  # an earlier year may not have been known
    for name in FEATURES:
        left, right = got[name].to_numpy(dtype=float), wanted[name].to_numpy()
        if name in late:
            left, right = left[~np.isnan(left)], right[~np.isnan(left)]
            assert len(left) > 100
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12, err_msg=name)


def test_every_feature_has_its_code_and_its_lineage() -> None:
    assert [c.description.partition(":")[0] for c in polish.attributes()] == [f"Attr{n}" for n in range(1, 65)]
    assert set(FEATURES) == {c.name for c in polish.attributes()}
    spec, table = specification.load("bankruptcy"), contracts.load()["company_year_features"]
    for feature in spec.features:
        # The contract names what the formula says, the specification all that lineage finds.
        assert set(table.column(feature.name).sources) <= set(feature.sources)
        for source in feature.sources:
            contract, _, column = source.partition(".")
            contracts.load()[contract].column(column)
