"""What is wrong is said by name, with what to do, and without what nobody may read in a log."""

import json
from pathlib import Path
from typing import Any

import pytest
from landing import Lake, contract
from servers import Server

from solvent.extraction import databases, definition
from solvent.extraction.databases import Database
from solvent.extraction.errors import (
    DatabaseUnreachable,
    InvalidDatabase,
    InvalidExtraction,
    LoginRefused,
    NoSecret,
    NoSuchTable,
)

EVENTS = contract("application_event", "event_id", "note", key="event_id")
SECRET = "very-S3cret"


def _run(lake: Lake, job: Any, work: Path) -> None:
    lake.run(job, work)


def test_a_wrong_password_is_refused(lake: Lake, server: Server, declare: Any, tmp_path: Path) -> None:
    declare({"application_event": {"table": "nothing", "key": "event_id"}}, EVENTS)
    lake.tell(server, password=SECRET)
    with pytest.raises(LoginRefused, match="Mend the secret") as caught:
        _run(lake, lake.job("test", server), tmp_path)
    assert SECRET not in str(caught.value) and lake.objects() == []


def test_an_unknown_table_is_named(lake: Lake, server: Server, declare: Any, tmp_path: Path) -> None:
    lake.tell(server)
    for source in ({"table": "nowhere"}, {"query": "SELECT event_id, note FROM nowhere"}):
        declare({"application_event": {**source, "key": "event_id"}}, EVENTS)
        with pytest.raises(NoSuchTable, match="application_event .*no such table"):
            _run(lake, lake.job("test", server), tmp_path)


def test_a_missing_secret_is_named(lake: Lake, postgres: Server, declare: Any, tmp_path: Path) -> None:
    declare({"application_event": {"table": "nothing", "key": "event_id"}}, EVENTS)
    with pytest.raises(NoSecret, match=rf"{lake.secret} cannot be read \(ResourceNotFound"):
        _run(lake, lake.job("test", postgres), tmp_path)
    lake.client("secretsmanager").create_secret(Name=lake.secret, SecretString=json.dumps({"user": SECRET}))
    with pytest.raises(NoSecret, match="username") as caught:
        _run(lake, lake.job("test", postgres), tmp_path)
    assert SECRET not in str(caught.value)


def test_a_database_that_does_not_answer_is_told_from_one_that_refuses(
    lake: Lake, postgres: Server, declare: Any, tmp_path: Path
) -> None:
    declare({"application_event": {"table": "nothing", "key": "event_id"}}, EVENTS)
    lake.tell(postgres)
    for url in ("postgresql+pg8000://127.0.0.1:1/core", "mysql+pymysql://127.0.0.1:1/core"):
        job = lake.job("test", databases={"core": Database(url, lake.secret)})
        with pytest.raises(DatabaseUnreachable, match="Check host"):
            _run(lake, job, tmp_path)


def test_host_and_port_may_come_from_the_secret_as_rds_keeps_them(
    lake: Lake, postgres: Server, declare: Any, tmp_path: Path
) -> None:
    engine = postgres.engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS rds (event_id TEXT PRIMARY KEY, note TEXT)")
    engine.dispose()
    declare({"application_event": {"table": "public.rds", "key": "event_id"}}, EVENTS)
    lake.tell(postgres, host=postgres.host, port=str(postgres.port), dbname=postgres.name)
    job = lake.job("test", databases={"core": Database("postgresql+pg8000://", lake.secret)})
    assert lake.run(job, tmp_path)["rows"] == {"application_event": 0}


def test_the_real_job_says_the_cause_and_no_secret(lake: Lake, postgres: Server) -> None:
    lake.tell(postgres, password=SECRET)
    job = lake.process(postgres)
    output = job.communicate(timeout=120)[0]
    assert job.returncode == 1 and output.splitlines()[-1].startswith("solvent.extraction.errors.LoginRefused: ")
    assert SECRET not in output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+pg8000://core:very-S3cret@db/core", "holds a password"),
        ("postgresql+pg8000://core@db/core", "holds a user"),
        ("mysql+pymysql://db/core?password=very-S3cret", "holds password"),
        ("sqlite:///very-S3cret.db", "no database that can be read"),
        ("very-S3cret", "is none"),
    ],
)
def test_a_url_with_credentials_or_of_an_unknown_database_is_refused(url: str, said: str) -> None:
    with pytest.raises(InvalidDatabase, match=said) as caught:
        databases.checked(url)
    assert "S3cret" not in str(caught.value)


SOURCE = {"table": "t", "key": "event_id"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"portfolio": "cars"}, "portfolio is one of"),
        ({"database": None}, "say database or export"),
        ({"overlap": -1}, "overlap"),
        ({"sources": {}}, "no sources"),
        ({"sources": {"cars": SOURCE}}, "no source cars"),
        ({"sources": {"application_event": {"table": "t"}}}, "say the key"),
        ({"sources": {"application_event": {"key": "event_id"}}}, "say table or query"),
        ({"sources": {"application_event": {**SOURCE, "chunk_rows": 0}}}, "chunk_rows"),
        ({"sources": {"application_event": {**SOURCE, "table": "a b"}}}, "SCHEMA.TABLE"),
        ({"sources": {"application_event": {**SOURCE, "tabel": "t"}}}, "tabel"),
        ({"sources": {"application_event": {**SOURCE, "files": "*.DEL"}}}, "belong to an export"),
        ({"database": None, "export": {"prefix": "x"}}, "files and layout"),
    ],
)
def test_a_wrong_definition_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    right = {"portfolio": "lending", "dataset": "core", "database": "core", "sources": {"application_event": SOURCE}}
    definition.parse("right", right)
    wrong = {k: v for k, v in {**right, **change}.items() if v is not None}
    with pytest.raises(InvalidExtraction, match=said):
        definition.parse("wrong", wrong)


def test_the_shipped_definitions_are_valid_and_a_stranger_is_refused() -> None:
    assert {"lending", "lending-db2"} <= set(definition.documents())
    for name in definition.documents():
        assert definition.load(name).sources
    with pytest.raises(InvalidExtraction, match="There is no extraction 'nothing'"):
        definition.load("nothing")
