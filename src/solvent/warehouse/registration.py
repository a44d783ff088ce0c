"""A registered model version as a row of `ops.models`: what `train` writes before the endpoint is touched.

If that fails, the run fails, and the live model stays: every version that ever decided has its row. The repair is
another `train` run, which registers a version of its own; the same registration written twice changes nothing.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from solvent.contracts import Contracts
from solvent.gates import METRICS
from solvent.warehouse import load
from solvent.warehouse import statements as sql

_PACKAGE = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/[A-Za-z0-9-]{1,63}/([1-9][0-9]{0,8})"
)


def statements(contracts: Contracts) -> list[str]:
    """The transaction that writes one row, of the parameters that `row` makes."""
    contract = contracts["models"]
    columns = list(contract.column_names)
    return [
        sql.create_staging(contract, columns),
        sql.insert_given(contract),
        sql.delete_unchanged(contract, columns),
        sql.merge(contract, columns),
    ]


def row(*, portfolio: str, run_id: str, registered: Mapping[str, Any]) -> dict[str, str]:
    """Column -> value as text. `registered` is {"model_package", "registered_at", "as_of", "metrics": {name: text}}.

    The version is the last part of the package's ARN; times become UTC. Raises LoadError that names what is wrong.
    """
    load.check(portfolio, run_id)
    package = str(registered.get("model_package"))
    version = _PACKAGE.fullmatch(package)
    if not version:
        raise load.LoadError(f"model_package must be the ARN of a version in a group, it is {package[:200]!r}.")
    return {
        "portfolio": portfolio,
        "model_version": version[1],
        "model_package": package,
        "run_id": run_id,
        "as_of": _date(registered.get("as_of")),
        "registered_at": _utc(registered.get("registered_at")),
        **{name: _figure(name, registered.get("metrics", {}).get(name)) for name in METRICS},
    }


def _date(text: Any) -> str:
    try:
        return date.fromisoformat(str(text)).isoformat()
    except ValueError as error:
        raise load.LoadError(f"as_of must be a date, YYYY-MM-DD, it is {text!r}.") from error


def _utc(text: Any) -> str:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise load.LoadError(f"registered_at must be a time in ISO 8601, it is {text!r}.") from error
    if time.tzinfo is None:
        raise load.LoadError(f"registered_at must say its zone, as in 2026-06-30T12:00:00Z; it is {text!r}.")
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _figure(name: str, text: Any) -> str:
    """Whole for `rows`, finite for the others."""
    try:
        good = int(str(text)) >= 0 if name == "rows" else math.isfinite(float(str(text)))
    except ValueError:
        good = False
    if not good:
        kind = "a whole number" if name == "rows" else "a finite number"
        raise load.LoadError(f"The model's figure {name} must be {kind}, it is {text!r}.")
    return str(text)
