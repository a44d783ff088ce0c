"""Every mart answers its question: rows that a person can check, the contract's columns, and how marts are made."""

from typing import Any

import pytest
import sqlglot
from warehouse_cases import assert_equal, cases, fill, rows_of

from solvent import contracts
from solvent.warehouse import marts

KNOWN = marts.read()
CASES = cases("marts")


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_a_mart_says_what_its_case_expects(warehouse: Any, name: str, case: dict[str, Any]) -> None:
    fill(warehouse, case["given"])
    which = case.get("where", "TRUE")
    assert_equal(rows_of(warehouse, f"SELECT * FROM marts.{name} WHERE {which}"), case["expect"])


def test_every_mart_has_a_case() -> None:
    assert {m.name for m in KNOWN} == {name for name, _ in CASES}


@pytest.mark.parametrize("mart", KNOWN, ids=[m.name for m in KNOWN])
def test_a_mart_has_the_columns_of_its_contract(empty: Any, mart: marts.Mart) -> None:
    described = rows_of(
        empty,
        "SELECT column_name, data_type FROM svv_columns WHERE table_schema = 'marts' AND table_name = :name "
        "ORDER BY ordinal_position",
        name=mart.name,
    )
    families = {
        "string": {"character varying"},
        "integer": {"integer", "bigint", "smallint", "numeric"},  # a sum of integers has 128 bits here
        "number": {"double precision", "numeric"},
        "date": {"date"},
        "timestamp": {"timestamp without time zone"},
        "boolean": {"boolean"},
        "json": {"super"},
    }
    assert [r["column_name"] for r in described] == list(mart.contract.column_names)
    wrong = {
        r["column_name"]: r["data_type"]
        for r in described
        if r["data_type"] not in families[mart.contract.column(r["column_name"]).type]
    }
    assert wrong == {}


@pytest.mark.parametrize("mart", KNOWN, ids=[m.name for m in KNOWN])
def test_a_mart_is_plain_redshift_with_its_question(mart: marts.Mart) -> None:
    if mart.query:
        assert mart.question.endswith("?"), "the file begins with the business question, as a comment"
        assert isinstance(sqlglot.parse_one(mart.query, read="redshift"), sqlglot.exp.Query)
    if mart.contract.materialized:
        others = {m.name for m in KNOWN if m.kind == "view"}
        assert not mart.reads & others, "Redshift: a materialized view cannot read a late-binding view"
    assert mart.contract.key, "the columns that make a row unique are the contract's primary key"


def test_the_order_is_that_of_dependence() -> None:
    seen: set[str] = set()
    for mart in KNOWN:
        assert mart.reads <= seen
        seen.add(mart.name)


def parsed(**files: str) -> list[marts.Mart]:
    return marts.parse(contracts.load(), {m.name + ".sql": m.query for m in KNOWN if m.query} | files)


def test_what_reads_a_changed_mart_is_made_anew_too() -> None:
    reader = {"risk_stratification.sql": "SELECT * FROM marts.reporting_dates"}
    before = {m.name: m.checksum for m in parsed(**reader)}
    assert marts.plan(parsed(**reader), before) == []
    pending = marts.plan(parsed(**reader, **{"reporting_dates.sql": "SELECT 1 AS as_of"}), before)
    assert {m.name for m in pending} >= {"reporting_dates", "risk_stratification"}
    assert "credit_score_tiers" not in {m.name for m in pending}
    assert [m.name for m in pending].index("reporting_dates") < [m.name for m in pending].index("risk_stratification")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"nobody.sql": "SELECT 1"}, "nobody.sql has no contract"),
        ({"reporting_dates.sql": ""}, "neither rows"),
        ({"credit_score_tiers.sql": "SELECT 1"}, "both rows"),
        ({"reporting_dates.sql": "SELECT 1; SELECT 2"}, "2 statements"),
        ({"reporting_dates.sql": "SELECT * FROM marts.nothing"}, "unknown marts: nothing"),
        ({"reporting_dates.sql": "SELECT * FROM marts.risk_stratification",
          "risk_stratification.sql": "SELECT * FROM marts.reporting_dates"}, "each other in a circle"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_by_name(files: dict[str, str], said: str) -> None:
    with pytest.raises(marts.MartError, match=said):
        parsed(**files)
