"""Submitting a run's load: the statements, the client token that makes a repeated call harmless, and nothing more.

The state machine waits; a function that waited would be paid for waiting.
"""

import hashlib
from collections.abc import Mapping

from solvent import contracts
from solvent.logs import log
from solvent.warehouse import load
from solvent.warehouse.data_api import DataApi


def submit(
    api: DataApi,
    *,
    portfolio: str,
    run_id: str,
    phase: str,
    attempt: int,
    buckets: Mapping[str, str],
    predictions_prefix: str | None = None,
) -> str:
    """Hand the load of `ingest` or `score` over as one transaction and return the statement's id.

    The token holds the attempt: within hours the Data API answers the same token with the same statement, also when
    that one has failed. Raises LoadError or DataApiError.
    """
    known = contracts.load()
    if phase == "ingest":
        batch = load.ingest(known, portfolio=portfolio, run_id=run_id, buckets=dict(buckets))
    elif phase == "score" and predictions_prefix:
        batch = load.predictions(known, portfolio=portfolio, run_id=run_id, prefix=predictions_prefix)
    else:
        raise load.LoadError(f"phase is 'ingest', or 'score' with a predictions_prefix; not {phase!r}.")
    digest = hashlib.sha256("\n".join(batch).encode()).hexdigest()[:8]
    statement_id = api.submit_batch(batch, token=f"load-{phase}-{run_id}-{attempt}-{digest}")
    log("load_submitted", phase=phase, run_id=run_id, statements=len(batch), statement_id=statement_id)
    return statement_id
