"""The live model as a function of SQL: from the specification, made once, granted, made anew when it changes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from engine_client import EngineClient
from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError
from solvent import contracts, naming, specification
from solvent.naming import PEOPLE
from solvent.warehouse import models, options, queries
from solvent.warehouse.data_api import DataApi, StatementFailed
from solvent.warehouse.models import SCHEMA, SqlModel

LOADER = "IAMR:solvent-dev-warehouse-load"
LENDING = SqlModel(specification.load("lending"), "solvent-dev-lending")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """With the option, and an endpoint that answers with the number of fields that have a value."""
    made = Warehouse(tmp_path)
    made.run("CREATE SCHEMA ops", *(f"CREATE ROLE {role}" for role in ("loader", *PEOPLE)), user="admin")
    made.run(f'CREATE USER "{LOADER}" PASSWORD DISABLE', f'GRANT ROLE loader TO "{LOADER}"', user="admin")
    switch(made, "sql_model")
    made.endpoints.known["solvent-dev-lending"] = lambda body: b"".join(
        b"%d\n" % sum(map(bool, line.split(b","))) for line in body.splitlines()
    )
    yield made
    made.database.close()


def api(warehouse: Warehouse, user: str = LOADER) -> DataApi:
    return DataApi(EngineClient(warehouse.database, user), workgroup="w", database="solvent")


def switch(warehouse: Warehouse, *wanted: str) -> list[str]:
    return options.apply(api(warehouse, "admin"), wanted, prefix="solvent-dev")


def listed(warehouse: Warehouse) -> list[list[str]]:
    return api(warehouse).query("SHOW MODEL ALL").rows


def test_the_function_is_made_once_and_asks_the_endpoint(warehouse: Warehouse) -> None:
    assert models.make(api(warehouse), LENDING) == "ml.probability_of_default was made"
    assert models.make(api(warehouse), LENDING) == "ml.probability_of_default is as it was"
    assert listed(warehouse) == [["ml", LENDING.name]]
    columns = ", ".join(f"NULL AS {name}" for name in LENDING.features if name != "amount")
    asked = f"SELECT {LENDING.call()} FROM (SELECT 9000 AS amount, {columns}) AS applicants"  # noqa: S608
    assert api(warehouse).query(asked).rows == [[1.0]]
    assert (
        warehouse.endpoints.requests[-1][2]
        == b"," * LENDING.features.index("amount")
        + b"9000.0"
        + b"," * (len(LENDING.features) - LENDING.features.index("amount") - 1)
        + b"\n"
    )


@pytest.mark.parametrize("role", [*PEOPLE, None])
def test_who_has_one_of_the_roles_may_call_it_and_nobody_else(warehouse: Warehouse, role: str | None) -> None:
    models.make(api(warehouse), LENDING)
    warehouse.run("CREATE USER somebody PASSWORD DISABLE", user="admin")
    call = f"SELECT {SCHEMA}.{LENDING.specification.sql_function}({', '.join(['NULL'] * len(LENDING.features))})"
    if role:
        warehouse.run(f"GRANT ROLE {role} TO somebody", user="admin")
        assert warehouse.run(call, user="somebody")[0].rows == 1
    else:
        with pytest.raises(SqlError, match="permission denied"):
            warehouse.run(call, user="somebody")


def test_another_signature_takes_the_functions_place_and_other_portfolios_keep_theirs(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["solvent-dev-bankruptcy"] = warehouse.endpoints.known["solvent-dev-lending"]
    bankruptcy = SqlModel(specification.load("bankruptcy"), "solvent-dev-bankruptcy")
    models.make(api(warehouse), LENDING)
    models.make(api(warehouse), bankruptcy)
    fewer = replace(LENDING, specification=replace(LENDING.specification, features=LENDING.specification.features[1:]))
    assert fewer.name != LENDING.name
    assert models.make(api(warehouse), fewer) == "ml.probability_of_default was made"
    assert listed(warehouse) == [["ml", bankruptcy.name], ["ml", fewer.name]]


def test_a_function_that_failed_to_be_granted_is_granted_by_the_next_call(warehouse: Warehouse) -> None:
    api(warehouse).execute(LENDING.create())
    sent: list[str] = []
    spied = api(warehouse)
    spied.execute = lambda sql, *_, **__: sent.append(sql) or {}  # type: ignore[method-assign,func-returns-value]
    spied.query = api(warehouse).query  # type: ignore[method-assign]
    models.make(spied, LENDING)
    assert sent == [f'GRANT EXECUTE ON MODEL ml."{LENDING.name}" TO ROLE {role}' for role in PEOPLE]


def test_without_an_endpoint_there_is_no_function(warehouse: Warehouse) -> None:
    nowhere = replace(LENDING, endpoint="solvent-dev-nowhere")
    with pytest.raises(StatementFailed, match="solvent-dev-nowhere does not exist"):
        models.make(api(warehouse), nowhere)
    assert listed(warehouse) == []


@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_the_arguments_are_the_columns_of_the_features_table_with_types_that_cast_by_themselves(
    portfolio: str,
) -> None:
    model = SqlModel(specification.load(portfolio), "e")
    table = contracts.load()[model.specification.features_table]
    kinds = {"numeric": {"number", "integer"}, "categorical": {"string"}}
    for name in model.features:
        assert table.column(name).type in kinds[model.specification.feature(name).kind], name
    assert model.create().count("FLOAT8") + model.create().count("VARCHAR") == len(model.features) + 1


def test_the_saved_query_calls_the_function_as_the_specification_has_it() -> None:
    text = " ".join(queries.read()["score_with_the_live_model"].sql.split())
    assert LENDING.call() in text.replace("( ", "(").replace(" )", ")")


def test_a_request_stays_below_what_an_endpoint_takes() -> None:
    from solvent import serving

    longest = max(len(SqlModel(specification.load(p), "e").features) for p in naming.PORTFOLIOS)
    assert models.ROWS_A_REQUEST * longest * 40 < serving.LARGEST_BODY  # a number has at most 24 characters


def test_the_option_is_taken_back_and_made_again_with_the_models_kept(warehouse: Warehouse) -> None:
    models.make(api(warehouse), LENDING)
    assert switch(warehouse) == ["sql_model"]
    assert switch(warehouse, "sql_model") == ["sql_model"]
    assert models.make(api(warehouse), LENDING) == "ml.probability_of_default is as it was"
