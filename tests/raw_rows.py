"""The good rows of a lending delivery, read from its CSV files by plain Python: nothing of the ETL's code or SQL.

What the contracts say of a column (type, range, values, pattern) is data to both; how a file is read, a text is
understood and a row is refused is written here a second time.
"""

import csv
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from solvent import contracts
from solvent.contracts import Column, Contract

# Parents first. Source -> the column that must be among the good rows of an earlier one.
PARENTS = {
    "customer_profile": None,
    "loan_application": ("customer_id", "customer_profile"),
    "application_event": ("loan_id", "loan_application"),
    "repayment_history": ("loan_id", "loan_application"),
}
_NUMBER = re.compile(r"[$€]?\s*(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)")
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y")


class RefusedError(Exception):
    """The text breaks a rule."""


def good_rows(folder: Path) -> dict[str, pd.DataFrame]:
    """By source: one row per key, typed. Amounts of money are whole cents, days are timestamps."""
    found: dict[str, pd.DataFrame] = {}
    keys: dict[str, set[str]] = {}
    for source, parent in PARENTS.items():
        contract = contracts.load()[source]
        newest: dict[str, dict[str, Any]] = {}
        for row in _typed_rows(folder / f"{source}.csv", contract):
            if parent and row[parent[0]] not in keys[parent[1]]:
                continue
            version, key = contract.version_column, row[contract.key[0]]
            if key not in newest or (version and row[version] > newest[key][version]):
                newest[key] = row
        frame = pd.DataFrame(newest.values(), columns=list(contract.column_names))
        for column in contract.columns:
            if column.type in ("integer", "number"):
                frame[column.name] = frame[column.name].astype("Float64" if _is_rate(column) else "Int64")
            elif column.type in ("date", "timestamp"):
                frame[column.name] = pd.to_datetime(frame[column.name])
        found[source], keys[source] = frame, set(newest)
    return found


def _typed_rows(path: Path, contract: Contract) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file)
    rows = []
    for fields in lines:
        if len(fields) != len(header):
            continue
        try:
            given = dict(zip(header, fields, strict=True))
            rows.append({c.name: _understood(c, given[c.name].strip()) for c in contract.columns})
        except RefusedError:
            continue
    return rows


def _understood(column: Column, text: str) -> Any:
    if text in ("", "N/A"):
        if column.required:
            raise RefusedError(column.name)
        return None
    value = _PARSE[column.type](text)
    if column.values and value not in column.values:
        raise RefusedError(column.name)
    if column.pattern and not re.fullmatch(column.pattern, text):
        raise RefusedError(column.name)
    low, high = column.minimum, column.maximum
    if column.type == "date":
        low, high = (datetime.fromisoformat(str(v)) if v else None for v in (low, high))
    if (low is not None and value < low) or (high is not None and value > high):
        raise RefusedError(column.name)
    return round(value * 100) if column.type == "number" and not _is_rate(column) else value


def _is_rate(column: Column) -> bool:
    return column.type == "number" and not column.physical.endswith(",2)")


def _number(text: str) -> float:
    if not (found := _NUMBER.fullmatch(text)):
        raise RefusedError(text)
    return float(found[1].replace(",", ""))


def _integer(text: str) -> int:
    value = _number(text)
    if value != int(value):
        raise RefusedError(text)
    return int(value)


def _date(text: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise RefusedError(text)


def _timestamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(text) from None


_PARSE: dict[str, Any] = {
    "string": str, "integer": _integer, "number": _number, "date": _date, "timestamp": _timestamp,
}  # fmt: skip
