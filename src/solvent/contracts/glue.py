"""Glue table columns from a contract."""

import re

from solvent.contracts.model import Column, Contract

# What admission adds to every raw table.
RAW_POSITION = (
    {"Name": "_deleted", "Type": "string", "Comment": "Says yes where the row was deleted"},
    {"Name": "_source_file", "Type": "string", "Comment": "Name of the delivered file"},
    {"Name": "_row_number", "Type": "bigint", "Comment": "Record in the file, the header is 1"},
)
# One form for the quarantine of every source; replay needs no more.
QUARANTINE = (
    {"Name": "run_id", "Type": "string", "Comment": "The run"},
    {"Name": "source", "Type": "string", "Comment": "The source contract"},
    {"Name": "source_file", "Type": "string", "Comment": "Name of the delivered file"},
    {"Name": "row_number", "Type": "bigint", "Comment": "Record in the file, the header is 1"},
    {"Name": "kind", "Type": "string", "Comment": "rejected, malformed, erased or duplicate"},
    {"Name": "reason", "Type": "string", "Comment": "Every rule that the row breaks"},
    {"Name": "record_key", "Type": "string", "Comment": "Key of the row, where it has the form of a key"},
    {
        "Name": "payload",
        "Type": "string",
        "Comment": "The row as delivered: JSON, or the text of a malformed line; none of an erased person",
    },
)
_TYPES = {
    "INTEGER": "int",
    "BIGINT": "bigint",
    "DOUBLE PRECISION": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
    "SUPER": "string",
}


def columns(contract: Contract) -> list[dict[str, str]]:
    """`[{"Name", "Type", "Comment"}]` of the table in the lake.

    A source is kept raw: every column as delivered, a string, with its position in the file. A published table has the
    contract's types.
    """
    if contract.kind == "source":
        raw = [{"Name": c.name, "Type": "string", "Comment": _comment(c)} for c in contract.columns]
        return [*raw, *(dict(c) for c in RAW_POSITION)]
    return [{"Name": c.name, "Type": type_of(c), "Comment": _comment(c)} for c in contract.columns]


def table_name(contract: Contract, portfolio: str) -> str:
    """Its name in the catalog: `loans`. The logs of runs are there once per portfolio: `lending_load_log`."""
    return contract.name if contract.portfolio == portfolio else f"{portfolio}_{contract.name}"


def quarantine_columns() -> list[dict[str, str]]:
    """Columns of `quarantine/<source>` and `quarantine/<source>_duplicates`."""
    return [dict(c) for c in QUARANTINE]


def type_of(column: Column) -> str:
    """The Hive type, `decimal(14,2)`."""
    if column.physical.startswith("DECIMAL"):
        return column.physical.lower()
    return "string" if column.physical.startswith("VARCHAR") else _TYPES[column.physical]


def _comment(column: Column) -> str:
    # Glue: at most 255 bytes, one line.
    return re.sub(r"[^\x20-\x7e]", "?", column.description)[:255]
