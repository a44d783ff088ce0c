"""Takes application events off the Kinesis stream into the raw zone, malformed ones into quarantine."""

from typing import Any

import boto3

from solvent import contracts, streams
from solvent.naming import Names
from solvent.settings import Settings

EVENT = "application_event"

settings = Settings.from_environment()
names = Names(settings.environment)
s3 = boto3.client("s3")
contract = contracts.load()[EVENT]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """{"batchItemFailures": [...]}: where Lambda is to deliver again from, empty when everything is stored."""
    again = streams.ingest(
        [streams.Record.from_event(record) for record in event["Records"]],
        contract=contract,
        s3=s3,
        raw_bucket=names.bucket("raw", settings.account, settings.region),
        quarantine_bucket=names.bucket("quarantine", settings.account, settings.region),
    )
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
