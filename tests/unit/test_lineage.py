"""Lineage says from which columns a column comes: what is wrong here lets a generated column into a model unseen."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlglot import exp
from sqlglot.lineage import Node
from sqlglot.lineage import lineage as oracle
from typer.testing import CliRunner

from solvent import contracts, lineage, naming, specification
from solvent.cli.main import app
from solvent.etl import statements
from solvent.lineage import LineageError, Ref

SCHEMA = {"loans": ["id", "owner", "amount"], "people": ["id", "income", "seen"], "paid": ["loan", "day", "sum"]}


def step(sql: str) -> dict[str, tuple[list[str], list[str]]]:
    found = lineage._step(sql, SCHEMA)

    def texts(refs: lineage.Refs) -> list[str]:
        return sorted(str(ref) for ref in refs if ref.column != lineage.ROWS)

    return {n: (texts(o.value), texts(o.filter)) for n, o in found.items()}


@pytest.mark.parametrize(
    ("sql", "value", "decides"),
    [
        ("SELECT amount + id AS x FROM loans", ["loans.amount", "loans.id"], []),
        ("SELECT amount AS x FROM loans WHERE owner = 'a'", ["loans.amount"], ["loans.owner"]),
        ("SELECT CASE WHEN id = '1' THEN amount END AS x FROM loans", ["loans.amount", "loans.id"], []),
        ("SELECT COUNT(*) AS x FROM loans GROUP BY owner", [], ["loans.owner"]),
        (
            "SELECT l.amount AS x FROM loans AS l JOIN people AS p ON p.id = l.owner",
            ["loans.amount"],
            ["loans.owner", "people.id"],
        ),
        # A LEFT JOIN drops no row: it matters for what is taken from its right side only.
        ("SELECT l.amount AS x FROM loans AS l LEFT JOIN people AS p ON p.id = l.owner", ["loans.amount"], []),
        (
            "SELECT p.income AS x FROM loans AS l LEFT JOIN people AS p ON p.id = l.owner AND p.seen < '1'",
            ["people.income"],
            ["loans.owner", "people.id", "people.seen"],
        ),
        (
            "WITH late AS (SELECT loan, MAX(day) AS last FROM paid WHERE sum > '0' GROUP BY loan) "
            "SELECT late.last AS x FROM loans JOIN late ON late.loan = loans.id",
            ["paid.day"],
            ["loans.id", "paid.loan", "paid.sum"],
        ),
        (
            "SELECT amount AS x FROM loans UNION ALL SELECT income FROM people WHERE seen = '1'",
            ["loans.amount", "people.income"],
            ["people.seen"],
        ),
        ("SELECT s.x FROM (SELECT * EXCLUDE (id, owner), owner AS x FROM loans) AS s", ["loans.owner"], []),
        (
            "SELECT u.sum AS x FROM (SELECT id, amount FROM loans) AS l UNPIVOT (sum FOR name IN (id, amount)) AS u",
            ["loans.amount", "loans.id"],
            ["loans.amount", "loans.id"],  # a value that is absent makes no row
        ),
        (
            "WITH w AS (SELECT id, amount FROM loans) SELECT name AS x FROM w UNPIVOT (sum FOR name IN (id, amount))",
            [],
            ["loans.amount", "loans.id"],
        ),
        (
            "SELECT (SELECT MAX(day) FROM paid WHERE paid.loan = loans.id) AS x FROM loans",
            ["loans.id", "paid.day"],  # a subquery's link to the row outside is part of the value
            ["paid.loan"],
        ),
        (
            "SELECT amount AS x FROM loans WHERE EXISTS (SELECT 1 FROM paid WHERE paid.loan = loans.id)",
            ["loans.amount"],
            ["loans.id", "paid.loan"],
        ),
        ("SELECT amount AS x FROM loans QUALIFY ROW_NUMBER() OVER (PARTITION BY owner ORDER BY id) = 1",
         ["loans.amount"], ["loans.id", "loans.owner"]),
    ],
)  # fmt: skip
def test_a_step_tells_values_from_what_decides_rows(sql: str, value: list[str], decides: list[str]) -> None:
    assert step(sql)["x"] == (value, decides)


@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_values_agree_with_sqlglots_own_lineage(portfolio: str) -> None:
    """For every statement in which a column of a table is read as it is."""
    known = lineage.of(portfolio)
    schema: dict[str, Any] = {t: dict.fromkeys(c, "text") for t, c in known.steps.items()}
    cs = contracts.load()
    implied = {table for source in cs.sources(portfolio) for table in lineage._implied(source, cs)}
    compared = 0
    for statement in statements.derive(portfolio, "duckdb"):
        there = statement.table in known.steps and statement.table not in implied
        if not there or not set(statement.reads) <= set(known.steps) | {"run"}:
            continue  # the contract gives the mapping
        if "UNPIVOT" in statement.sql:
            continue  # sqlglot takes the column of names for computed from the columns that it names
        roots = oracle(None, statement.sql, schema=schema, dialect="duckdb")
        for column in known.columns(statement.table):
            root = roots[column]
            found = {leaf(node) for node in root.walk() if isinstance(node.expression, exp.Table)}
            expected = {Ref(*name) for name in found if name[1] != "*"}
            assert known.steps[statement.table][column].value == expected, f"{statement.table}.{column}"
            compared += 1
    assert compared > 30


def leaf(node: Node) -> tuple[str, str]:
    assert isinstance(node.expression, exp.Table)
    return node.expression.name, node.name.rpartition(".")[2]


def test_a_column_is_traced_through_all_tables() -> None:
    known = lineage.of("lending")
    origin = known.origin(Ref("open_loans", "amount_to_income"))
    assert origin.value == {Ref("loan_application", "amount"), Ref("customer_profile", "annual_income")}
    assert Ref("loan_application", "status") in origin.filter


def test_sources_that_say_otherwise_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = specification.load("lending")
    wrong = {"amount_to_income": ("loan_application.amount", "loan_application.fees")}
    features = tuple(replace(f, sources=wrong.get(f.name, f.sources)) for f in spec.features)
    monkeypatch.setattr(specification, "load", lambda portfolio: replace(spec, features=features))
    [found] = lineage.contradictions("lending")
    assert found.endswith("amount_to_income: add customer_profile.annual_income; drop loan_application.fees")


def test_what_depends_on_a_column_is_the_reverse_of_where_columns_come_from() -> None:
    known = lineage.of("lending")
    reached = {(str(ref), how) for ref, how in known.dependents(Ref("customer_profile", "annual_income"))}
    assert ("application_features.amount_to_income", "value") in reached
    assert ("customers.annual_income", "value") in reached
    assert not {ref for ref, _ in reached if ref.startswith("repayments.")}
    assert ("application_features.annual_income", "filter") in set(map_text(known, "loan_application.application_date"))


def map_text(known: lineage.Lineage, source: str) -> list[tuple[str, str]]:
    return [(str(ref), how) for ref, how in known.dependents(Ref(*source.split(".")))]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["lineage", *arguments])


def test_the_command_answers_both_ways() -> None:
    up = json.loads(run("lending.loans.amount", "--json").output)
    assert up[0]["value"] == ["loan_application.amount"]
    assert "loan_application.credit_limit" in run("application_features.utilisation").output
    down = json.loads(run("--down", "loan_application.credit_limit", "--json").output)
    assert {"column": "application_features.utilisation", "feature": "utilisation"}.items() <= down[2].items()
    whole = json.loads(run("application_features", "--json").output)
    assert len(whole) == len(lineage.of("lending").columns("application_features"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "no table 'nowhere'"),
        (["loans.nothing"], "no column 'nothing'"),
        (["loan_application.amount"], "--down"),
        (["--down", "loans.amount"], "is no source"),
        (["--down", "loan_application.nothing"], "no column 'nothing'"),
    ],
)
def test_what_there_is_not_is_refused_by_name(arguments: list[str], says: str) -> None:
    error = run(*arguments).exception
    assert isinstance(error, LineageError) and says in str(error)
