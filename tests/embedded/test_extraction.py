"""A database becomes a delivery, and the delivery tables: the deployed job, a real PostgreSQL, every row counted."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import EmbeddedAws, wait
from servers import Server, postgresql

from solvent import contracts, delivery, naming
from solvent.cli.extract import Extracted, Extraction
from solvent.client import Platform, PlatformError
from solvent.datasets import synthetic
from solvent.datasets.files import render

pytestmark = pytest.mark.embedded
TYPES = {"number": "NUMERIC", "integer": "BIGINT", "date": "DATE", "timestamp": "TIMESTAMPTZ", "boolean": "BOOLEAN"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgresql(tmp_path_factory.mktemp("core")) as running:
        yield running


@pytest.fixture(scope="module")
def rows(server: Server) -> dict[str, int]:
    """The four tables of the lender's core system; rows by source."""
    portfolio = synthetic.simulate(customers=60, loans=60, seed=3)
    engine, counts = server.engine(), {}
    with engine.begin() as connection:
        connection.execute(sa.text("SET TIME ZONE 'UTC'"))
        for source in contracts.load().sources("lending"):
            columns = [f"{c.name} {TYPES.get(c.type, 'TEXT')}" for c in source.columns]
            columns += ["recorded_at TIMESTAMPTZ DEFAULT now()"] if source.name == "application_event" else []
            key = ", ".join(source.key)
            connection.execute(sa.text(f"CREATE TABLE {source.name} ({', '.join(columns)}, PRIMARY KEY ({key}))"))
            text = render(source.name, portfolio.tables[source.name])
            names = ", ".join(text)
            given = [dict(zip(text, row, strict=True)) for row in zip(*text.values(), strict=True)]
            body = json.dumps([{k: v or None for k, v in row.items()} for row in given])
            filled = sa.text(
                f"INSERT INTO {source.name} ({names}) "
                f"SELECT {names} FROM json_populate_recordset(NULL::{source.name}, CAST(:body AS json))"
            )
            connection.execute(filled, {"body": body})
            counts[source.name] = len(given)
    engine.dispose()
    return counts


@pytest.fixture(scope="module")
def secret(platform: Platform, server: Server) -> str:
    """Where the database is, as RDS would write it: the template says the kind and nothing else."""
    name = platform.names.database_secret("core")
    given = {"username": server.user, "password": server.password, "host": server.host, "port": server.port}
    body = json.dumps({**given, "dbname": server.name})
    platform.target.client("secretsmanager").create_secret(Name=name, SecretString=body)
    return name


@pytest.fixture(scope="module")
def first(platform: Platform, secret: str, rows: dict[str, int]) -> Extracted:
    return Extraction(platform.target, "lending").run(as_of="2026-06-30", timeout=300)


def _manifest(platform: Platform, address: str | None) -> delivery.Manifest:
    bucket, _, key = str(address).removeprefix("s3://").partition("/")
    return delivery.parse(platform.target.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def test_a_database_is_delivered_whole_and_ingested_to_the_row(
    platform: Platform, first: Extracted, rows: dict[str, int]
) -> None:
    assert (first.mode, first.rows) == ("snapshot", rows)
    manifest = _manifest(platform, first.manifest)
    assert (manifest.dataset, manifest.as_of, manifest.mode) == ("core", "2026-06-30", "snapshot")
    assert {file.source for file in manifest.files} == set(rows)
    done = platform.run("ingest", {"manifest": first.manifest}, timeout=300)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    key = naming.report_key("lending", done.output["run_id"], "etl")
    artifacts = platform.target.bucket("artifacts")
    report = json.loads(platform.target.client("s3").get_object(Bucket=artifacts, Key=key)["Body"].read())
    total = sum(rows.values())
    counted = report["rows"]
    assert (counted["in"], counted["good"], counted["quarantined"], counted["duplicates"]) == (total, total, 0, 0)


def test_the_next_extraction_delivers_what_has_changed(platform: Platform, first: Extracted, server: Server) -> None:
    engine = server.engine()
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE loan_application SET fees = 1, updated_at = now() WHERE loan_id IN "
                "(SELECT loan_id FROM loan_application ORDER BY loan_id LIMIT 2)"
            )
        )
    engine.dispose()
    changed = Extraction(platform.target, "lending").run(as_of="2026-07-01", timeout=300)
    assert changed.mode == "changes"
    assert {source: count for source, count in changed.rows.items() if count} == {"loan_application": 2}
    assert [f.name for f in _manifest(platform, changed.manifest).files] == ["loan_application-1.csv"]
    again = Extraction(platform.target, "lending").run(as_of="2026-07-02", timeout=300)
    assert again.manifest is None and sum(again.rows.values()) == 0


def test_a_wrong_password_ends_the_job_by_name_and_without_it(
    platform: Platform, first: Extracted, secret: str
) -> None:
    secrets = platform.target.client("secretsmanager")
    right = secrets.get_secret_value(SecretId=secret)["SecretString"]
    secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({**json.loads(right), "password": "S3cret"}))
    try:
        with pytest.raises(PlatformError, match="FAILED: LoginRefused: PostgreSQL refused") as caught:
            Extraction(platform.target, "lending").run(timeout=300)
    finally:
        secrets.put_secret_value(SecretId=secret, SecretString=right)
    assert "S3cret" not in str(caught.value)


@pytest.mark.parametrize("module", ["pymssql", "ibm_db"])
def test_a_compiled_driver_cannot_connect_past_the_checks(aws: EmbeddedAws, module: str) -> None:
    """It opens connections in C, where nothing here could see that they leave the machine."""
    glue, bucket, name = aws.client("glue"), aws.name("scripts"), aws.name("job")
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region})
    aws.client("s3").put_object(Bucket=bucket, Key="job.py", Body=f"import {module}\n".encode())
    role = aws.role({"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}, service="glue.amazonaws.com")
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/job.py", "PythonVersion": "3"}
    glue.create_job(Name=name, Role=role, Command=command, GlueVersion="5.1")
    run = glue.start_job_run(JobName=name)["JobRunId"]

    def ended() -> Any:
        found = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
        return found if found["JobRunState"] not in ("STARTING", "RUNNING") else None

    assert "refused: it connects past all checks" in wait(ended, 60)["ErrorMessage"]
