"""Glue job `etl`: arguments -> one call -> report. What it does is told in `solvent.etl.run`."""

import json
import sys
import tempfile
from pathlib import Path

import boto3
from awsglue.utils import getResolvedOptions

from solvent import etl, naming
from solvent.etl import engine

arguments = getResolvedOptions(
    sys.argv, ["JOB_NAME", "portfolio", "run_id", "manifest", "base", *(f"{zone}_bucket" for zone in etl.ZONES)]
)
job = etl.Job(
    portfolio=arguments["portfolio"],
    run_id=arguments["run_id"],
    manifest=arguments["manifest"],
    base=None if arguments["base"] == naming.NO_BASE else arguments["base"],
    buckets={zone: arguments[f"{zone}_bucket"] for zone in etl.ZONES},
)
with tempfile.TemporaryDirectory(prefix="solvent-etl-") as folder:
    work = Path(folder)
    selected = engine.select(work)
    report = etl.run(job, engine=selected, s3=boto3.client("s3"), work=work)
    selected.close()
# Counts only: no row of a customer goes to the log.
told = ("rows", "stopped", "unknown_columns", "excluded_features")
print(json.dumps({"run_id": job.run_id, **{name: report[name] for name in told}}))
