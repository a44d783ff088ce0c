"""Glue job `extract`: arguments -> one call -> report. What it does is told in `solvent.extraction.extract.run`."""

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from awsglue.utils import getResolvedOptions

from solvent.extraction import extract
from solvent.extraction.databases import Database

arguments = getResolvedOptions(
    sys.argv, ["extraction", "source", "full", "as_of", "databases", "landing_bucket", "artifacts_bucket"]
)
job = extract.Job(
    name=arguments["extraction"],
    databases={name: Database(**given) for name, given in json.loads(arguments["databases"]).items()},
    landing=arguments["landing_bucket"],
    artifacts=arguments["artifacts_bucket"],
    source=None if arguments["source"] == "all" else arguments["source"],
    full=arguments["full"] == "true",
    as_of=None if arguments["as_of"] == "today" else arguments["as_of"],
)


def heard(progress: dict[str, Any]) -> None:
    """Counts only: no row of a customer goes to the log."""
    print(json.dumps(progress), flush=True)


with tempfile.TemporaryDirectory(prefix="solvent-extract-") as folder:
    report = extract.run(
        job,
        s3=boto3.client("s3"),
        secrets=boto3.client("secretsmanager"),
        work=Path(folder),
        now=datetime.now(UTC),
        heard=heard,
    )
heard(report)
