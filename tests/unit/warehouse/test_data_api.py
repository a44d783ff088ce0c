from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from fakes import RedshiftData, client_error
from hypothesis import given
from hypothesis import strategies as st

from solvent.warehouse.data_api import (
    DataApi,
    DataApiError,
    StatementAborted,
    StatementFailed,
    StatementTimeout,
)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def api(client: RedshiftData, secret: str | None = None) -> DataApi:
    time = Time()
    return DataApi(client, workgroup="solvent-dev", database="solvent", secret_arn=secret, sleep=time.sleep, clock=time)


def page(rows: list[list[dict[str, Any]]], types: list[str], token: str | None = None) -> dict[str, Any]:
    columns = [{"name": f"c{i}", "label": f"c{i}", "typeName": t} for i, t in enumerate(types)]
    return {"ColumnMetadata": columns, "Records": rows, **({"NextToken": token} if token else {})}


def test_every_page_of_a_result_is_read_and_values_keep_their_types() -> None:
    client = RedshiftData()
    client.has_result = True
    types = ["int8", "varchar", "numeric", "numeric", "float8", "bool", "varchar"]
    row = [
        {"longValue": 1}, {"stringValue": "12"}, {"stringValue": "12.50"}, {"stringValue": "7"}, {"doubleValue": 0.5},
        {"booleanValue": False}, {"isNull": True},
    ]  # fmt: skip
    client.pages = [page([row], types, "1"), page([row, row], types, "2"), page([row], types)]
    result = api(client).query("SELECT 1")
    assert result.columns == [f"c{i}" for i in range(7)]
    assert len(result.rows) == 4
    assert result.rows[0] == [1, "12", Decimal("12.50"), 7, 0.5, False, None]
    assert isinstance(result.rows[0][3], int)


def test_a_statement_without_a_result_has_no_rows() -> None:
    assert api(RedshiftData()).query("DELETE FROM x").rows == []


def test_values_travel_as_parameters_and_never_in_the_text() -> None:
    client = RedshiftData()
    api(client).execute("SELECT :name", {"name": "'; DROP TABLE loans; --"})
    sent = client.sent("execute_statement")[0]
    assert sent["Sql"] == "SELECT :name"
    assert sent["Parameters"] == [{"name": "name", "value": "'; DROP TABLE loans; --"}]
    assert (sent["WorkgroupName"], sent["Database"]) == ("solvent-dev", "solvent")
    assert "SecretArn" not in sent


def test_a_batch_is_one_call_with_its_token_and_secret() -> None:
    client = RedshiftData()
    api(client, "arn:secret").batch(["SELECT 1", "SELECT 2"], token="load-1")
    (sent,) = client.sent("batch_execute_statement")
    assert sent["Sqls"] == ["SELECT 1", "SELECT 2"]
    assert (sent["ClientToken"], sent["SecretArn"]) == ("load-1", "arn:secret")


def test_waiting_ends_when_the_statement_does() -> None:
    client = RedshiftData()
    client.progress = ["SUBMITTED", "PICKED", "STARTED", "FINISHED"]
    assert api(client).execute("SELECT 1")["Status"] == "FINISHED"
    assert len(client.sent("describe_statement")) == 4


def test_redshifts_own_words_and_the_failing_statement_reach_the_user() -> None:
    client = RedshiftData()
    client.progress, client.error = ["STARTED", "FAILED"], 'ERROR: column "amuont" does not exist'
    with pytest.raises(StatementFailed, match=r'column "amuont" does not exist \(in: MERGE INTO loans\)') as failed:
        api(client).batch(["SELECT 1", "MERGE INTO loans"])
    assert failed.value.statement_id == "statement-1"


def test_an_aborted_statement_is_an_error_of_its_own() -> None:
    client = RedshiftData()
    client.progress = ["ABORTED"]
    with pytest.raises(StatementAborted):
        api(client).execute("SELECT 1")


def test_a_statement_that_takes_too_long_is_cancelled() -> None:
    client = RedshiftData()
    client.progress = ["STARTED"]
    with pytest.raises(StatementTimeout, match="after 5 s and has been cancelled"):
        api(client).execute("SELECT 1", timeout=5)
    assert client.sent("cancel_statement") == [{"Id": "statement-1"}]


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ActiveStatementsExceededException", "InternalServerException"]
)
def test_what_passes_is_tried_again_with_the_same_token(code: str) -> None:
    client = RedshiftData()
    client.failures = [client_error(code), client_error(code)]
    api(client).batch(["SELECT 1"], token="load-1")
    assert [r["ClientToken"] for r in client.sent("batch_execute_statement")] == ["load-1"] * 3


def test_a_connection_that_fails_for_good_is_reported_as_such() -> None:
    client = RedshiftData()
    client.failures = [EndpointConnectionError(endpoint_url="https://redshift-data") for _ in range(9)]  # type: ignore[misc]
    with pytest.raises(DataApiError, match="could not be reached"):
        api(client).execute("SELECT 1")


def test_a_refusal_is_not_tried_again_and_keeps_its_reason() -> None:
    client = RedshiftData()
    client.failures = [
        client_error("AccessDeniedException", "not authorized to perform: redshift-data:ExecuteStatement")
    ]
    with pytest.raises(DataApiError, match="AccessDeniedException: not authorized"):
        api(client).execute("SELECT 1")
    assert len(client.sent("execute_statement")) == 1


@pytest.mark.parametrize(
    ("statements", "token", "said"),
    [
        ([], None, "1 to 40"),
        (["SELECT 1"] * 41, None, "1 to 40"),
        (["x" * 100_001], None, "100001 bytes"),
        (["é" * 50_001], None, "100002 bytes"),
        (["SELECT 1"], "no spaces", "client token"),
        (["SELECT 1"], "x" * 65, "client token"),
    ],
)
def test_what_the_data_api_would_refuse_is_refused_before_it_is_sent(statements: Any, token: Any, said: str) -> None:
    client = RedshiftData()
    with pytest.raises(DataApiError, match=said):
        api(client).batch(statements, token=token)
    assert client.requests == []


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=6))
def test_however_a_result_is_paged_every_row_arrives_once_and_in_order(pages: list[list[int]]) -> None:
    client = RedshiftData()
    client.has_result = True
    client.pages = [
        page([[{"longValue": n}] for n in rows], ["int8"], str(i + 1) if i + 1 < len(pages) else None)
        for i, rows in enumerate(pages)
    ]
    assert [row[0] for row in api(client).query("SELECT 1").rows] == [n for rows in pages for n in rows]
