"""boto3's client `redshift-data` in front of one database of the embedded Redshift."""

from collections.abc import Sequence
from typing import Any

from embedded_aws.redshift.cells import cell, column_metadata
from embedded_aws.redshift.engine import Database
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.outcome import Outcome
from solvent.warehouse.data_api import DataApi

PAGE_ROWS = 3


class EngineClient:
    """Runs a statement when it is submitted; results come in pages of PAGE_ROWS rows."""

    def __init__(self, database: Database, user: str = "admin") -> None:
        self._database, self._user = database, user
        self._statements: dict[str, tuple[list[Outcome], str]] = {}
        self._ids: dict[str, str] = {}

    def execute_statement(self, *, Sql: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        return self._run([Sql], **request)

    def batch_execute_statement(self, *, Sqls: Sequence[str], **request: Any) -> dict[str, Any]:  # noqa: N803
        return self._run(Sqls, **request)

    def describe_statement(self, *, Id: str) -> dict[str, Any]:  # noqa: N803
        outcomes, error = self._statements[Id]
        status = {"Status": "FAILED", "Error": error} if error else {"Status": "FINISHED"}
        last = outcomes[-1] if outcomes else Outcome()
        return {"Id": Id, **status, "HasResultSet": not error and last.table is not None, "ResultRows": last.rows}

    def get_statement_result(self, *, Id: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        outcome, start = self._statements[Id][0][-1], int(NextToken)
        assert outcome.table is not None
        columns = zip(outcome.table.column_names, outcome.types, strict=True)
        page = zip(*(column.to_pylist() for column in outcome.table.slice(start, PAGE_ROWS).columns), strict=True)
        more = {"NextToken": str(start + PAGE_ROWS)} if start + PAGE_ROWS < outcome.table.num_rows else {}
        records = [[cell(value) for value in row] for row in page]
        return {"ColumnMetadata": [column_metadata(n, t) for n, t in columns], "Records": records, **more}

    def cancel_statement(self, *, Id: str) -> dict[str, Any]:  # noqa: N803
        return {"Status": False}

    def _run(self, statements: Sequence[str], **request: Any) -> dict[str, Any]:
        known = self._ids.get(request.get("ClientToken", ""))
        if known is not None:
            return {"Id": known}
        outcomes: list[Outcome] = []
        identifier, failed = f"statement-{len(self._statements)}", ""
        parameters = {p["name"]: p["value"] for p in request.get("Parameters", [])}
        try:
            self._database.run(
                statements, user=self._user, parameters=parameters, finished=lambda _, done: outcomes.append(done)
            )
        except SqlError as error:
            failed = str(error)
        self._statements[identifier] = outcomes, failed
        if "ClientToken" in request:
            self._ids[request["ClientToken"]] = identifier
        return {"Id": identifier}


class Asked(EngineClient):
    """The same, which remembers what it was asked. `interrupt`: Ctrl-C comes while a statement is awaited."""

    def __init__(self, database: Database, user: str = "admin") -> None:
        super().__init__(database, user)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.cancelled: list[str] = []
        self.interrupt = False

    def execute_statement(self, *, Sql: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        self.asked.append((Sql, {p["name"]: p["value"] for p in request.get("Parameters", [])}))
        return super().execute_statement(Sql=Sql, **request)

    def describe_statement(self, *, Id: str) -> dict[str, Any]:  # noqa: N803
        if self.interrupt:
            raise KeyboardInterrupt
        return super().describe_statement(Id=Id)

    def cancel_statement(self, *, Id: str) -> dict[str, Any]:  # noqa: N803
        self.cancelled.append(Id)
        return {"Status": True}


def data_api(client: EngineClient) -> DataApi:
    """Our client in front of it."""
    return DataApi(client, workgroup="solvent-dev", database="solvent")
