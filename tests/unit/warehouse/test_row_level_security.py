"""The option row_level_security on the embedded engine: analysts of a region, and whether they see another one."""

from collections.abc import Iterator
from typing import Any

import pytest
from engine_client import EngineClient
from redshift_fixtures import Warehouse
from warehouse_cases import copied, fill

from embedded_aws.redshift.errors import SqlError
from solvent import contracts
from solvent.naming import Names
from solvent.warehouse import marts, options, regions
from solvent.warehouse.data_api import DataApi

NAMES, MARTS, KNOWN = Names("test"), {m.name: m for m in marts.read()}, contracts.load()
GROUPS = {"north": ["North"], "coast": ["North", "South"]}
EXPECTED = {"north": {"North"}, "coast": {"North", "South"}, "nobody": set()}
# Of one loan a row, but about the whole bank: which share is approved up to this loan.
OF_THE_BANK = {"approval_curves"}
REGIONAL = sorted(
    {"customers", "loans", "repayments", "segments"}
    | {m.name for m in MARTS.values() if {"customer_id", "loan_id"} & set(m.contract.column_names)} - OF_THE_BANK
)


def given() -> dict[str, list[dict[str, Any]]]:
    """Of each of three regions one customer with two loans, of which the second is late, dear and declined."""
    names = ("customers", "loans", "repayments", "application_features", "predictions")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number, region in enumerate(("North", "South", "East")):
        customer = f"C{number}"
        rows["customers"].append({"customer_id": customer, "region": region, "annual_income": 1000})
        for second in (0, 1):
            loan = {"loan_id": f"L{number}{second}", "customer_id": customer}
            day = {"application_date": f"2026-01-0{1 + second}", "status": "open"}
            rows["loans"].append({**loan, **day, "amount": 900 + second * 900, "credit_balance": 20})
            rows["application_features"].append({**loan, "annual_income": 1000, "utilisation": (1 + second) / 10})
            due = {"payment_id": f"P{number}{second}", "loan_id": loan["loan_id"], "due_date": "2026-02-01"}
            rows["repayments"].append({**due, "instalment_number": 1, "amount_due": 100, "amount_paid": 0})
            scored = {"loan_id": loan["loan_id"], "as_of": "2026-03-01", "probability": 0.9, "band": "E"}
            rows["predictions"].append({**scored, "decision": "decline", "model_version": "1"})
    loaded = {"run_id": "a1", "portfolio": "lending", "source": "repayment_history", "as_of": "2026-06-30"}
    return {"ops.load_log": [loaded]} | {KNOWN[name].table: filled for name, filled in rows.items()}


@pytest.fixture(scope="module")
def warehouse(empty: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    made = copied(empty, tmp_path_factory.mktemp("regions"))
    fill(made, given())
    assert options.apply(api(made), [regions.OPTION], prefix="solvent-test") == [regions.OPTION]
    regions.apply(api(made), GROUPS, NAMES)
    yield made
    made.database.close()


def api(warehouse: Warehouse) -> DataApi:
    return DataApi(EngineClient(warehouse.database), workgroup="w", database="solvent")


def select(warehouse: Warehouse, group: str, sql: str, role: str = "regional_analyst") -> list[tuple[Any, ...]]:
    """As whoever assumed the IAM role of a group, whose tag names the role."""
    found: list[Any] = []
    user = f"IAMR:{NAMES.regional(group)}"
    warehouse.database.run([sql], user=user, roles=[role], finished=lambda _, outcome: found.append(outcome.table))
    return [tuple(row.values()) for row in found[0].to_pylist()]


def test_what_is_of_a_customer_has_a_view_of_regions_with_the_columns_of_an_analyst(warehouse: Warehouse) -> None:
    listed = "SELECT relname FROM svv_rls_attached_policy WHERE is_rls_on AND grantee = 'regional_analyst' ORDER BY 1"
    assert [name for (name,) in warehouse.rows(listed)] == REGIONAL
    for name in set(REGIONAL) - {"segments"}:
        open_to_analysts = {c.name for c in KNOWN[name].columns if c.pii not in ("direct", "protected")}
        assert {c for (c,) in _columns(warehouse, name)} == open_to_analysts | {"region"}, name


@pytest.mark.parametrize("name", REGIONAL)
def test_an_analyst_of_a_region_sees_its_rows_exactly(warehouse: Warehouse, name: str) -> None:
    whole = warehouse.rows(f"SELECT * FROM regional.{name}")
    (place,) = (i for i, (c,) in enumerate(_columns(warehouse, name)) if c == "region")
    assert {row[place] for row in whole} == {"North", "South", "East"}, "the case has rows of every region"
    for group, seen in EXPECTED.items():
        rows = select(warehouse, group, f"SELECT * FROM regional.{name}")
        assert sorted(rows, key=str) == sorted((row for row in whole if row[place] in seen), key=str)


def _columns(warehouse: Warehouse, name: str) -> list[tuple[Any, ...]]:
    columns = "SELECT column_name FROM svv_columns WHERE table_schema = 'regional' AND table_name = :name"
    return warehouse.rows(f"{columns} ORDER BY ordinal_position", name=name)


@pytest.mark.parametrize(
    "relation", [c.table for c in KNOWN.values() if c.kind in ("published", "mart") and not c.option]
)
def test_there_is_no_way_around(warehouse: Warehouse, relation: str) -> None:
    with pytest.raises(SqlError, match="permission denied for"):
        select(warehouse, "north", f"SELECT 1 FROM {relation}")


def test_nobody_gives_himself_a_region(warehouse: Warehouse) -> None:
    for statement in (
        "SELECT * FROM ops.regions_of_users",
        "INSERT INTO ops.regions_of_users SELECT 'x', 'East'",
        "CREATE VIEW regional.mine AS SELECT * FROM lending.customers WITH NO SCHEMA BINDING",
    ):
        with pytest.raises(SqlError, match="permission denied for"):
            select(warehouse, "north", statement)


def test_an_analyst_without_a_region_sees_all_of_the_marts(warehouse: Warehouse) -> None:
    loans = "SELECT region, COUNT(*) FROM marts.loan_payments GROUP BY 1 ORDER BY 1"
    assert select(warehouse, "north", loans, role="analyst") == [("East", 2), ("North", 2), ("South", 2)]


def test_the_policy_outlives_a_mart_that_is_made_anew_and_the_option_goes_whole(warehouse: Warehouse) -> None:
    count = "SELECT COUNT(*) FROM regional.loan_payments"
    remade = marts.remake(MARTS["loan_payments"], {"loan_payments": ("materialized view", "")})
    warehouse.run(*remade)
    assert select(warehouse, "north", count) == [(2,)]
    assert options.apply(api(warehouse), [], prefix="solvent-test") == [regions.OPTION]
    with pytest.raises(SqlError, match="does not exist|permission denied"):
        select(warehouse, "north", count)
    assert warehouse.rows("SELECT polname FROM svv_rls_policy") == []
    assert warehouse.rows("SELECT 1 FROM svv_tables WHERE table_name = 'regions_of_users'") == []
