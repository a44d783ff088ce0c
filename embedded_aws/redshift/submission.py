"""The Data API's ExecuteStatement and BatchExecuteStatement: checked, recorded, started."""

import re
import threading
import time
import uuid
from typing import Any

from embedded_aws import service
from embedded_aws.redshift import callers, namespaces, ownership, runner, workgroups
from embedded_aws.redshift.results import KEPT_SECONDS
from embedded_aws.redshift.runner import state
from embedded_aws.service import ApiError

Json = dict[str, Any]

MAX_STATEMENT_BYTES = 100 * 1024
MAX_STATEMENTS = 40
_lock = threading.Lock()


def execute_statement(request: Json) -> Json:
    """ExecuteStatement: one statement, committed by itself."""
    return _submit(request, [request.get("Sql", "")], batch=False)


def batch_execute_statement(request: Json) -> Json:
    """BatchExecuteStatement: one transaction, unless ExecutionMode is AUTO_COMMIT."""
    statements = request.get("Sqls", [])
    if not 1 <= len(statements) <= MAX_STATEMENTS:
        raise ApiError(
            "ValidationException", f"Sqls holds {len(statements)} statements; it takes 1 to {MAX_STATEMENTS}."
        )
    return _submit(request, statements, batch=True)


def _submit(request: Json, statements: list[str], *, batch: bool) -> Json:
    workgroup, namespace = endpoint(request)
    _check(request, statements)
    user, roles = callers.authenticate(workgroup, namespace, request.get("SecretArn"))
    with _lock:
        token = request.get("ClientToken")
        if token and (known := state["tokens"].get(token)) in state["statements"]:
            return _accepted(state["statements"][known])
        record = _record(request, statements, user, batch)
        record["DbRoles"] = list(roles)
        state["statements"][record["Id"]] = record
        if token:
            state["tokens"][token] = record["Id"]
        _prune()
    runner.done[record["Id"]] = threading.Event()
    service.spawn_thread(runner.run, record, namespace, statements, batch)
    runner.wait(record["Id"], request)
    return _accepted(record)


def endpoint(request: Json) -> tuple[Json, Json]:
    name = request.get("WorkgroupName", "").rsplit("/", 1)[-1]
    found = [w for w in namespaces.state["workgroups"].values() if name in (w["workgroupName"], w["workgroupId"])]
    if not name and not request.get("ClusterIdentifier"):
        raise ApiError("ValidationException", "Either ClusterIdentifier or WorkgroupName is required.")
    if not found:
        raise ApiError("ValidationException", "Redshift endpoint doesn't exist in this region.")
    if not request.get("Database"):
        raise ApiError("ValidationException", "Database is required.")
    return found[0], workgroups.namespace_of(found[0]["workgroupName"])


def _check(request: Json, statements: list[str]) -> None:
    for sql in statements:
        if not sql.strip():
            raise ApiError("ValidationException", "The SQL statement is empty.")
        if len(sql.encode()) > MAX_STATEMENT_BYTES:
            raise ApiError("ValidationException", "Cannot process query string larger than 100kB")
    for name in ("SessionId", "SessionKeepAliveSeconds"):
        if request.get(name):
            raise ApiError("ValidationException", f"{name} is not implemented by the embedded AWS.")
    text = "\n".join(statements)
    unused = [p["name"] for p in request.get("Parameters", []) if not re.search(rf"(?<!:):{p['name']}\b", text)]
    if unused:
        raise ApiError(
            "ValidationException", f"Parameters list contains unused parameters. Unused parameters: {unused}"
        )


def _record(request: Json, statements: list[str], user: str, batch: bool) -> Json:
    identifier, now = str(uuid.uuid4()), time.time()
    blank: Json = {"Status": "SUBMITTED", "CreatedAt": now, "UpdatedAt": now, "HasResultSet": False}
    blank |= {"Duration": -1, "ResultRows": -1, "ResultSize": -1, "RedshiftQueryId": 0}
    record: Json = {
        **blank,
        "Id": identifier,
        "Database": request["Database"],
        "WorkgroupName": request["WorkgroupName"],
        "DbUser": user,
        "OwnerUserId": ownership.user_id(),
        "QueryString": statements[0] if not batch else "",
        "RedshiftPid": 0,
        "ResultFormat": request.get("ResultFormat", "JSON"),
        "StatementName": request.get("StatementName", ""),
        "IsBatchStatement": batch,
    }
    for name in ("SecretArn", "ClientToken"):
        if request.get(name):
            record[name] = request[name]
    if request.get("Parameters"):
        record["QueryParameters"] = request["Parameters"]
    if batch:
        record["ExecutionMode"] = request.get("ExecutionMode", "TRANSACTION")
        record["SubStatements"] = [
            {**blank, "Id": f"{identifier}:{n}", "QueryString": sql} for n, sql in enumerate(statements, 1)
        ]
    return record


def _accepted(record: Json) -> Json:
    names = ("Id", "CreatedAt", "Database", "WorkgroupName", "DbUser", "SecretArn", "Status", "HasResultSet")
    return {name: record[name] for name in names if name in record}


def _prune() -> None:
    old = [k for k, r in state["statements"].items() if r["CreatedAt"] < time.time() - KEPT_SECONDS]
    for key in old:
        state["statements"].pop(key)
        runner.done.pop(key, None)
    state["tokens"] = {t: k for t, k in state["tokens"].items() if k in state["statements"]}
