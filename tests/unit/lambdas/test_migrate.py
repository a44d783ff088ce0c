from typing import Any

import pytest
from fakes import RedshiftData, load_handler

from solvent import custom_resource
from solvent.naming import DATABASE
from solvent.warehouse import migrations
from solvent.warehouse.data_api import DataApi

EVENT = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "Migrations", "ResponseURL": "https://answer.example"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "send", lambda url, body: found.append(dict(body)))
    return found


def invoke(kind: str, data: RedshiftData) -> None:
    function = load_handler("migrate")
    assert function.warehouse._where["SecretArn"].startswith("arn:aws:secretsmanager:")
    function.warehouse = DataApi(data, workgroup="solvent-dev", database=DATABASE, sleep=lambda _: None)
    function.handler({**EVENT, "RequestType": kind}, None)


def empty_warehouse() -> RedshiftData:
    data = RedshiftData()
    data.has_result = True
    data.pages = [{"ColumnMetadata": [{"name": "version"}, {"name": "checksum"}], "Records": []}]
    return data


def test_create_applies_every_migration_in_order(answers: list[dict[str, Any]]) -> None:
    data = empty_warehouse()
    invoke("Create", data)
    assert answers[0]["Status"] == "SUCCESS"
    assert answers[0]["Data"]["Applied"] == ",".join(m.version for m in migrations.read()[1:])
    batches = [r["Sqls"] for r in data.sent("batch_execute_statement")]
    assert any('CREATE USER "IAMR:solvent-dev-warehouse-load" PASSWORD DISABLE' in batch for batch in batches)


def test_delete_touches_nothing(answers: list[dict[str, Any]]) -> None:
    data = RedshiftData()
    invoke("Delete", data)
    assert answers[0]["Status"] == "SUCCESS"
    assert data.requests == []


def test_a_failing_migration_fails_the_deploy_with_redshifts_words(answers: list[dict[str, Any]]) -> None:
    data = empty_warehouse()
    data.progress, data.error = ["FAILED"], 'ERROR: permission denied for schema "ops"'
    invoke("Update", data)
    assert answers[0]["Status"] == "FAILED"
    assert "permission denied for schema" in answers[0]["Reason"]


def test_the_physical_id_never_changes(answers: list[dict[str, Any]]) -> None:
    for kind in ("Create", "Update", "Delete"):
        invoke(kind, empty_warehouse())
    assert {a["PhysicalResourceId"] for a in answers} == {"solvent-dev-migrations"}
