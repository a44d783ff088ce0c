"""The files of a COPY as relations: rows with their file, their line and one SQL expression per target column."""

# ruff: noqa: S608 (file names go in by `literal`, columns by `quote`)

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from embedded_aws.redshift.catalog import ColumnInfo, literal, quote
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.options import CopyStatement


@dataclass(frozen=True)
class SourceFile:
    """One object of S3, downloaded."""

    uri: str
    path: Path


@dataclass(frozen=True)
class Part:
    """Rows of some files: a FROM clause, and per column its raw text (or value) as SQL."""

    relation: str
    columns: list[ColumnInfo]
    raw: list[str]
    files: dict[str, str]  # local path -> URI
    typed: bool  # values have their types already (Parquet)
    first_line: int = 1


def _parquet(statement: CopyStatement, columns: list[ColumnInfo], files: list[SourceFile]) -> list[Part]:
    groups: dict[tuple[str, ...], list[SourceFile]] = {}
    for file in files:
        try:
            schema = pq.read_schema(file.path)
        except pa.ArrowInvalid as error:
            raise SqlError(f"Spectrum Scan Error: File '{file.uri}' is not a Parquet file: {error}") from error
        _match_types(statement, columns, schema, file.uri)
        groups.setdefault(tuple(schema.names), []).append(file)
    return [
        Part(
            relation=f"read_parquet([{_paths(group)}], "
            "hive_partitioning=false, filename='_file', file_row_number=true)",
            columns=columns,
            raw=[quote(name) for name in names],
            files={str(file.path): file.uri for file in group},
            typed=True,
        )
        for names, group in groups.items()
    ]


_EXACT: dict[str, tuple[str, ...]] = {
    "BOOLEAN": ("bool",),
    "SMALLINT": ("int8", "int16", "int32"),
    "INTEGER": ("int16", "int32"),
    "BIGINT": ("int64",),
    "FLOAT": ("float",),
    "DOUBLE": ("double",),
    "VARCHAR": ("string", "large_string", "string_view"),
    "JSON": ("string", "large_string"),
    "DATE": ("date32[day]",),
    "TIMESTAMP": ("timestamp",),
    "TIMESTAMP WITH TIME ZONE": ("timestamp",),
    "BLOB": ("binary",),
}


def _match_types(statement: CopyStatement, columns: list[ColumnInfo], schema: pa.Schema, uri: str) -> None:
    if len(schema) != len(columns):
        raise SqlError(
            f"Spectrum Scan Error: Unmatched number of columns between table and file. "
            f"Table columns: {len(columns)}, Data columns: {len(schema)}, File name: {uri}"
        )
    for column, found in zip(columns, schema, strict=True):
        kind = str(found.type.value_type if pa.types.is_dictionary(found.type) else found.type)
        if column.type.startswith("DECIMAL"):
            fits = pa.types.is_decimal(found.type)
        elif pa.types.is_nested(found.type) and column.type == "JSON":
            fits = bool(statement.options.get("SERIALIZETOJSON"))
        else:
            fits = kind.startswith(_EXACT.get(column.type, (column.type.lower(),)))
        if not fits and not pa.types.is_null(found.type):
            raise SqlError(
                f"Spectrum Scan Error: File '{uri}' has an incompatible Parquet schema for column "
                f"'{uri}.{found.name}'. Column type: {column.type}, Parquet schema: optional {kind} {found.name}"
            )


def _json(statement: CopyStatement, columns: list[ColumnInfo], files: list[SourceFile]) -> list[Part]:
    mode = statement.options["JSON"]
    if mode == "noshred":
        if len(columns) != 1 or columns[0].type != "JSON":
            raise SqlError("JSON 'noshred' needs a single SUPER column")
        raw = ["json"]
    else:
        raw = []
        for column in columns:
            path = literal(f"$.{json.dumps(column.name)}")
            raw.append(f"(json->{path})" if column.type == "JSON" else f"(json->>{path})")
    return [
        Part(
            relation=f"(SELECT json, {literal(str(file.path))} AS _file, row_number() OVER () - 1 AS file_row_number "
            f"FROM read_json_objects({literal(str(file.path))}, format='unstructured'))",
            columns=columns,
            raw=raw,
            files={str(file.path): file.uri},
            typed=False,
        )
        for file in files
    ]


def _csv(statement: CopyStatement, columns: list[ColumnInfo], files: list[SourceFile]) -> list[Part]:
    options = statement.options
    skip = int(options.get("IGNOREHEADER", "0"))
    names = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(columns)))
    quoted = literal(options.get("QUOTE", '"') if statement.format == "csv" else "")
    separator = literal(options.get("DELIMITER", "," if statement.format == "csv" else "|"))
    null = literal(options.get("NULL", "\\N"))
    raw = []
    for n, column in enumerate(columns):
        text = f"trim(c{n})" if options.get("BLANKSASNULL") else f"c{n}"
        empty = column.type != "VARCHAR" or options.get("EMPTYASNULL") or options.get("BLANKSASNULL")
        raw.append(f"CASE WHEN {text} = '' THEN NULL ELSE c{n} END" if empty else f"c{n}")
    return [
        Part(
            relation=f"(SELECT *, {literal(str(file.path))} AS _file, row_number() OVER () - 1 AS file_row_number "
            f"FROM read_csv({literal(str(file.path))}, columns={{{names}}}, header=false, skip={skip}, "
            f"auto_detect=false, delim={separator}, quote={quoted}, escape={quoted}, "
            f"nullstr={null}, strict_mode=true))",
            columns=columns,
            raw=raw,
            files={str(file.path): file.uri},
            typed=False,
            first_line=skip + 1,
        )
        for file in files
    ]


def _paths(files: list[SourceFile]) -> str:
    return ", ".join(literal(str(file.path)) for file in files)


SOURCES: dict[str, Callable[[CopyStatement, list[ColumnInfo], list[SourceFile]], list[Part]]] = {
    "parquet": _parquet,
    "json": _json,
    "csv": _csv,
    "text": _csv,
}
