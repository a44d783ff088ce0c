"""The Redshift Data API's calls, answered by an embedded database in this process: no socket, no thread."""
# ruff: noqa: N803 (the arguments are named as the AWS API names them)

from pathlib import Path
from typing import Any

from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.results import Results
from solvent.warehouse.data_api import DataApi


class InProcess:
    """boto3's client `redshift-data`, as far as it is used. `interrupt`: Ctrl-C comes while a statement is awaited."""

    def __init__(self, warehouse: Warehouse, folder: Path, user: str) -> None:
        self._warehouse, self._results, self._user = warehouse, Results(folder), user
        self._statements: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.cancelled: list[str] = []
        self.interrupt = False

    def execute_statement(self, *, Sql: str, Parameters: Any = (), **where: str) -> dict[str, Any]:
        identifier = f"statement-{len(self._statements)}"
        parameters = {p["name"]: p["value"] for p in Parameters}
        self.asked.append((Sql, parameters))
        record: dict[str, Any] = {"Id": identifier, "Status": "FINISHED", "QueryString": Sql}
        try:
            [outcome] = self._warehouse.run(Sql, user=self._user, **parameters)
        except SqlError as error:
            record |= {"Status": "FAILED", "Error": str(error)}
        else:
            record |= {"HasResultSet": outcome.table is not None, "ResultRows": outcome.rows}
            if outcome.table is not None:
                self._results.put(identifier, outcome.table, outcome.types)
        self._statements[identifier] = record
        return record

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        raise NotImplementedError

    def describe_statement(self, *, Id: str) -> dict[str, Any]:
        if self.interrupt:
            raise KeyboardInterrupt
        return self._statements[Id]

    def get_statement_result(self, *, Id: str, NextToken: str = "0") -> dict[str, Any]:
        page = self._results.page(Id, int(NextToken))
        assert page
        columns, records, total = page
        end = int(NextToken) + len(records)
        more = {"NextToken": str(end)} if end < total else {}
        return {"ColumnMetadata": columns, "Records": records, "TotalNumRows": total, **more}

    def cancel_statement(self, *, Id: str) -> dict[str, Any]:
        self.cancelled.append(Id)
        return {"Status": True}


def data_api(client: InProcess) -> DataApi:
    return DataApi(client, workgroup="solvent-dev", database="solvent")
