import io
import json
from typing import Any, ClassVar

import pytest
from fakes import RedshiftData, bucket, load_handler

from solvent import contracts
from solvent.gates import METRICS
from solvent.naming import DATABASE, report_key
from solvent.warehouse import load
from solvent.warehouse.data_api import DataApi
from solvent.warehouse.load import LoadError

RUN = "0123456789abcdef"
PUBLISHED = load.published(contracts.load(), "lending")
REPORT = {
    "sources": {c.source: {"deleted": 0} for c in PUBLISHED if c.source},
    "tables": {f"{c.zone}.{c.name}": "" for c in PUBLISHED},
    "stopped": {},
}


@pytest.fixture
def data() -> RedshiftData:
    return RedshiftData()


class S3:
    """Holds the report of the run's ETL."""

    put: ClassVar[dict[tuple[str, str], bytes]] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.put[Bucket, Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == bucket("artifacts")
        assert Key == report_key("lending", RUN, "etl")
        return {"Body": io.BytesIO(json.dumps(REPORT).encode())}


def invoke(data: RedshiftData, **event: Any) -> Any:
    function = load_handler("warehouse_load")
    function.s3 = S3()
    function.warehouse = DataApi(data, workgroup="solvent-dev", database=DATABASE, sleep=lambda _: None)
    return function.handler({"portfolio": "lending", "run_id": RUN, "phase": "ingest", "attempt": 1, **event}, None)


def test_an_ingest_is_one_transaction_from_the_environments_buckets(data: RedshiftData) -> None:
    assert invoke(data) == {"statement_id": "statement-1", "stopped": ""}
    (sent,) = data.sent("batch_execute_statement")
    assert sent["WorkgroupName"] == "solvent-dev"
    copies = [sql for sql in sent["Sqls"] if sql.startswith("COPY")]
    assert len(copies) == len(PUBLISHED) - 1  # nothing was deleted, so there is no log of deletions
    assert any(f"s3://{bucket('cleaned')}/lending/loans/run_id={RUN}/" in sql for sql in copies)
    assert data.sent("describe_statement") == []  # the state machine waits, not the function


def test_the_same_attempt_is_the_same_statement_and_another_attempt_another_one(data: RedshiftData) -> None:
    first = invoke(data)
    assert invoke(data) == first
    # After a failed load the Data API would answer the old token with the old, failed statement.
    assert invoke(data, attempt=2) != first
    tokens = [r["ClientToken"] for r in data.sent("batch_execute_statement")]
    assert all(len(token) <= 64 for token in tokens)


def test_what_was_stopped_is_told_and_not_loaded(data: RedshiftData, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {name: "" for name in REPORT["tables"] if name != "cleaned.repayments"}
    monkeypatch.setitem(REPORT, "tables", tables)
    monkeypatch.setitem(REPORT, "stopped", {"text": "repayment_history.csv is empty."})
    assert invoke(data)["stopped"] == "repayment_history.csv is empty."
    (sent,) = data.sent("batch_execute_statement")
    assert not any("/lending/repayments/" in sql for sql in sent["Sqls"])


def test_predictions_need_their_prefix(data: RedshiftData) -> None:
    with pytest.raises(LoadError, match="predictions_prefix"):
        invoke(data, phase="score")
    prefix = f"s3://{bucket('artifacts')}/predictions/lending/run_id={RUN}/model=m-1/"
    invoke(data, phase="score", predictions_prefix=prefix)
    assert any(prefix in sql for sql in data.sent("batch_execute_statement")[0]["Sqls"])


def test_marts_are_refreshed_once_after_each_load(data: RedshiftData) -> None:
    """A run may be scored by several models: its refreshes must not be taken for the same one."""
    first = invoke(data, phase="refresh", after="load-1")
    assert invoke(data, phase="refresh", after="load-1") == first
    assert invoke(data, phase="refresh", after="load-2") != first
    assert {sql for r in data.sent("batch_execute_statement") for sql in r["Sqls"]} == {"CALL ops.refresh_marts()"}
    with pytest.raises(LoadError, match="'refresh' after a load"):
        invoke(data, phase="refresh")


def test_a_registered_version_goes_in_as_parameters_and_each_version_is_another_statement(data: RedshiftData) -> None:
    """An attempt that is repeated registers another version: it must not be taken for the first one."""
    arn = "arn:aws:sagemaker:eu-west-1:000000000000:model-package/solvent-dev-lending"
    figures = {**dict.fromkeys(METRICS, "0.5"), "rows": "1000"}
    facts = {"registered_at": "2026-07-01T08:00:00Z", "as_of": "2026-06-30", "metrics": figures}
    first = invoke(data, phase="train", registered={"model_package": f"{arn}/9", **facts})
    assert invoke(data, phase="train", registered={"model_package": f"{arn}/9", **facts}) == first
    assert invoke(data, phase="train", registered={"model_package": f"{arn}/10", **facts}) != first
    sent = data.sent("batch_execute_statement")[0]
    values = {p["name"]: p["value"] for p in sent["Parameters"]}
    assert (values["model_version"], values["registered_at"]) == ("9", "2026-07-01 08:00:00")
    assert not any(value in statement for statement in sent["Sqls"] for value in (arn, "2026-06-30", RUN))


def test_what_copy_refused_is_kept_in_quarantine_and_told(data: RedshiftData) -> None:
    names = ["file_name", "line_number", "column_name", "error_code", "error_message"]
    file = f"s3://cleaned/lending/loans/run_id={RUN}/part-0.parquet"
    line = [{"stringValue": file}, {"longValue": 3}, {"stringValue": "purpose"}, {"longValue": 1204},
            {"stringValue": "String length exceeds DDL length"}]  # fmt: skip
    data.has_result, data.pages = True, [{"ColumnMetadata": [{"name": n} for n in names], "Records": [line]}]
    said = "ERROR: Load into table 'stage_loans' failed.  Check 'sys_load_error_detail' system table for details."
    told = invoke(data, error=said, attempt=2)["text"]
    assert told.startswith(
        f"COPY refused {file}, line 3: purpose - String length exceeds DDL length (COPY, error 1204)"
    )
    assert told.endswith(said)
    (key,) = S3.put
    assert key == (bucket("quarantine"), f"lending/copy_errors/run_id={RUN}/ingest-2.jsonl")
    assert data.sent("execute_statement")[0]["Parameters"] == [{"name": "of_run", "value": f"%/run_id={RUN}/%"}]


@pytest.mark.parametrize(
    "event",
    [
        {"run_id": "'; DROP TABLE lending.loans; --"},
        {"portfolio": "x'y"},
        {"phase": "train"},
        {"phase": "refresh", "after": "x", "run_id": "none"},
    ],
)
def test_a_request_that_is_none_sends_nothing(data: RedshiftData, event: dict[str, str]) -> None:
    with pytest.raises(LoadError):
        invoke(data, **event)
    assert data.requests == []


def test_the_phase_model_makes_the_portfolios_function_and_says_so(data: RedshiftData) -> None:
    data.has_result = True
    data.pages = [{"ColumnMetadata": [{"name": "Schema Name"}, {"name": "Model Name"}], "Records": []}]
    function = load_handler("warehouse_load")
    function.warehouse = DataApi(data, workgroup="solvent-dev", database=DATABASE, sleep=lambda _: None)
    answer = function.handler({"phase": "model", "portfolio": "bankruptcy"}, Context())
    assert answer == {"text": "ml.probability_of_bankruptcy was made"}
    sent = [request["Sql"] for request in data.sent("execute_statement")]
    assert "SAGEMAKER 'solvent-dev-bankruptcy' IAM_ROLE default" in sent[1]
    assert [sql.rpartition(" ")[2] for sql in sent[2:]] == ["analyst", "risk_officer"]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000
