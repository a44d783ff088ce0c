"""Submits the load of a run to the warehouse as one transaction; the state machine waits for it."""

from typing import Any

import boto3

from solvent.naming import DATABASE, ZONES, Names
from solvent.settings import Settings
from solvent.warehouse import loader
from solvent.warehouse.data_api import DataApi

settings = Settings.from_environment()
names = Names(settings.environment)
warehouse = DataApi(boto3.client("redshift-data"), workgroup=names.workgroup, database=DATABASE)
buckets = {zone: names.bucket(zone, settings.account, settings.region) for zone in ZONES}


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """{"portfolio", "run_id", "phase": "ingest"|"score", "attempt"?, "predictions_prefix"?} -> {"statement_id"}."""
    statement_id = loader.submit(
        warehouse,
        portfolio=event["portfolio"],
        run_id=event["run_id"],
        phase=event["phase"],
        attempt=int(event.get("attempt", 1)),
        buckets=buckets,
        predictions_prefix=event.get("predictions_prefix"),
    )
    return {"statement_id": statement_id}
