"""A small client of the Redshift Data API: submit, wait, read every page, and say in Redshift's words what failed.

Source: docs.aws.amazon.com/redshift/latest/mgmt/data-api.html. A statement has at most 100 KB, a batch 40 statements
(one transaction), a client token 64 characters; a result comes in pages.
"""

import math
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

MOST_STATEMENTS = 40
LARGEST_STATEMENT = 100_000
_PARAMETER = re.compile(r"[0-9a-zA-Z_]+")
_TOKEN = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TRANSIENT = {
    "ThrottlingException", "Throttling", "TooManyRequestsException", "InternalServerException", "InternalFailure",
    "ServiceUnavailable", "ActiveStatementsExceededException", "ActiveSessionsExceededException",
    "DatabaseConnectionException",
}  # fmt: skip
_ATTEMPTS = 6


class RedshiftData(Protocol):
    """What is used of boto3's client `redshift-data`."""

    def execute_statement(self, **kwargs: Any) -> dict[str, Any]: ...

    def batch_execute_statement(self, **kwargs: Any) -> dict[str, Any]: ...

    def describe_statement(self, **kwargs: Any) -> dict[str, Any]: ...

    def get_statement_result(self, **kwargs: Any) -> dict[str, Any]: ...

    def cancel_statement(self, **kwargs: Any) -> dict[str, Any]: ...


class DataApiError(Exception):
    """The warehouse refused or failed. `statement_id` is there when a statement was accepted."""

    def __init__(self, message: str, statement_id: str | None = None) -> None:
        super().__init__(message)
        self.statement_id = statement_id


class StatementFailed(DataApiError):
    """Redshift ran the statement and failed; the message has its text, and the SQL that it was about."""


class StatementAborted(DataApiError):
    """Someone, or a limit of the workgroup, cancelled the statement."""


class StatementTimeout(DataApiError):
    """The statement was still running when the caller's patience ended; it has been asked to stop."""


@dataclass(frozen=True)
class Result:
    """Column names, and rows of None, bool, int, float, str; Decimal for numerics with a fraction.

    `types` are Redshift's names of the columns' types (`int8`, `numeric`, `varchar`, `date`, `super`...).
    """

    columns: list[str]
    rows: list[list[Any]]
    types: list[str] = field(default_factory=list)


class DataApi:
    """One database of one workgroup, as the caller's IAM identity, or as `secret_arn`'s user."""

    def __init__(
        self,
        client: RedshiftData,
        *,
        workgroup: str,
        database: str,
        secret_arn: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._where = {"WorkgroupName": workgroup, "Database": database}
        if secret_arn:
            self._where["SecretArn"] = secret_arn
        self._sleep = sleep
        self._clock = clock
        self._end = math.inf

    def within(self, seconds: float) -> "DataApi":
        """The same client for a caller that has so much time left: whatever it waits for ends by then."""
        other = copy(self)
        other._end = self._clock() + seconds
        return other

    def query(self, sql: str, parameters: Mapping[str, str] | None = None, *, timeout: float = 300) -> Result:
        """Every row of a SELECT. Values go in as `:name` parameters, which Redshift takes as text and casts.

        Raises DataApiError.
        """
        statement = self.execute(sql, parameters, timeout=timeout)
        return self.rows(str(statement["Id"])) if statement.get("HasResultSet") else Result([], [])

    def execute(
        self,
        sql: str,
        parameters: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
        timeout: float = 300,
    ) -> dict[str, Any]:
        """Run one statement to its end and return its description. Raises DataApiError."""
        return self.wait(self.submit(sql, parameters, token=token), timeout=timeout)

    def batch(
        self,
        statements: Sequence[str],
        parameters: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
        timeout: float = 300,
    ) -> dict[str, Any]:
        """Run up to 40 statements as one transaction to its end. Raises DataApiError."""
        return self.wait(self.submit_batch(statements, parameters, token=token), timeout=timeout)

    def submit(self, sql: str, parameters: Mapping[str, str] | None = None, *, token: str | None = None) -> str:
        """Hand one statement over and return its id at once."""
        request = {"Sql": _checked(sql), **_parameters(parameters or {}), **_token(token)}
        return str(self._call("execute_statement", **self._where, **request)["Id"])

    def submit_batch(
        self, statements: Sequence[str], parameters: Mapping[str, str] | None = None, *, token: str | None = None
    ) -> str:
        """Hand a transaction over and return its id at once. The same token within hours gives the same id.

        Every parameter must be used by some statement.
        """
        if not 1 <= len(statements) <= MOST_STATEMENTS:
            raise DataApiError(f"A batch has 1 to {MOST_STATEMENTS} statements, not {len(statements)}: split it.")
        request = {
            "Sqls": [_checked(sql) for sql in statements],
            **_parameters(parameters or {}),
            **_token(token),
        }
        return str(self._call("batch_execute_statement", **self._where, **request)["Id"])

    def wait(self, statement_id: str, *, timeout: float = 300) -> dict[str, Any]:
        """The description of a finished statement; polls faster at first. Raises DataApiError."""
        begun, pause = self._clock(), 0.05
        timeout = max(0.0, min(timeout, self._end - begun))
        while True:
            statement = self._call("describe_statement", Id=statement_id)
            status = statement["Status"]
            if status == "FINISHED":
                return statement
            if status == "FAILED":
                raise StatementFailed(_why(statement), statement_id)
            if status == "ABORTED":
                raise StatementAborted(f"Statement {statement_id} was cancelled before it ended.", statement_id)
            if self._clock() - begun > timeout:
                self._call("cancel_statement", Id=statement_id)
                raise StatementTimeout(
                    f"Statement {statement_id} was still {status} after {timeout:g} s and has been cancelled; "
                    "nothing of it stays. Give it more time, or look for what it waits for in sys_query_history.",
                    statement_id,
                )
            self._sleep(pause)
            pause = min(pause * 1.5, 2.0)

    def rows(self, statement_id: str) -> Result:
        """All pages of a statement's result."""
        columns: list[str] = []
        types: list[str] = []
        rows: list[list[Any]] = []
        more: dict[str, str] | None = {}
        while more is not None:
            page = self._call("get_statement_result", Id=statement_id, **more)
            more = {"NextToken": page["NextToken"]} if page.get("NextToken") else None
            if not columns:
                columns = [str(c.get("label") or c["name"]) for c in page["ColumnMetadata"]]
                types = [str(c.get("typeName", "")) for c in page["ColumnMetadata"]]
            rows += [[_value(cell, kind) for cell, kind in zip(row, types, strict=True)] for row in page["Records"]]
        return Result(columns, rows, types)

    def cancel(self, statement_id: str) -> None:
        """Ask a running statement to stop. Raises DataApiError when it has ended meanwhile."""
        self._call("cancel_statement", Id=statement_id)

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response: dict[str, Any] = getattr(self._client, operation)(**request)
                return response
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in _TRANSIENT or attempt == _ATTEMPTS:
                    message = error.response["Error"].get("Message", "")
                    raise DataApiError(
                        f"The Data API refused {operation}: {code}: {message}", request.get("Id")
                    ) from error
            except (ConnectionError, HTTPClientError) as error:
                if attempt == _ATTEMPTS:
                    raise DataApiError(f"The Data API could not be reached: {error}", request.get("Id")) from error
            self._sleep(min(0.2 * 2**attempt, 5.0))
        raise AssertionError("unreachable: the last attempt returns or raises")


def _checked(sql: str) -> str:
    size = len(sql.encode())
    if size > LARGEST_STATEMENT:
        raise DataApiError(
            f"A statement has {size} bytes; the Data API takes {LARGEST_STATEMENT}. Load data with COPY."
        )
    return sql


def _parameters(given: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    for name, value in given.items():
        if not _PARAMETER.fullmatch(name) or not value:
            raise DataApiError(
                f"The parameter {name!r} must have a name of letters, digits and _, and a value: the Data API takes no "
                "empty one. Leave the condition out, or write '' into the statement."
            )
    return {"Parameters": [{"name": name, "value": value} for name, value in given.items()]} if given else {}


def _token(token: str | None) -> dict[str, str]:
    """Every submission has a token: after an answer that got lost it is repeated, and must not run twice."""
    token = str(uuid.uuid4()) if token is None else token
    if not _TOKEN.fullmatch(token):
        raise DataApiError(f"The client token {token!r} must be 1 to 64 letters, digits, dots, colons and dashes.")
    return {"ClientToken": token}


def _why(statement: Mapping[str, Any]) -> str:
    failed = next((s for s in statement.get("SubStatements", []) if s.get("Status") == "FAILED"), statement)
    sql = " ".join(str(failed.get("QueryString", "")).split())
    return f"{failed.get('Error') or statement.get('Error') or 'failed without a message'} (in: {sql[:300]})"


def _value(cell: Mapping[str, Any], kind: str) -> Any:
    if cell.get("isNull"):
        return None
    value = next(
        (cell[k] for k in ("stringValue", "longValue", "doubleValue", "booleanValue", "blobValue") if k in cell), None
    )
    if isinstance(value, str) and kind.lower() in ("numeric", "decimal"):
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else number
    return value
