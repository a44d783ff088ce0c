"""The Glue job as Glue starts it: arguments in, tables and report out; and the catalog that describes the tables."""

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import boto3
import pyarrow as pa
import pytest
from lakehouse import BUCKETS, Lakehouse
from moto import mock_aws

from solvent import contracts, datasets, etl, naming
from solvent.contracts import glue
from solvent.etl import build

ROOT = Path(__file__).parents[2]
ARROW_TO_HIVE = {
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
    pa.string(): "string",
    pa.bool_(): "boolean",
}


@pytest.fixture
def lakehouse(tmp_path: Path) -> Iterator[Lakehouse]:
    work = tmp_path / "work"
    work.mkdir()
    with mock_aws():
        yield Lakehouse(work)


def run_script(monkeypatch: pytest.MonkeyPatch, job: etl.Job) -> None:
    """`glue_jobs/etl.py` with Glue's own way of passing arguments."""

    def resolved(argv: list[str], names: list[str]) -> dict[str, str]:
        given = dict(zip(argv[1::2], argv[2::2], strict=True))
        return {name: given[f"--{name}"] for name in names}

    awsglue, utils = ModuleType("awsglue"), ModuleType("awsglue.utils")
    utils.getResolvedOptions = resolved  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "awsglue", awsglue)
    monkeypatch.setitem(sys.modules, "awsglue.utils", utils)
    monkeypatch.setenv("SOLVENT_ETL_ENGINE", "duckdb")
    options = {
        "JOB_NAME": "solvent-dev-etl",
        "portfolio": job.portfolio,
        "run_id": job.run_id,
        "manifest": job.manifest,
        "base": "none",
    }
    options |= {f"{zone}_bucket": bucket for zone, bucket in job.buckets.items()}
    monkeypatch.setattr(sys, "argv", ["etl.py", *(x for k, v in options.items() for x in (f"--{k}", v))])
    runpy.run_path(str(ROOT / "glue_jobs" / "etl.py"), run_name="__main__")


def test_the_job_turns_a_delivery_into_tables(
    lakehouse: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets.write("synthetic", tmp_path / "files", size=60)
    job = lakehouse.deliver(tmp_path / "files")
    run_script(monkeypatch, job)
    printed = capsys.readouterr().out
    report = json.loads(lakehouse.objects("artifacts")[naming.report_key("lending", job.run_id, "etl")])
    rows = report["rows"]
    assert rows["in"] == rows["good"] + rows["quarantined"] + rows["duplicates"]
    assert min(rows[kind] for kind in ("in", "good", "quarantined", "duplicates")) > 0
    assert lakehouse.table(job, "training", "application_features").num_rows > 30
    assert lakehouse.json_lines(job, "training", "open_loans")[0]["as_of"] == "2026-06-30"
    assert "example.com" not in printed  # no row of a customer in the log


@pytest.mark.parametrize(("portfolio", "dataset"), [("lending", "synthetic"), ("bankruptcy", "bankruptcy")])
def test_the_catalog_describes_the_files_that_are_written(
    lakehouse: Lakehouse, tmp_path: Path, portfolio: str, dataset: str
) -> None:
    datasets.write(dataset, tmp_path / "files", size=60)
    job = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(job)
    client = boto3.client("glue", region_name="eu-west-1")
    client.create_database(DatabaseInput={"Name": "solvent_test"})
    for contract in contracts.load().values():
        if contract.zone in ("artifacts", "warehouse") or contract.portfolio not in (portfolio, "ops"):
            continue  # written by the batch transform, and by the warehouse alone
        client.create_table(
            DatabaseName="solvent_test",
            TableInput={"Name": contract.name, "StorageDescriptor": {"Columns": glue.columns(contract)}},
        )
        described = client.get_table(DatabaseName="solvent_test", Name=contract.name)["Table"]["StorageDescriptor"]
        written = lakehouse.table(job, contract.zone, contract.name).schema
        assert {c["Name"]: c["Type"] for c in described["Columns"]} == {f.name: hive(f.type) for f in written}


def test_the_quarantine_has_one_form(lakehouse: Lakehouse, tmp_path: Path) -> None:
    datasets.write("synthetic", tmp_path / "files", size=60)
    job = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(job)
    expected = {c["Name"]: c["Type"] for c in glue.quarantine_columns()}
    for contract in contracts.load().sources("lending"):
        for name in (contract.name, f"{contract.name}_duplicates"):
            written = lakehouse.table(job, "quarantine", name).schema
            assert {f.name: hive(f.type) for f in written} == expected


def hive(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return ARROW_TO_HIVE[kind]


def test_the_build_is_reproducible_and_complete(tmp_path: Path) -> None:
    for name in ("a", "b"):
        build.build(tmp_path / name)
    files = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*.sql")}
    assert files == {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*.sql")}
    names = {
        dialect: [p.name for p in sorted((tmp_path / "a" / dialect / "lending").iterdir())]
        for dialect in build.DIALECTS
    }
    assert names["duckdb"] == names["spark"]
    assert names["spark"][0] == "001_checked_customer_profile.sql"


def test_the_shipped_package_needs_neither_yaml_nor_duckdb_nor_sqlglot(tmp_path: Path) -> None:
    from solvent import specification

    shutil.copytree(ROOT / "src" / "solvent", tmp_path / "solvent", ignore=shutil.ignore_patterns("__pycache__"))
    contracts.compile(tmp_path / "solvent" / "_compiled" / "contracts.json")
    specification.compile(tmp_path / "solvent" / "_compiled" / "specifications.json")
    build.build(tmp_path / "solvent" / "_sql")
    archive = shutil.make_archive(str(tmp_path / "libraries"), "zip", tmp_path, "solvent")
    shutil.rmtree(tmp_path / "solvent")
    code = f"""
import sys
for name in ("yaml", "pydantic", "open_data_contract_standard", "duckdb", "sqlglot", "polars"):
    sys.modules[name] = None
sys.path.insert(0, {archive!r})
from solvent import etl
from solvent.etl import admission, engine, spark_engine, statements
assert {archive!r} in etl.__file__
found = statements.load("lending", "spark")
assert {{"customers", "customers_history", "application_features", "open_loans"}} <= {{s.table for s in found}}
assert "RLIKE" in found[0].sql and "TIMESTAMP_NTZ" in found[0].sql
etl.specification.load("lending"), etl.contracts.load()
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    from solvent.etl import engine

    with pytest.raises(ValueError, match="duckdb or spark"):
        engine.select(tmp_path, "polars")


def test_an_address_that_is_none_is_refused(lakehouse: Lakehouse) -> None:
    job = etl.Job(portfolio="lending", run_id="r", manifest="landing/manifest.json", buckets=BUCKETS)
    with pytest.raises(etl.EtlError, match="not an s3://bucket/key address"):
        lakehouse.run(job)
