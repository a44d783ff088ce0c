"""Engine time of a whole ETL run, from the raw rows to the published features, for every portfolio."""

import statistics
import time
from pathlib import Path
from typing import Any, cast

import boto3
from moto import mock_aws

from solvent import datasets, delivery, etl, naming
from solvent.datasets import synthetic
from solvent.etl.duckdb_engine import DuckDbEngine
from solvent.etl.engine import Engine

REGION = "eu-west-1"
RUNS = 3
BUCKETS = {zone: f"solvent-bench-{zone}" for zone in etl.ZONES}


class TimedEngine:
    """The DuckDB adapter with clocks around each call (reading, computing, writing, counting).

    `cpu` counts all threads: on an idle machine the wall shows no more than that.
    """

    dialect, remote = DuckDbEngine.dialect, DuckDbEngine.remote

    def __init__(self, work: Path) -> None:
        self._engine = DuckDbEngine(work=work)
        self.cpu = self.wall = 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                return method(*arguments, **named)
            finally:
                self.cpu += time.process_time() - cpu
                self.wall += time.perf_counter() - wall

        return timed


def customers_of(repayments: int) -> int:
    """How many customers, with as many loans, make at least so many repayments."""
    size = 1000
    while (
        len(synthetic.simulate(customers=size, loans=size, seed=0).tables["repayment_history"]["loan_id"]) < repayments
    ):
        size += 10
    return size


def engine_seconds(folder: Path, repayments: int) -> dict[str, dict[str, Any]]:
    """By portfolio: the rows delivered and the median seconds in the engine.

    The lending delivery has as many loans as make at least `repayments` rows; other portfolios as many entities.
    """
    size = customers_of(repayments)
    found = {}
    for portfolio in naming.PORTFOLIOS:
        source = "synthetic" if portfolio == "lending" else portfolio
        delivered = datasets.write(source, folder / f"delivery-{portfolio}", size=size)
        runs = [_run(delivered, folder / f"work-{portfolio}-{turn}") for turn in range(RUNS)]
        found[portfolio] = {
            "rows": runs[0]["rows"],
            **{clock: round(statistics.median(r[clock] for r in runs), 3) for clock in ("cpu", "wall")},
            "runs": [round(r["cpu"], 3) for r in runs],
        }
    return found


def in_memory() -> Any:
    """A client of moto's S3 with a bucket per zone; needs an active `mock_aws`."""
    s3 = boto3.client("s3", region_name=REGION, aws_access_key_id="bench", aws_secret_access_key="bench")  # noqa: S106
    for bucket in BUCKETS.values():
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def deliver(s3: Any, delivered: Path) -> etl.Job:
    """Put a folder of files into the landing zone, as a delivery without a base."""
    manifest = delivery.build(delivered)
    key = naming.manifest_key(manifest.portfolio, manifest.delivery_id)
    for file in manifest.files:
        s3.upload_file(str(delivered / file.name), BUCKETS["landing"], key.replace("manifest.json", file.name))
    s3.put_object(Bucket=BUCKETS["landing"], Key=key, Body=manifest.to_bytes())
    run_id = delivery.run_id(manifest.to_bytes(), "bench")
    return etl.Job(manifest.portfolio, run_id, f"s3://{BUCKETS['landing']}/{key}", BUCKETS)


def _run(delivered: Path, work: Path) -> dict[str, Any]:
    """One ETL run in an S3 of moto's, without a base."""
    work.mkdir()
    with mock_aws():
        s3 = in_memory()
        job = deliver(s3, delivered)
        engine = TimedEngine(work)
        report = etl.run(job, engine=cast(Engine, engine), s3=s3, work=work)
        engine.close()
    rows = {name: counts["in"] for name, counts in report["sources"].items()}
    return {"cpu": engine.cpu, "wall": engine.wall, "rows": rows}
