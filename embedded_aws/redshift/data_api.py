"""The Redshift Data API: its operations by name; statements looked at, results fetched in pages."""

import csv
import io
from collections.abc import Callable
from typing import Any

from embedded_aws import service
from embedded_aws.redshift import data_catalog, namespaces, ownership, runner, submission
from embedded_aws.redshift.runner import state
from embedded_aws.service import ApiError, JsonService

Json = dict[str, Any]

_NOT_DESCRIBED = ("StatementName", "IsBatchStatement", "ClientToken", "OwnerUserId", "DbRoles")


def _find(request: Json) -> Json:
    identifier = request["Id"].partition(":")[0]
    if identifier not in state["statements"]:
        raise ApiError("ResourceNotFoundException", "Query does not exist.")
    return state["statements"][identifier]


def describe_statement(request: Json) -> Json:
    """DescribeStatement."""
    record = _find(request)
    runner.wait(record["Id"], request)
    return {k: v for k, v in record.items() if k not in _NOT_DESCRIBED}


def _page(request: Json) -> tuple[Json, list[Json], list[list[Json]], Json]:
    record = _find(request)
    runner.wait(record["Id"], request)
    key = request["Id"]
    if ":" not in key and record["IsBatchStatement"]:
        key = f"{key}:{len(record['SubStatements'])}"
    page = runner.results().page(key, int(request.get("NextToken") or 0)) if record["Status"] == "FINISHED" else None
    if page is None:
        raise ApiError(
            "ResourceNotFoundException", "Query does not have result. Please check query status with DescribeStatement."
        )
    columns, records, total = page
    end = int(request.get("NextToken") or 0) + len(records)
    more: Json = {"TotalNumRows": total}
    if end < total:
        more["NextToken"] = str(end)
    return record, columns, records, more


def get_statement_result(request: Json) -> Json:
    """GetStatementResult: typed cells, 1,000 rows a page."""
    record, columns, records, more = _page(request)
    if record["ResultFormat"] != "JSON":
        raise ApiError("ValidationException", "The result is in CSV format: call GetStatementResultV2.")
    return {"ColumnMetadata": columns, "Records": records, **more}


def get_statement_result_v2(request: Json) -> Json:
    """GetStatementResultV2: CSV text, 1,000 rows a page."""
    record, columns, records, more = _page(request)
    if record["ResultFormat"] != "CSV":
        raise ApiError("ValidationException", "The result is in JSON format: call GetStatementResult.")
    out = io.StringIO()
    writer = csv.writer(out)
    if not request.get("NextToken"):
        writer.writerow([column["name"] for column in columns])
    for row in records:
        writer.writerow(["" if "isNull" in cell else next(iter(cell.values())) for cell in row])
    return {"ColumnMetadata": columns, "Records": [{"CSVRecords": out.getvalue()}], "ResultFormat": "CSV", **more}


def list_statements(request: Json) -> Json:
    """ListStatements, newest first."""
    wanted = request.get("Status", "ALL")
    names = ("Id", "QueryString", "SecretArn", "Status", "StatementName", "CreatedAt", "UpdatedAt", "QueryParameters",
             "IsBatchStatement", "ResultFormat")  # fmt: skip
    found = [
        {key: record[key] for key in names if key in record}
        | ({"QueryStrings": [s["QueryString"] for s in record["SubStatements"]]} if record["IsBatchStatement"] else {})
        for record in sorted(state["statements"].values(), key=lambda r: -r["CreatedAt"])
        if wanted in ("ALL", record["Status"])
        and record["StatementName"].startswith(request.get("StatementName", ""))
        and request.get("WorkgroupName", record["WorkgroupName"]) == record["WorkgroupName"]
        and request.get("Database", record["Database"]) == record["Database"]
    ]
    start, size = int(request.get("NextToken") or 0), request.get("MaxResults", 100)
    answer: Json = {"Statements": found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return answer


def cancel_statement(request: Json) -> Json:
    """CancelStatement: the running statement is interrupted, its transaction rolled back."""
    record = _find(request)
    if record["Status"] not in runner.OPEN:
        raise ApiError("ValidationException", f"Could not cancel a query that is already in {record['Status']} state")
    record["Status"] = "ABORTED"
    if session := runner.sessions.get(record["Id"]):
        session.interrupt()
    return {"Status": True}


def _resource(operation: str, payload: Json, path: str) -> str:
    name = payload.get("WorkgroupName", "").rsplit("/", 1)[-1]
    if workgroup := namespaces.state["workgroups"].get(name):
        return workgroup["workgroupArn"]
    return "*"


def _forget() -> None:
    runner.results().clear()


_OPERATIONS: dict[str, Callable[[Json], Json | None]] = {
    "ExecuteStatement": submission.execute_statement,
    "BatchExecuteStatement": submission.batch_execute_statement,
    "DescribeStatement": describe_statement,
    "GetStatementResult": get_statement_result,
    "GetStatementResultV2": get_statement_result_v2,
    "ListStatements": list_statements,
    "CancelStatement": cancel_statement,
    "ListDatabases": data_catalog.list_databases,
    "ListSchemas": data_catalog.list_schemas,
    "ListTables": data_catalog.list_tables,
    "DescribeTable": data_catalog.describe_table,
}

data = JsonService(_OPERATIONS, state, on_restore=runner.after_restart, on_reset=_forget)


def register() -> None:
    """Add redshift-data to the embedded AWS."""
    service.register("redshift-data", data, "RedshiftData", resource=_resource)
    ownership.register(lambda statement: state["statements"].get(statement, {}).get("OwnerUserId", ""))
