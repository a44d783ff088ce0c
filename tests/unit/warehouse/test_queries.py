"""Every saved query answers its question: rows that a person can check, the contract's columns and parameters."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from warehouse_cases import assert_equal, cases, fill, rows_of

from solvent import contracts
from solvent.contracts import Contract
from solvent.warehouse import marts
from solvent.warehouse.migrations import split

FOLDER = Path(__file__).parents[3] / "sql" / "analytics"
KNOWN = {c.name: c for c in contracts.load().queries()}
CASES = cases("analytics")
TYPES = {"string", "integer", "number", "date"}


def text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def tree(name: str) -> sqlglot.exp.Expr:
    [statement] = split(text(name))
    return sqlglot.parse_one(statement, read="redshift")


def given(query: Contract, case: dict[str, Any]) -> dict[str, str]:
    """The case's parameters beside the defaults of the others."""
    defaults = {p.name: p.default for p in query.parameters if p.default is not None}
    return defaults | {name: str(value) for name, value in case.get("parameters", {}).items()}


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_a_query_says_what_its_case_expects(warehouse: Any, name: str, case: dict[str, Any]) -> None:
    fill(warehouse, case["given"])
    [statement] = split(text(name))
    got = rows_of(warehouse, statement, **given(KNOWN[name], case))
    assert [list(row) for row in got[:1]] in ([], [list(KNOWN[name].column_names)]), "other columns than the contract's"
    assert_equal(got, case["expect"])


def test_every_query_has_a_contract_and_a_case_with_rows() -> None:
    assert {p.stem for p in FOLDER.glob("*.sql")} == set(KNOWN)
    assert set(KNOWN) == {name for name, case in CASES if case["expect"]}


@pytest.mark.parametrize("name", KNOWN)
def test_a_query_is_plain_redshift_with_its_question_and_parameters(name: str) -> None:
    assert marts.question(text(name)).endswith("?"), "the file begins with the business question, as a comment"
    query = tree(name)
    assert isinstance(query, sqlglot.exp.Query)
    used = {p.name for p in query.find_all(sqlglot.exp.Placeholder)}
    assert used == {p.name for p in KNOWN[name].parameters}, "the contract's parameters are not those of the SQL"
    assert {p.type for p in KNOWN[name].parameters} <= TYPES
    casts = {p.name for c in query.find_all(sqlglot.exp.Cast) if isinstance(p := c.this, sqlglot.exp.Placeholder)}
    texts = {p.name for p in KNOWN[name].parameters if p.type == "string"}
    assert casts == used - texts, "Redshift takes a parameter as text: cast what is none"


def test_a_query_without_a_key_has_one_row() -> None:
    rows = {name: len(case["expect"]) for name, case in CASES if not KNOWN[name].key}
    assert set(rows.values()) <= {1}
