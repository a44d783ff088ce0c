"""Saved queries as the checkout has them: what contradicts its contract, and which parameters are refused."""

from dataclasses import replace

import pytest

from solvent import contracts
from solvent.contracts import Contracts
from solvent.contracts.model import Parameter
from solvent.warehouse import queries
from solvent.warehouse.queries import Query, QueryError

KNOWN = contracts.load()
PARAMETERS = (
    Parameter("days", "integer", "Days past due", "30"),
    Parameter("since", "date", "First day"),
    Parameter("rate", "number", "A rate", "0.5"),
    Parameter("region", "string", "The region", "north"),
)
QUERY = Query(replace(KNOWN["rows_of_run"], name="overdue", parameters=PARAMETERS), "-- Who? Reads x.\nSELECT 1;")


def test_every_saved_query_of_the_checkout_is_read() -> None:
    assert set(queries.read()) == {c.name for c in KNOWN.queries()}


def test_defaults_fill_what_is_not_given() -> None:
    assert QUERY.arguments({"since": "2026-01-01", "days": "60"}) == {
        "days": "60",
        "since": "2026-01-01",
        "rate": "0.5",
        "region": "north",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "'since' is missing: First day"),
        ({"since": "yesterday"}, "'since' must be a date, 2026-06-30, not 'yesterday'"),
        ({"since": "2026-01-01", "days": "1.5"}, "'days' must be a whole number, not '1.5'"),
        ({"since": "2026-01-01", "rate": "half"}, "'rate' must be a number, not 'half'"),
        ({"since": "2026-01-01", "dayz": "1"}, "'dayz' is no parameter of it.* It takes days, since, rate, region"),
    ],
)
def test_wrong_parameters_are_refused_by_name(given: dict[str, str], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        QUERY.arguments(given)


def test_the_question_and_the_statement_are_told_apart() -> None:
    assert (QUERY.question, QUERY.sql) == ("Who?", "SELECT 1")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "rows_of_run.sql has 0 statements"),
        ({"rows_of_run": "SELECT :run_id; SELECT 1"}, "rows_of_run.sql has 2 statements"),
        ({"rows_of_run": "SELECT :day"}, "not have the same parameters: :day, :run_id"),
        ({"rows_of_run": "SELECT :run_id", "stray": "SELECT 1"}, "stray.sql has no contract"),
    ],
)
def test_a_file_that_contradicts_its_contract_is_refused_by_name(files: dict[str, str], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        queries.parse(Contracts({"rows_of_run": KNOWN["rows_of_run"]}), files)


def test_placeholders_are_neither_casts_nor_in_quotes_nor_in_comments() -> None:
    sql = "SELECT a::int, :b, ':c', \":d\", x > :e_1 /* :f */ -- :g"
    assert queries.placeholders(sql) == {"b", "e_1"}
