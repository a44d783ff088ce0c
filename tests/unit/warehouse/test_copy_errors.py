"""What COPY refused is in quarantine, by file, line and column, and the run's error says so."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from engine_client import EngineClient
from fakes import client_error
from load_cases import KNOWN, LOADER, PREDICTIONS, RUN, Lake, fill, ingest, migrated, prediction, row, scoring
from typer.testing import CliRunner

from embedded_aws.redshift.engine import Database
from solvent import naming
from solvent.quarantine import Quarantine
from solvent.warehouse import copy_errors
from solvent.warehouse.data_api import DataApi, StatementFailed
from solvent.warehouse.load import LoadError
from solvent.warehouse.statements import copy_parquet, staging


class S3:
    """One bucket, as a dict."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_paginator(self, operation: str) -> "S3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Lake]]:
    folder = tmp_path_factory.mktemp("refused")
    lake = Lake(folder / "s3")
    fill(lake)
    with migrated(folder / "solvent.db", lake) as database:
        ingest(database, lake)
        yield database, lake


def failed(api: DataApi, batch: list[str]) -> str:
    with pytest.raises(StatementFailed) as error:
        api.batch(batch)
    return str(error.value)


def kept(api: DataApi, s3: S3, error: str, **more: Any) -> str:
    where = {"bucket": "quarantine", "portfolio": "lending", "run_id": RUN, "phase": "score", "attempt": 1, **more}
    return copy_errors.keep(api, s3, error=error, **where)  # type: ignore[arg-type]


def test_a_refused_line_of_predictions_is_in_quarantine(warehouse: tuple[Database, Lake]) -> None:
    database, lake = warehouse
    api, s3 = DataApi(EngineClient(database, LOADER), workgroup="w", database="d"), S3()
    lake.put_predictions([prediction("0"), prediction("1", score="many")])
    told = kept(api, s3, failed(api, scoring()))
    file = f"s3://artifacts/{PREDICTIONS}open_loans.jsonl.out"
    assert told.startswith(f"COPY refused {file}, line 2: score - ")
    key = naming.copy_errors_key("lending", RUN, "score", 1)
    assert f"all 1 in s3://quarantine/{key}. " in told
    (line,) = (json.loads(text) for text in s3.objects[key].splitlines())
    assert (line["source_file"], line["row_number"], line["kind"]) == (file, 2, "copy")
    assert (line["run_id"], line["source"]) == (RUN, "predictions")
    assert "many" not in json.dumps(line), "nothing of the content is kept"
    (found,) = Quarantine(s3, {"quarantine": "quarantine"}).copy_errors("lending")
    assert (found.source_file, found.row_number, found.reason) == (file, 2, line["reason"])
    assert Quarantine(s3, {"quarantine": "quarantine"}).copy_errors("bankruptcy") == []


def test_a_value_that_is_too_long_for_its_column_is_told_of_its_source(warehouse: tuple[Database, Lake]) -> None:
    database, lake = warehouse
    api, s3 = DataApi(EngineClient(database, LOADER), workgroup="w", database="d"), S3()
    loans = KNOWN["loans"]
    lake.put_rows(loans, [row(loans, 0), row(loans, 1) | {"purpose": "x" * 4000}])
    copy = copy_parquet(loans, f"s3://cleaned/{naming.table_prefix('lending', 'loans', RUN)}")
    # Into the table itself: the embedded Redshift's temporary tables do not know how long a text may be.
    told = kept(api, s3, failed(api, [copy.replace(staging(loans), loans.table)]), phase="ingest", attempt=2)
    assert "/lending/loans/run_id=" in told and "purpose - " in told
    (line,) = (json.loads(text) for text in s3.objects[f"lending/copy_errors/run_id={RUN}/ingest-2.jsonl"].splitlines())
    assert line["source"] == "loan_application"


def test_another_error_stays_as_it_is_and_nothing_is_asked() -> None:
    said = 'ERROR: invalid input syntax for integer: "rows in loans: 2 against 3"'
    assert kept(None, S3(), said) == said  # type: ignore[arg-type]


def test_a_copy_that_left_no_line_keeps_its_own_words(warehouse: tuple[Database, Lake]) -> None:
    api, s3 = DataApi(EngineClient(warehouse[0], LOADER), workgroup="w", database="d"), S3()
    said = "Load into table 'x' failed. Check 'sys_load_error_detail' system table for details."
    assert kept(api, s3, said, run_id="f" * 16) == said
    assert s3.objects == {}


@pytest.mark.parametrize("run_id", ["%", "x' OR '1'='1", ""])
def test_a_run_id_that_is_none_asks_nothing(run_id: str) -> None:
    with pytest.raises(LoadError, match="run_id"):
        kept(None, S3(), "see sys_load_error_detail", run_id=run_id)  # type: ignore[arg-type]


def test_the_list_shows_them_beside_the_rows_of_the_etl(monkeypatch: pytest.MonkeyPatch) -> None:
    from solvent.cli import quarantine as command

    s3 = S3()
    line = {"run_id": RUN, "source": "loans", "source_file": "s3://c/f", "row_number": 3, "kind": "copy"}
    line |= {"reason": "purpose - String length exceeds DDL length", "record_key": None, "payload": "{}"}
    s3.objects[naming.copy_errors_key("lending", RUN, "ingest", 1)] = (json.dumps(line) + "\n").encode()
    monkeypatch.setattr(command, "_there", lambda env: Quarantine(s3, {"quarantine": "quarantine"}))
    monkeypatch.setattr(command, "target", lambda env: None)
    monkeypatch.setattr("solvent.client.saved_query", lambda *_: (["portfolio", "run_id", "source"], []))
    shown = CliRunner().invoke(command.app, ["list"]).output
    assert "purpose - String length exceeds DDL length" in shown and RUN in shown
    assert "No rows are in quarantine" in CliRunner().invoke(command.app, ["list", "--portfolio", "bankruptcy"]).output


def test_an_analyst_who_may_not_see_them_gets_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    from solvent.cli import quarantine as command

    class Closed(S3):
        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            raise client_error("AccessDenied")

    monkeypatch.setattr(command, "_there", lambda env: Quarantine(Closed(), {"quarantine": "quarantine"}))
    monkeypatch.setattr(command, "target", lambda env: None)
    answer = ["portfolio", "run_id", "source"], [["lending", RUN, "loans"]]
    monkeypatch.setattr("solvent.client.saved_query", lambda *_: answer)
    done = CliRunner().invoke(command.app, ["list"])
    assert done.exit_code == 0, done.output
    assert RUN in done.output and "for data stewards to see" in done.output
