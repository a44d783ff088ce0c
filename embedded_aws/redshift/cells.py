"""Redshift's names of types, and cells as the Data API gives them."""

import datetime as dt
import decimal
from typing import Any

import pyarrow as pa

_INT64 = 2**63

# DuckDB's type -> the Data API's typeName
_NAMES = {
    "BOOLEAN": "bool", "TINYINT": "int2", "SMALLINT": "int2", "INTEGER": "int4", "BIGINT": "int8", "HUGEINT": "int8",
    "UTINYINT": "int2", "USMALLINT": "int4", "UINTEGER": "int8", "UBIGINT": "int8",
    "FLOAT": "float4", "DOUBLE": "float8", "VARCHAR": "varchar", "JSON": "super", "DATE": "date",
    "TIMESTAMP": "timestamp", "TIME": "time", "BLOB": "varbyte",
    "TIMESTAMP WITH TIME ZONE": "timestamptz", "INTERVAL": "interval", '"NULL"': "varchar",
}  # fmt: skip
_NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}


def column_metadata(name: str, duckdb_type: str) -> dict[str, Any]:
    """ColumnMetadata of the Data API, from a result column's name and DuckDB type."""
    precision, scale = 0, 0
    if duckdb_type.startswith("DECIMAL"):
        type_name = "numeric"
        precision, scale = (int(part) for part in duckdb_type[8:-1].split(","))
    else:
        type_name = _NAMES.get(duckdb_type, "super")
    return {
        "name": name,
        "label": name,
        "typeName": type_name,
        "nullable": 1,
        "precision": precision,
        "scale": scale,
        "length": 0,
        "isCaseSensitive": type_name in ("varchar", "super"),
        "isCurrency": False,
        "isSigned": type_name in _NUMBERS,
        "schemaName": "",
        "tableName": "",
    }


def cell(value: Any) -> dict[str, Any]:
    """A Field of the Data API: numerics, dates and SUPER are strings, as in AWS."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value} if -_INT64 <= value < _INT64 else {"stringValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": text(value)}


def text(value: Any) -> str:
    """A value as text, as Redshift prints it."""
    if isinstance(value, dt.datetime):
        zone = "+00" if value.tzinfo else ""
        fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
        return f"{value:%Y-%m-%d %H:%M:%S}{fraction}{zone}"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return value.hex() if isinstance(value, bytes) else str(value)


def plain_integers(table: pa.Table) -> pa.Table:
    """DuckDB's 128-bit integers (SUM of integers) as 64-bit ones where they fit, else as decimals."""
    for index, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.precision == 38 and field.type.scale == 0:
            try:
                column = table.column(index).cast(pa.int64())
            except pa.ArrowInvalid:
                continue
            table = table.set_column(index, field.name, column)
    return table
