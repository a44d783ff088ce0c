"""Glue job `erase`: arguments -> one call -> proof. What it does is told in `solvent.erasure.run`."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from awsglue.utils import getResolvedOptions

from solvent import contracts, erasure, naming
from solvent.erasure.warehouse import Warehouse
from solvent.holders import Holders, job_run
from solvent.ledger import Ledger, PortfolioBusy
from solvent.warehouse.data_api import DataApi

POLL_SECONDS = 5

arguments = getResolvedOptions(
    sys.argv,
    ["JOB_NAME", "erasure_id", "runs_table", "workgroup", "decision_years", "busy_wait_minutes"]
    + [f"{zone}_bucket" for zone in erasure.ZONES],
)
# Glue passes it to every run; who asks for it by name is refused.
run_id = sys.argv[sys.argv.index("--JOB_RUN_ID") + 1]
owner = job_run(arguments["JOB_NAME"], run_id)
ledger = Ledger(
    boto3.resource("dynamodb").Table(arguments["runs_table"]),
    alive=Holders(boto3.client("stepfunctions"), boto3.client("glue")).alive,
)
data = DataApi(boto3.client("redshift-data"), workgroup=arguments["workgroup"], database=naming.DATABASE)


@contextmanager
def locked(portfolio: str) -> Iterator[None]:
    """No run of the portfolio works meanwhile: it would read, or write, the person's rows."""
    deadline = time.monotonic() + 60 * int(arguments["busy_wait_minutes"])
    while True:
        try:
            ledger.acquire(portfolio, owner)
            break
        except PortfolioBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        ledger.release(portfolio, owner)


proof = erasure.run(
    erasure.Job(
        erasure_id=arguments["erasure_id"],
        buckets={zone: arguments[f"{zone}_bucket"] for zone in erasure.ZONES},
        decision_years=int(arguments["decision_years"]),
    ),
    s3=boto3.client("s3"),
    warehouse=lambda portfolio: Warehouse(data, contracts.load(), portfolio),
    locked=locked,
    say=lambda step: print(json.dumps({"erasure": arguments["erasure_id"], "step": step}), flush=True),
)
print(json.dumps({"erasure": arguments["erasure_id"], "proof": proof.get("proof")}))
