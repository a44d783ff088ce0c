"""The option streaming_view on the embedded engine: what arrives on the stream is seen when somebody refreshes."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_client import EngineClient
from redshift_fixtures import ROLE, Warehouse
from warehouse_cases import migrated, rows_of

from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.streams import StreamBatch
from solvent import contracts
from solvent.warehouse import grants, options
from solvent.warehouse.data_api import DataApi

STREAM, ANALYST = "solvent-test-events", "IAMR:somebody"
EVENT = {
    "event_id": "E1",
    "loan_id": "L1",
    "stage": "submitted",
    "team": "branch",
    "occurred_at": "2026-07-01T12:00:00",
}


def batch(number: int, *events: dict[str, str] | bytes) -> StreamBatch:
    lines = [e if isinstance(e, bytes) else json.dumps(e).encode() for e in events]
    return StreamBatch(f"{number}.jsonl", "shard-0", str(number), dt.datetime(2026, 7, 1, 12, 0, number), lines)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    made = migrated(tmp_path)
    made.streams.stored[STREAM] = [batch(1, EVENT, b"no json")]
    made.run(f'CREATE USER "{ANALYST}" PASSWORD DISABLE', f'GRANT ROLE analyst TO "{ANALYST}"', user="admin")
    yield made
    made.database.close()


def switch(warehouse: Warehouse, *wanted: str) -> list[str]:
    api = DataApi(EngineClient(warehouse.database), workgroup="w", database="solvent")
    return options.apply(api, wanted, prefix="solvent-test")


def test_events_are_seen_once_refreshed_and_what_is_no_json_is_left_out(warehouse: Warehouse) -> None:
    switch(warehouse, "streaming_view")
    warehouse.streams.stored[STREAM] = [batch(2, {**EVENT, "event_id": "E2", "team": "desk"})]
    seen = "SELECT * FROM marts.application_events_live ORDER BY event_id"
    first = {"arrived_at": dt.datetime(2026, 7, 1, 12, 0, 1), "shard_id": "shard-0", "sequence_number": "1", **EVENT}
    assert rows_of(warehouse, seen) == [first]
    with pytest.raises(SqlError, match="owner"):
        warehouse.run("REFRESH MATERIALIZED VIEW marts.application_events_live", user=ANALYST)
    warehouse.run("CALL ops.refresh_application_events_live()", user=ANALYST)
    assert [(row["event_id"], row["team"]) for row in rows_of(warehouse, seen)] == [("E1", "branch"), ("E2", "desk")]
    assert set(warehouse.streams.roles) == {ROLE}


def test_it_has_the_columns_of_its_contract_and_the_readers_that_the_dictionary_names(warehouse: Warehouse) -> None:
    switch(warehouse, "streaming_view")
    contract = contracts.load()["application_events_live"]
    made = rows_of(
        warehouse,
        "SELECT column_name FROM svv_columns "
        "WHERE table_schema = 'marts' AND table_name = 'application_events_live' ORDER BY ordinal_position",
    )
    assert [row["column_name"] for row in made] == list(contract.column_names)
    granted = rows_of(
        warehouse,
        "SELECT identity_name FROM svv_relation_privileges WHERE relation_name = 'application_events_live' "
        "AND privilege_type = 'SELECT' AND identity_type = 'role' ORDER BY 1",
    )
    reads = grants.access(contracts.load()).reads[contract.table]
    readers = {row["identity_name"] for row in granted}
    assert readers == set(reads) == {"admin", "analyst", "risk_officer"}
    assert set().union(*reads.values()) == set(contract.column_names)


def test_taken_back_it_leaves_nothing_and_made_again_it_is_whole(warehouse: Warehouse) -> None:
    for wanted in (["streaming_view"], [], ["streaming_view"]):
        assert switch(warehouse, *wanted) == ["streaming_view"]
    assert [row["event_id"] for row in rows_of(warehouse, "SELECT event_id FROM marts.application_events_live")] == [
        "E1"
    ]
    switch(warehouse)
    found = rows_of(warehouse, "SELECT table_name FROM svv_tables WHERE table_name = 'application_events_live'")
    assert found == []
