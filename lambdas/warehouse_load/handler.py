"""Submits the load of a run, or a refresh of the marts, to the warehouse; the state machine waits for its end."""

from typing import Any

import boto3

from solvent.naming import DATABASE, ZONES, Names
from solvent.settings import Settings
from solvent.warehouse import copy_errors, loader
from solvent.warehouse.data_api import DataApi

settings = Settings.from_environment()
names = Names(settings.environment)
s3 = boto3.client("s3")
warehouse = DataApi(boto3.client("redshift-data"), workgroup=names.workgroup, database=DATABASE)
buckets = {zone: names.bucket(zone, settings.account, settings.region) for zone in ZONES}


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """{"portfolio", "run_id", "phase": "ingest"|"score"|"refresh", "attempt"?, "predictions_prefix"?, "after"?} in,
    {"statement_id", "stopped"} out; or the same with the "error" of the load in, {"text"} out: what to say of it, and
    the lines that COPY refused are in quarantine.

    `stopped` says which sources the ETL had to stop, and why; it is empty when all were taken.
    """
    portfolio, run_id = event["portfolio"], event["run_id"]
    if "error" in event:
        told = copy_errors.keep(
            warehouse,
            s3,
            error=event["error"],
            bucket=buckets["quarantine"],
            portfolio=portfolio,
            run_id=run_id,
            phase=event["phase"],
            attempt=int(event["attempt"]),
        )
        return {"text": told}
    report: dict[str, Any] = {}
    if event["phase"] == "ingest":
        report = loader.etl_report(s3, portfolio=portfolio, run_id=run_id, bucket=buckets["artifacts"])
    statement_id = loader.submit(
        warehouse,
        portfolio=portfolio,
        run_id=run_id,
        phase=event["phase"],
        attempt=int(event.get("attempt", 1)),
        buckets=buckets,
        report=report,
        predictions_prefix=event.get("predictions_prefix"),
        after=event.get("after"),
    )
    return {"statement_id": statement_id, "stopped": report.get("stopped", {}).get("text", "")}
