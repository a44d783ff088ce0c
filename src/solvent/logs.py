"""Structured logs of Lambdas: one JSON object a line. Names, counts, identifiers; never payloads or personal data."""

import json
import sys
from datetime import UTC, datetime
from typing import Any


def log(message: str, *, level: str = "INFO", **fields: Any) -> None:
    """Write one event, e.g. log("loaded", run_id=..., rows=...). `level` is INFO, WARNING or ERROR."""
    entry = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "message": message,
        **fields,
    }
    # One write per line, so that lines of concurrent threads do not mix; CloudWatch takes standard output.
    sys.stdout.write(json.dumps(entry, default=str) + "\n")
    sys.stdout.flush()
