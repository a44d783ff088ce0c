"""Statements of the Data API while they run: their records, their results, their end."""

import threading
import time
from typing import Any

from embedded_aws import service
from embedded_aws.redshift.databases import databases
from embedded_aws.redshift.engine import Database
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.results import Results
from embedded_aws.redshift.session import Session

Json = dict[str, Any]

OPEN = ("SUBMITTED", "PICKED", "STARTED")
state: dict[str, dict[str, Any]] = {"statements": {}, "tokens": {}}
done: dict[str, threading.Event] = {}
sessions: dict[str, Session] = {}  # of running statements, for CancelStatement
_LOADED = time.time()


def results() -> Results:
    """The result sets of this embedded AWS."""
    return Results(service.home() / "redshift" / "results")


def run(record: Json, namespace: Json, statements: list[str], batch: bool) -> None:
    begun = time.time()
    record.update(Status="STARTED", UpdatedAt=begun)
    try:
        database = databases.get(namespace, record["Database"])
        database.connect(record["DbUser"])
        if record.get("ExecutionMode") == "AUTO_COMMIT":
            _run_each(record, database, statements)
        else:
            _run_all(record, database, statements, record["SubStatements"] if batch else [record], first=0)
        record["Status"] = "FINISHED"
    except SqlError as error:
        _failed(record, str(error))
    except Exception as error:  # a bug of ours must not leave a statement running for ever
        service.log.exception("statement %s", record["Id"])
        _failed(record, f"ERROR: internal error of the embedded Redshift: {error!r}")
    record.update(UpdatedAt=time.time(), Duration=int((time.time() - begun) * 1e9))
    if batch:
        last = record["SubStatements"][-1]
        record["HasResultSet"] = record["Status"] == "FINISHED" and any(
            s["HasResultSet"] for s in record["SubStatements"]
        )
        record.update(ResultRows=last["ResultRows"], ResultSize=last["ResultSize"])
    sessions.pop(record["Id"], None)
    done[record["Id"]].set()


def _run_all(record: Json, database: Database, statements: list[str], parts: list[Json], *, first: int) -> None:
    """Run statements as one transaction; `parts` are their records. Raises SqlError."""
    current = 0
    clock = time.time()

    def started(index: int, session: Session) -> None:
        nonlocal current, clock
        current, clock = index, time.time()
        sessions[record["Id"]] = session
        if record["Status"] == "ABORTED":
            raise SqlError("Query cancelled on user's request")
        parts[index].update(Status="STARTED", UpdatedAt=clock)

    def finished(index: int, outcome: Outcome) -> None:
        part, size = parts[index], 0
        if outcome.table is not None:
            size = results().put(part["Id"], outcome.table, outcome.types)
        part.update(ResultRows=outcome.rows, ResultSize=size, HasResultSet=outcome.table is not None)
        if part is not record:
            part.update(Status="FINISHED", UpdatedAt=time.time(), Duration=int((time.time() - clock) * 1e9))

    parameters = {p["name"]: p["value"] for p in record.get("QueryParameters", [])}
    try:
        database.run(statements, user=record["DbUser"], parameters=parameters, started=started, finished=finished)
    except SqlError as error:
        if parts[0] is record:
            raise
        parts[current].update(Status="FAILED", Error=str(error), UpdatedAt=time.time())
        for later in parts[current + 1 :]:
            later["Status"] = "ABORTED"
        text = str(error)
        raise SqlError(
            text if text.startswith("FATAL") else f"Query #{first + current + 1} failed with {text}"
        ) from error


def _run_each(record: Json, database: Database, statements: list[str]) -> None:
    failures = []
    for index, (sql, part) in enumerate(zip(statements, record["SubStatements"], strict=True)):
        try:
            _run_all(record, database, [sql], [part], first=index)
        except SqlError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _failed(record: Json, error: str) -> None:
    status = "ABORTED" if "cancelled on user's request" in error else "FAILED"
    record.update(Status=status, Error=error)


def wait(identifier: str, request: Json) -> None:
    """WaitTimeSeconds: until the statement has ended, at most half a minute."""
    if (seconds := request.get("WaitTimeSeconds")) and (event := done.get(identifier)):
        event.wait(min(int(seconds), 30))


def after_restart() -> None:
    """What ran when the embedded AWS stopped has failed."""
    for record in state["statements"].values():
        if record["Status"] in OPEN and record["CreatedAt"] < _LOADED:
            record.update(Status="FAILED", Error="ERROR: the embedded AWS was stopped while the statement ran")
