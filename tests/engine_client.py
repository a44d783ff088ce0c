"""boto3's client `redshift-data` in front of one database of the embedded Redshift."""

from collections.abc import Sequence
from typing import Any

from embedded_aws.redshift.cells import cell, column_metadata
from embedded_aws.redshift.engine import Database
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.session import Outcome

PAGE_ROWS = 3


class EngineClient:
    """Runs a statement when it is submitted; results come in pages of PAGE_ROWS rows."""

    def __init__(self, database: Database, user: str = "admin") -> None:
        self._database, self._user = database, user
        self._statements: list[tuple[list[Outcome], str]] = []
        self._ids: dict[str, str] = {}

    def execute_statement(self, *, Sql: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        return self._run([Sql], **request)

    def batch_execute_statement(self, *, Sqls: Sequence[str], **request: Any) -> dict[str, Any]:  # noqa: N803
        return self._run(Sqls, **request)

    def describe_statement(self, *, Id: str) -> dict[str, Any]:  # noqa: N803
        outcomes, error = self._statements[int(Id)]
        status = {"Status": "FAILED", "Error": error} if error else {"Status": "FINISHED"}
        return {"Id": Id, **status, "HasResultSet": not error and outcomes[-1].table is not None}

    def get_statement_result(self, *, Id: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        outcome, start = self._statements[int(Id)][0][-1], int(NextToken)
        assert outcome.table is not None
        columns = zip(outcome.table.column_names, outcome.types, strict=True)
        page = outcome.table.slice(start, PAGE_ROWS).to_pylist()
        more = {"NextToken": str(start + PAGE_ROWS)} if start + PAGE_ROWS < outcome.table.num_rows else {}
        records = [[cell(value) for value in row.values()] for row in page]
        return {"ColumnMetadata": [column_metadata(n, t) for n, t in columns], "Records": records, **more}

    def cancel_statement(self, *, Id: str) -> dict[str, Any]:  # noqa: N803
        return {"Status": False}

    def _run(self, statements: Sequence[str], **request: Any) -> dict[str, Any]:
        known = self._ids.get(request.get("ClientToken", ""))
        if known is not None:
            return {"Id": known}
        outcomes: list[Outcome] = []
        parameters = {p["name"]: p["value"] for p in request.get("Parameters", [])}
        try:
            self._database.run(
                statements, user=self._user, parameters=parameters, finished=lambda _, done: outcomes.append(done)
            )
            self._statements.append((outcomes, ""))
        except SqlError as error:
            self._statements.append((outcomes, str(error)))
        identifier = str(len(self._statements) - 1)
        if "ClientToken" in request:
            self._ids[request["ClientToken"]] = identifier
        return {"Id": identifier}
