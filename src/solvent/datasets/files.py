"""Typed columns -> the files of a delivery, with `delivery.json` and, beside them, the truth that is not delivered."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from solvent import contracts
from solvent.contracts import Column
from solvent.delivery import data_files

Array = npt.NDArray[Any]
Typed = dict[str, Array]  # column -> values; absent is NaN, NaT or ""
_SPREADSHEETS = frozenset({"company_financials"})  # separated by something else, and still called .csv
Text = dict[str, list[str]]  # column -> CSV fields


def render(source: str, table: Typed) -> Text:
    """Fields in the order and the form of the source's contract: ISO dates, plain numbers."""
    return {c.name: _fields(c, table[c.name]) for c in contracts.load()[source].columns}


def rows(table: Text) -> int:
    return len(next(iter(table.values())))


def write(
    folder: Path,
    tables: Mapping[str, Text],
    *,
    settings: Mapping[str, Any],
    malformed: Mapping[str, Mapping[int, list[str]]] | None = None,
    byte_order_mark: frozenset[str] = frozenset(),
    carriage_return: frozenset[str] = frozenset(),
) -> None:
    """A file for every table, made as its contract says, and `delivery.json`.

    `malformed` replaces rows: {source: {row: fields}}.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in data_files(folder):
        old.unlink()
    for source, table in tables.items():
        lines: list[Any] = list(zip(*table.values(), strict=True))
        for row, fields in ((malformed or {}).get(source) or {}).items():
            lines[row] = fields
        encoding = "utf-8-sig" if source in byte_order_mark else "utf-8"
        end = "\r\n" if source in carriage_return else "\n"
        contract = contracts.load()[source]
        suffix = "csv" if contract.delimiter == "," or source in _SPREADSHEETS else "txt"
        with (folder / f"{source}.{suffix}").open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, lineterminator=end, delimiter=contract.delimiter)
            writer.writerow(contract.column(name).header or name for name in table)
            writer.writerows(lines)
    (folder / "delivery.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")


def write_truth(folder: Path, faults: Mapping[str, Any], **tables: Mapping[str, Any]) -> None:
    """`truth/faults.json`: what each source should come to; `truth/<name>.csv` per table: what is true of its rows."""
    truth = folder / "truth"
    truth.mkdir(exist_ok=True)
    (truth / "faults.json").write_text(json.dumps(faults, indent=2, sort_keys=True) + "\n")
    for name, columns in tables.items():
        with (truth / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))


def _fields(column: Column, values: Array) -> list[str]:
    if column.type in ("date", "timestamp"):
        unit: Any = "D" if column.type == "date" else "s"
        text = np.datetime_as_string(values.astype(f"datetime64[{unit}]"))
        return ["" if t == "NaT" else t.replace("T", " ") for t in text.tolist()]
    if column.type == "number":
        form = f"%.{column.physical.rstrip(')').rpartition(',')[2]}f"
        return ["" if v != v else form % v for v in values.tolist()]
    if column.type == "integer":
        return ["" if v != v else str(int(v)) for v in values.tolist()]
    return [str(v) for v in values.tolist()]
