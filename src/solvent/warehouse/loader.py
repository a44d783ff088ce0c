"""Submitting a run's load: the statements, the client token that makes a repeated call harmless, and nothing more.

The state machine waits; a function that waited would be paid for waiting.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from solvent import contracts, naming
from solvent.logs import log
from solvent.warehouse import load, marts, registration
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import DataApi

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def etl_report(s3: "S3Client", *, portfolio: str, run_id: str, bucket: str) -> dict[str, Any]:
    """What the ETL of a run published and counted, from the artifacts zone. Raises LoadError for ids that are none."""
    load.check(portfolio, run_id)
    body = s3.get_object(Bucket=bucket, Key=naming.report_key(portfolio, run_id, "etl"))["Body"].read()
    return dict(json.loads(body))


def submit(
    api: DataApi,
    *,
    portfolio: str,
    run_id: str,
    phase: str,
    attempt: int,
    buckets: Mapping[str, str],
    report: Mapping[str, Any] | None = None,
    predictions_prefix: str | None = None,
    after: str | None = None,
    registered: Mapping[str, Any] | None = None,
) -> str:
    """Hand the load of `ingest` (with the ETL's `report`), `score` or `train` (with the `registered` version) over as
    one transaction, or the `refresh` of the marts `after` a load, which is the id of its statement; returns the id.

    The token holds the attempt: within hours the Data API answers the same token with the same statement, also when
    that one has failed. Raises LoadError or DataApiError.
    """
    known = contracts.load()
    parameters: dict[str, str] = {}
    if phase == "ingest" and report:
        batch = load.ingest(known, portfolio=portfolio, run_id=run_id, buckets=dict(buckets), report=report)
    elif phase == "score" and predictions_prefix:
        batch = load.predictions(known, portfolio=portfolio, run_id=run_id, prefix=predictions_prefix)
    elif phase == "train" and registered:
        batch = registration.statements(known)
        parameters = registration.row(portfolio=portfolio, run_id=run_id, registered=registered)
    elif phase == "refresh" and after:
        load.check(portfolio, run_id)
        batch = [sql.call(marts.REFRESH)]
    else:
        known_phases = (
            "'ingest' with a report, 'score' with a predictions_prefix, 'train' with what was registered, or "
            "'refresh' after a load"
        )
        raise load.LoadError(f"phase is {known_phases}; not {phase!r}.")
    digest = hashlib.sha256("\n".join([*batch, *parameters.values()]).encode()).hexdigest()[:8]
    token = f"refresh-{after}" if after else f"load-{phase}-{run_id}-{attempt}-{digest}"
    statement_id = api.submit_batch(batch, parameters, token=token)
    log("load_submitted", phase=phase, run_id=run_id, statements=len(batch), statement_id=statement_id)
    return statement_id
