"""Submits the load of a run, or a refresh of the marts, to the warehouse; the state machine waits for its end.

It also makes a portfolio's live model a function of SQL, which takes no time worth waiting for elsewhere.
"""

from typing import Any

import boto3

from solvent import specification
from solvent.naming import DATABASE, ZONES, Names
from solvent.settings import Settings
from solvent.warehouse import copy_errors, loader, models
from solvent.warehouse.data_api import DataApi

SECONDS_TO_ANSWER = 10
settings = Settings.from_environment()
names = Names(settings.environment)
s3 = boto3.client("s3")
warehouse = DataApi(boto3.client("redshift-data"), workgroup=names.workgroup, database=DATABASE)
buckets = {zone: names.bucket(zone, settings.account, settings.region) for zone in ZONES}


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """{"portfolio", "run_id", "phase": "ingest"|"score"|"train"|"refresh", "attempt"?, "predictions_prefix"?, "after"?,
    "registered"?} in, {"statement_id", "stopped"} out; `registered` is `solvent.warehouse.registration`'s. Or the same
    with the "error" of the load in, {"text"} out: what to say of it, and the lines that COPY refused are in quarantine.
    Or {"portfolio", "phase": "model"} in, {"text"} out: the function of SQL that asks the portfolio's endpoint is
    there.

    `stopped` says which sources the ETL had to stop, and why; it is empty when all were taken.
    """
    portfolio = event["portfolio"]
    if event["phase"] == "model":
        api = warehouse.within(context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER)
        spec = specification.load(portfolio)
        return {"text": models.make(api, models.SqlModel(spec, names.endpoint(portfolio)))}
    run_id = event["run_id"]
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
        registered=event.get("registered"),
    )
    return {"statement_id": statement_id, "stopped": report.get("stopped", {}).get("text", "")}
