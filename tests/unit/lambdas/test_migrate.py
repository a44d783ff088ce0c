from typing import Any

import pytest
from fakes import RedshiftData, load_handler

from solvent import custom_resource
from solvent.naming import DATABASE
from solvent.warehouse import marts, migrations
from solvent.warehouse.data_api import MOST_STATEMENTS, DataApi

EVENT = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "Migrations", "ResponseURL": "https://answer.example"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "send", lambda url, body: found.append(dict(body)))
    return found


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def call(event: dict[str, Any], data: RedshiftData) -> Any:
    function = load_handler("migrate")
    assert function.warehouse._where["SecretArn"].startswith("arn:aws:secretsmanager:")
    function.warehouse = DataApi(data, workgroup="solvent-dev", database=DATABASE, sleep=lambda _: None)
    return function.handler(event, Context())


def invoke(kind: str, data: RedshiftData) -> None:
    call({**EVENT, "RequestType": kind}, data)


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
    assert answers[0]["Data"]["Marts"] == ",".join(m.name for m in marts.read())
    assert answers[0]["Data"]["Options"] == "sql_model"
    assert len(str(answers[0])) < 4096  # of an answer CloudFormation reads no more
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


def test_a_person_is_told_what_has_been_applied_and_nothing_is_touched(answers: list[dict[str, Any]]) -> None:
    data = empty_warehouse()
    assert call({"action": "ledgers"}, data) == {"migrations": {}, "marts": {}, "options": {}}
    assert {operation for operation, _ in data.requests} == {
        "execute_statement", "describe_statement", "get_statement_result",
    }  # fmt: skip
    assert answers == []


def test_a_person_who_applies_is_told_what_was_done(answers: list[dict[str, Any]]) -> None:
    done = call({"action": "apply"}, empty_warehouse())
    assert done == {
        "migrations": [m.version for m in migrations.read()[1:]],
        "marts": [m.name for m in marts.read()],
        "options": ["sql_model"],
    }
    assert answers == []


def test_every_transaction_of_an_upgrade_fits_the_data_api(answers: list[dict[str, Any]]) -> None:
    data = empty_warehouse()
    invoke("Create", data)  # the client refuses what the Data API would refuse
    batches = [r["Sqls"] for r in data.sent("batch_execute_statement")]
    assert max(len(batch) for batch in batches) <= MOST_STATEMENTS
    one_each = [batch for batch in batches if any("INSERT INTO ops.marts_ledger" in sql for sql in batch)]
    assert len(one_each) == len(marts.read())


def test_what_takes_longer_than_the_function_lives_is_cancelled_and_told(answers: list[dict[str, Any]]) -> None:
    data, now = empty_warehouse(), [0.0]
    data.progress = ["STARTED"]
    function = load_handler("migrate")
    function.warehouse = DataApi(
        data, workgroup="w", database=DATABASE, sleep=lambda s: now.append(now[-1] + 60), clock=lambda: now[-1]
    )
    context = Context()
    context.get_remaining_time_in_millis = lambda: 150_000  # type: ignore[method-assign]
    function.handler({**EVENT, "RequestType": "Update"}, context)
    assert answers[0]["Status"] == "FAILED"
    assert "after 120 s and has been cancelled" in answers[0]["Reason"]
