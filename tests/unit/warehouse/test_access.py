"""Role by column: what the contracts' PII classes demand, what the migrations grant, and what a SELECT really does."""

from collections.abc import Iterator
from typing import Any

import pytest
from redshift_fixtures import Warehouse
from warehouse_cases import migrated

from embedded_aws.redshift.errors import SqlError
from solvent import contracts
from solvent.contracts import Column, Contract
from solvent.contracts.people import chain, links
from solvent.warehouse import marts
from solvent.warehouse.load import predictions_of

KNOWN = contracts.load()
PUBLISHED = [c for c in KNOWN.values() if c.kind == "published"]
ROLES = ("analyst", "risk_officer", "service", "loader", "eraser", "admin")
DIRECT = [(c, column) for c in PUBLISHED for column in c.columns if column.pii == "direct"]


def readable(role: str, contract: Contract, column: Column) -> bool:
    """The rule, from the contracts alone."""
    if role == "analyst":
        return column.pii not in ("direct", "protected")
    if role == "service":
        served = [predictions_of(KNOWN, portfolio).name for portfolio in ("lending", "bankruptcy")]
        return contract.name in (*served, "load_log")
    if role == "eraser":
        held = links(contract, KNOWN, chain(KNOWN, "lending")) or {"source", "record_key"} <= set(contract.column_names)
        return bool(held) or contract.name == "retained_decisions"
    return True


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    made = migrated(tmp_path_factory.mktemp("warehouse"))
    yield made
    made.database.close()


def select(warehouse: Warehouse, role: str, sql: str) -> list[tuple[Any, ...]]:
    """As an IAM role whose tag RedshiftDbRoles names the role."""
    found: list[Any] = []
    warehouse.database.run(
        [sql], user="IAMR:somebody", roles=[role], finished=lambda _, outcome: found.append(outcome.table)
    )
    return [tuple(row.values()) for row in found[0].to_pylist()]


def granted(warehouse: Warehouse, role: str, contract: Contract) -> set[str]:
    """The columns that the migrations grant, as the system views tell."""
    here = f"namespace_name = '{contract.schema}' AND relation_name = '{contract.name}' AND identity_name = '{role}'"
    if warehouse.rows(f"SELECT 1 FROM svv_relation_privileges WHERE {here} AND privilege_type = 'SELECT'"):
        return set(contract.column_names)
    rows = warehouse.rows(f"SELECT column_name FROM svv_column_privileges WHERE {here} AND privilege_type = 'SELECT'")
    return {name for (name,) in rows}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("contract", PUBLISHED, ids=lambda c: c.table)
def test_a_role_reads_the_columns_that_it_may_read(warehouse: Warehouse, contract: Contract, role: str) -> None:
    read = set()
    for column in contract.columns:
        try:
            select(warehouse, role, f"SELECT {column.name} FROM {contract.table}")
            read.add(column.name)
        except SqlError as error:
            assert "permission denied for" in str(error)
    assert read == {c.name for c in contract.columns if readable(role, contract, c)}
    assert read == granted(warehouse, role, contract)


@pytest.mark.parametrize(("contract", "column"), DIRECT, ids=[f"{c.table}.{column.name}" for c, column in DIRECT])
def test_the_risk_officer_sees_direct_identifiers_masked_and_the_admin_as_they_are(
    warehouse: Warehouse, contract: Contract, column: Column
) -> None:
    required = [c for c in contract.columns if (c.required or c.name in contract.key) and c.name != column.name]
    samples = {"date": "'2026-01-31'", "timestamp": "'2026-01-31 10:00:00'", "string": "'C1'"}
    names = ", ".join([column.name, *(c.name for c in required)])
    values = ", ".join(["'Ada@example.org'", *(samples.get(c.type, "1") for c in required)])
    warehouse.run(f"DELETE FROM {contract.table}", f"INSERT INTO {contract.table} ({names}) VALUES ({values})")
    ask = f"SELECT {column.name} FROM {contract.table}"
    assert select(warehouse, "admin", ask) == [("Ada@example.org",)]
    ((masked,),) = select(warehouse, "risk_officer", ask)
    assert "***" in masked
    assert "Ada" not in masked


@pytest.mark.parametrize("role", ["analyst", "risk_officer", "service"])
def test_who_asks_changes_nothing(warehouse: Warehouse, role: str) -> None:
    for contract in PUBLISHED:
        for statement in (
            f"DELETE FROM {contract.table}",
            f"INSERT INTO {contract.table} SELECT * FROM {contract.table}",
        ):
            with pytest.raises(SqlError, match="permission denied for"):
                select(warehouse, role, statement)


@pytest.mark.parametrize("role", ["analyst", "risk_officer", "service", "admin"])
@pytest.mark.parametrize("mart", marts.read(), ids=lambda mart: mart.name)
def test_marts_are_read_by_everyone_but_for_personal_data(warehouse: Warehouse, mart: marts.Mart, role: str) -> None:
    personal = {c.pii for c in mart.contract.columns} & {"direct", "protected"}
    try:
        select(warehouse, role, f"SELECT * FROM {mart.contract.table} LIMIT 1")
        read = True
    except SqlError as error:
        assert "permission denied for relation" in str(error)
        read = False
    assert read == (not personal or role in ("risk_officer", "admin"))


def test_a_caller_without_a_role_reads_nothing(warehouse: Warehouse) -> None:
    for contract in PUBLISHED:
        with pytest.raises(SqlError, match=f"permission denied for schema {contract.schema}"):
            warehouse.run(f"SELECT COUNT(*) FROM {contract.table}", user="IAMR:somebody")
