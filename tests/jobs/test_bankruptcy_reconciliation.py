"""No row disappears: what the generator planted in the bankruptcy files is what the ETL caught, rule by rule."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lakehouse import Lakehouse
from moto import mock_aws

from solvent import contracts, etl
from solvent.datasets import bankruptcy

SOURCES = ("company_financials", "accounting_ratios", "bankruptcy_filings")


@dataclass(frozen=True)
class Delivered:
    job: etl.Job
    folder: Path
    report: dict[str, Any]
    truth: dict[str, dict[str, Any]]


def deliver(lakehouse: Lakehouse, folder: Path, **settings: Any) -> Delivered:
    bankruptcy.generate(folder, **settings)
    job = lakehouse.deliver(folder)
    report = lakehouse.run(job)
    return Delivered(job, folder, report, json.loads((folder / "truth" / "faults.json").read_text()))


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """One for all tests of this file: they only read."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        yield Lakehouse(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def messy(lakehouse: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    return deliver(lakehouse, tmp_path_factory.mktemp("messy"), size=150, seed=7, mess=2.0)


def test_every_planted_fault_is_caught_and_nothing_else(lakehouse: Lakehouse, messy: Delivered) -> None:
    for source in SOURCES:
        truth = messy.truth[source]
        quarantine = lakehouse.table(messy.job, "quarantine", source).to_pylist()
        caught = Counter(row["reason"] for row in quarantine if row["kind"] == "rejected")
        assert dict(caught) == truth["reasons"], source
        assert sum(row["kind"] == "malformed" for row in quarantine) == truth["malformed"]
        assert lakehouse.table(messy.job, "cleaned", contracts.load().cleaned(source).name).num_rows == truth["good"]
        assert lakehouse.table(messy.job, "quarantine", f"{source}_duplicates").num_rows == truth["duplicates"]
        rows = messy.report["sources"][source]
        assert rows["in"] == rows["good"] + rows["quarantined"] + rows["duplicates"] == truth["rows_in"]


def test_every_rule_of_the_contracts_is_among_what_was_planted(messy: Delivered) -> None:
    """A rule that nobody plants a fault for is a rule that nobody has seen work."""
    for source in SOURCES:
        planted = messy.truth[source]["reasons"]
        for rule in contracts.load()[source].rules:
            assert planted.get(rule.name), rule.name
    both = Counter(messy.truth["accounting_ratios"]["reasons"]) + Counter(messy.truth["bankruptcy_filings"]["reasons"])
    assert both["company - unknown"]
    assert both["company - ambiguous"]


def test_statements_that_contradict_themselves_are_kept_and_flagged(lakehouse: Lakehouse, messy: Delivered) -> None:
    years = lakehouse.table(messy.job, "cleaned", "company_years").to_pylist()
    planted = messy.truth["company_financials"]["contradictions"]
    assert {flag: sum(row[flag] for row in years) for flag in planted} == planted
    assert all(planted.values())
    for row in years:
        if row["sales_not_positive"]:
            assert row["sales"] is None and row["sales_to_total_assets"] is None
        if row["liabilities_inconsistent"]:
            assert row["short_term_liabilities"] is row["current_ratio"] is None
            assert row["total_liabilities_to_total_assets"] is not None
        if row["current_items_inconsistent"]:
            assert row["cash"] is row["inventory_days_of_sales"] is None


def test_ratios_that_differ_from_the_statement_are_listed_and_no_others(lakehouse: Lakehouse, messy: Delivered) -> None:
    rows = lakehouse.table(messy.job, "cleaned", "ratio_differences").to_pylist()
    found = sorted([r["company_year_id"][:8], int(r["company_year_id"][9:]), r["ratio"]] for r in rows)
    planted = messy.truth["accounting_ratios"]["differences"]
    assert found == planted
    assert planted
    assert all(abs(r["analyst"] / r["recomputed"] - 1.5) < 1e-3 for r in rows)


def test_labels_and_exclusions_are_the_true_ones(lakehouse: Lakehouse, tmp_path: Path) -> None:
    """Without faults: no filing is in quarantine that would be missed."""
    clean = deliver(lakehouse, tmp_path / "files", size=150, seed=2, mess=0)
    years = {r["company_year_id"]: r for r in lakehouse.table(clean.job, "cleaned", "company_years").to_pylist()}
    features = lakehouse.table(clean.job, "training", "company_year_features").to_pylist()
    found = {r["company_year_id"]: r for r in features}
    with (clean.folder / "truth" / "company_years.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    seen = Counter[tuple[str, str]]()
    for row in truth:
        got = found[f"{row['company_id']}-{row['fiscal_year']}"]
        assert str(got["observation_date"]) == row["observation_date"]
        seen[row["bankrupt"], row["exclusion"]] += 1
        if got["exclusion"] == "nothing_known":
            assert not years[got["company_year_id"]]["statement_known"]
            continue
        assert got["exclusion"] == (row["exclusion"] or None), got["company_year_id"]
        assert got["bankrupt"] == (None if row["bankrupt"] == "-1" else int(row["bankrupt"])), got["company_year_id"]
    assert {("0", ""), ("1", ""), ("-1", "already_filed"), ("-1", "immature")} == set(seen)


def test_what_is_scored_is_the_latest_year_of_each_company_that_has_not_filed(
    lakehouse: Lakehouse, messy: Delivered
) -> None:
    scored = lakehouse.json_lines(messy.job, "training", "companies_to_score")
    companies = {r["company_id"]: r for r in lakehouse.table(messy.job, "cleaned", "companies").to_pylist()}
    by_company = [row["company_year_id"][:8] for row in scored]
    assert len(set(by_company)) == len(by_company) > 50
    assert not [c for c in by_company if companies[c]["first_filing_date"]]
    assert any(c["first_filing_date"] for c in companies.values())
    features = lakehouse.table(messy.job, "training", "company_year_features").to_pylist()
    known = [r for r in features if r["exclusion"] != "nothing_known" and r["observation_date"] <= r["as_of"]]
    latest = {
        r["company_id"]: max(o["fiscal_year"] for o in known if o["company_id"] == r["company_id"]) for r in known
    }
    assert all(int(row["company_year_id"][9:]) == latest[row["company_year_id"][:8]] for row in scored)


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        bankruptcy.generate(tmp_path / name, size=30, seed=4)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir() if p.is_file()} for n in ("one", "two"))
    assert one == two
    assert set(one) == {
        "company_financials.csv", "accounting_ratios.txt", "bankruptcy_filings.txt", "delivery.json"
    }  # fmt: skip
