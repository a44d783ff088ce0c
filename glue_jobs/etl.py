"""Glue job `etl`: arguments -> one call -> report. What it does is told in `solvent.etl.run`."""

import json
import sys
import tempfile
from pathlib import Path

import boto3
from awsglue.utils import getResolvedOptions

from solvent import etl
from solvent.etl import engine

arguments = getResolvedOptions(
    sys.argv, ["JOB_NAME", "portfolio", "run_id", "manifest", *(f"{zone}_bucket" for zone in etl.ZONES)]
)
job = etl.Job(
    portfolio=arguments["portfolio"],
    run_id=arguments["run_id"],
    manifest=arguments["manifest"],
    buckets={zone: arguments[f"{zone}_bucket"] for zone in etl.ZONES},
)
with tempfile.TemporaryDirectory(prefix="solvent-etl-") as folder:
    work = Path(folder)
    selected = engine.select(work)
    report = etl.run(job, engine=selected, s3=boto3.client("s3"), work=work)
    selected.close()
# Counts only: no row of a customer goes to the log.
print(json.dumps({"run_id": job.run_id, "rows": report["rows"], "excluded_features": report["excluded_features"]}))
