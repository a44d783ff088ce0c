"""The Data API tells its callers what AWS tells them: states, errors, pages, and one id per client token."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ministack")
from embedded_aws import service
from embedded_aws.redshift import callers, data_api, namespaces, runner, workgroups
from embedded_aws.redshift.control import control
from embedded_aws.redshift.databases import databases
from embedded_aws.service import ApiError


@pytest.fixture(autouse=True)
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SOLVENT_EMBEDDED_HOME", str(tmp_path))
    clear()
    namespaces.create_namespace({"namespaceName": "bank", "dbName": "solvent"})
    workgroups.create_workgroup({"workgroupName": "bank", "namespaceName": "bank", "baseCapacity": 4})
    yield
    databases.close_all()
    clear()


def clear() -> None:
    for records in (*namespaces.state.values(), *runner.state.values()):
        records.clear()


def call(operation: str, **request: Any) -> dict[str, Any]:
    return data_api.data.call(operation, request)


def submit(*statements: str, **more: Any) -> dict[str, Any]:
    request = {"WorkgroupName": "bank", "Database": "solvent", "WaitTimeSeconds": 10, **more}
    if len(statements) == 1:
        return call("ExecuteStatement", Sql=statements[0], **request)
    return call("BatchExecuteStatement", Sqls=list(statements), **request)


def ended(*statements: str, **more: Any) -> dict[str, Any]:
    return call("DescribeStatement", Id=submit(*statements, **more)["Id"])


def test_a_result_has_typed_cells_and_redshifts_type_names() -> None:
    identifier = submit(
        "SELECT 1 AS i, 1.5::float8 AS f, 'a' AS s, true AS b, NULL::int AS n, "
        "'2024-01-31'::date AS d, 1.50::decimal(5,2) AS m"
    )["Id"]
    found = call("GetStatementResult", Id=identifier)
    assert found["Records"] == [
        [{"longValue": 1}, {"doubleValue": 1.5}, {"stringValue": "a"}, {"booleanValue": True}, {"isNull": True}]
        + [{"stringValue": "2024-01-31"}, {"stringValue": "1.50"}]
    ]
    names = [column["typeName"] for column in found["ColumnMetadata"]]
    assert names == ["int4", "float8", "varchar", "bool", "int4", "date", "numeric"]


@pytest.mark.contract(
    "redshift.result-pages",
    page="https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html",
    quote="A token is returned to page through the statement results.",
)
def test_results_come_in_pages() -> None:
    identifier = submit("SELECT x FROM generate_series(1, 2500) AS t(x)")["Id"]
    rows, token = [], None
    while True:
        page = call("GetStatementResult", Id=identifier, **({"NextToken": token} if token else {}))
        rows += [row[0]["longValue"] for row in page["Records"]]
        if not (token := page.get("NextToken")):
            break
    assert rows == list(range(1, 2501))
    assert page["TotalNumRows"] == 2500


def test_a_failed_batch_names_the_statement_and_keeps_nothing() -> None:
    found = ended("CREATE TABLE t (a INT)", "SELECT 1 / 0", "SELECT 1")
    assert (found["Status"], found["HasResultSet"]) == ("FAILED", False)
    assert found["Error"] == "Query #2 failed with ERROR: Divide by zero"
    assert [s["Status"] for s in found["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert ended("SELECT * FROM t")["Error"] == 'ERROR: relation "t" does not exist'


@pytest.mark.contract(
    "redshift.auto-commit",
    page="https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html",
    says="With ExecutionMode AUTO_COMMIT each statement is committed by itself.",
)
def test_auto_commit_keeps_what_succeeded() -> None:
    found = ended("CREATE TABLE t (a INT)", "SELECT 1 / 0", "INSERT INTO t VALUES (1)", ExecutionMode="AUTO_COMMIT")
    assert found["Status"] == "FAILED"
    assert [s["Status"] for s in found["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert ended("SELECT * FROM t")["ResultRows"] == 1


def test_results_of_sub_statements_have_their_own_ids() -> None:
    identifier = submit("SELECT 1", "SELECT 2")["Id"]
    for suffix, value in ((":1", 1), (":2", 2), ("", 2)):
        assert call("GetStatementResult", Id=identifier + suffix)["Records"] == [[{"longValue": value}]]


@pytest.mark.contract(
    "redshift.client-token",
    page="https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html",
    quote="A unique, case-sensitive identifier that you provide to ensure the idempotency of the request.",
)
def test_a_client_token_runs_once() -> None:
    submit("CREATE TABLE t (a INT)")
    first = submit("INSERT INTO t VALUES (1)", ClientToken="load-1")
    assert submit("INSERT INTO t VALUES (1)", ClientToken="load-1")["Id"] == first["Id"]
    assert ended("SELECT * FROM t")["ResultRows"] == 1


def test_affected_rows_are_counted() -> None:
    submit("CREATE TABLE t (a INT)")
    assert ended("INSERT INTO t VALUES (1), (2)")["ResultRows"] == 2
    assert ended("DELETE FROM t WHERE a = 1")["ResultRows"] == 1


def test_parameters() -> None:
    identifier = submit("SELECT :a::int + 1", Parameters=[{"name": "a", "value": "41"}])["Id"]
    assert call("GetStatementResult", Id=identifier)["Records"] == [[{"longValue": 42}]]
    with pytest.raises(ApiError, match="unused parameters"):
        submit("SELECT 1", Parameters=[{"name": "a", "value": "41"}])


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("ExecuteStatement", {"Sql": "SELECT 1", "Database": "solvent"}, "ValidationException", "is required"),
        ("ExecuteStatement", {"Sql": "SELECT 1", "Database": "x", "WorkgroupName": "no"}, "ValidationException",
         "Redshift endpoint doesn't exist in this region."),
        ("ExecuteStatement", {"Sql": "SELECT '" + "x" * 102_400 + "'", "Database": "solvent", "WorkgroupName": "bank"},
         "ValidationException", "larger than 100kB"),
        ("BatchExecuteStatement", {"Sqls": ["SELECT 1"] * 41, "Database": "solvent", "WorkgroupName": "bank"},
         "ValidationException", "1 to 40"),
        ("DescribeStatement", {"Id": "d9b6c0c9-0747-4bf4-b142-e8883122f766"}, "ResourceNotFoundException",
         "does not exist"),
    ],
)  # fmt: skip
def test_what_is_refused(operation: str, request_: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ApiError) as error:
        data_api.data.call(operation, request_)
    assert error.value.code == code
    assert message in str(error.value)


def test_another_database_is_a_failed_connection() -> None:
    assert ended("SELECT 1", Database="other")["Error"] == 'FATAL: database "other" does not exist'


def test_a_statement_without_rows_has_no_result() -> None:
    identifier = submit("CREATE TABLE t (a INT)")["Id"]
    with pytest.raises(ApiError, match="Query does not have result"):
        call("GetStatementResult", Id=identifier)


def test_csv_results() -> None:
    identifier = submit("SELECT 1 AS a, 'x,y' AS b", ResultFormat="CSV")["Id"]
    assert call("GetStatementResultV2", Id=identifier)["Records"] == [{"CSVRecords": 'a,b\r\n1,"x,y"\r\n'}]


def test_what_ran_when_the_process_ended_has_failed() -> None:
    identifier = submit("SELECT 1")["Id"]
    runner.state["statements"][identifier].update(Status="STARTED", CreatedAt=0)
    runner.after_restart()
    assert call("DescribeStatement", Id=identifier)["Status"] == "FAILED"


def test_the_catalog() -> None:
    submit("CREATE TABLE t (a VARCHAR(9) NOT NULL)")
    where = {"WorkgroupName": "bank", "Database": "solvent"}
    assert call("ListTables", **where)["Tables"] == [{"schema": "public", "name": "t", "type": "TABLE"}]
    column = call("DescribeTable", Table="t", Schema="public", **where)["ColumnList"][0]
    assert (column["name"], column["typeName"], column["length"], column["nullable"]) == (
        "a",
        "character varying",
        9,
        0,
    )


@pytest.mark.contract(
    "redshift.capacity",
    page="https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateWorkgroup.html",
    quote="The base data warehouse capacity of the workgroup in Redshift Processing Units (RPUs).",
)
@pytest.mark.parametrize("capacity", [5, 12, 2048])
def test_a_capacity_that_aws_does_not_sell(capacity: int) -> None:
    with pytest.raises(ApiError, match="capacity"):
        request = {"workgroupName": "other", "namespaceName": "bank", "baseCapacity": capacity}
        control.call("CreateWorkgroup", request)


@pytest.mark.contract(
    "redshift.namespace-in-use",
    page="https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_DeleteNamespace.html",
    says="A namespace that a workgroup uses cannot be deleted.",
)
def test_a_namespace_with_a_workgroup_is_not_deleted() -> None:
    with pytest.raises(ApiError) as error:
        control.call("DeleteNamespace", {"namespaceName": "bank"})
    assert error.value.code == "ConflictException"


def test_a_deleted_namespace_takes_its_data_along() -> None:
    submit("CREATE TABLE t (a INT)")
    control.call("DeleteWorkgroup", {"workgroupName": "bank"})
    control.call("DeleteNamespace", {"namespaceName": "bank"})
    namespaces.create_namespace({"namespaceName": "bank", "dbName": "solvent"})
    workgroups.create_workgroup({"workgroupName": "bank", "namespaceName": "bank", "baseCapacity": 4})
    assert ended("SELECT * FROM t")["Status"] == "FAILED"


@pytest.mark.contract(
    "redshift.federated-roles",
    page="https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html",
    says="The tag RedshiftDbRoles of an IAM principal names the database roles that it has; without it, it has none.",
)
@pytest.mark.parametrize(
    ("arn", "tags", "roles"),
    [
        (
            "arn:aws:sts::1:assumed-role/people/me",
            {"RedshiftDbRoles": "analyst:risk_officer"},
            ["analyst", "risk_officer"],
        ),
        ("arn:aws:sts::1:assumed-role/people/me", {"team": "risk"}, []),
        ("arn:aws:iam::1:user/ada", {"RedshiftDbRoles": "analyst"}, ["analyst"]),
        ("arn:aws:iam::1:root", {}, ["admin"]),
    ],
)
def test_the_tag_of_the_caller_names_its_roles(
    monkeypatch: pytest.MonkeyPatch, arn: str, tags: dict[str, str], roles: list[str]
) -> None:
    class Iam:
        def list_role_tags(self, RoleName: str) -> dict[str, Any]:  # noqa: N803
            assert RoleName == "people"
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

        def list_user_tags(self, UserName: str) -> dict[str, Any]:  # noqa: N803
            assert UserName == "ada"
            return self.list_role_tags("people")

    monkeypatch.setattr(callers, "caller_arn", lambda: arn)
    monkeypatch.setattr(service, "operator_client", lambda name: Iam())
    monkeypatch.setattr(service, "authorize", lambda *_: None)
    assert submit("SELECT 1")["Status"] == "FINISHED"
    (record,) = runner.state["statements"].values()
    assert record["DbRoles"] == roles
    assert "DbRoles" not in call("DescribeStatement", Id=record["Id"])
