"""COPY from S3 and UNLOAD to S3.

Parquet is matched by position and its types must be the table's; JSON 'auto' is matched by name; CSV by position.
Every row is checked before anything is inserted: the first bad one is what Redshift reports in sys_load_error_detail.
"""

# ruff: noqa: S608 (names of relations and columns go in by `quote`)

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp

from embedded_aws.redshift import catalog, materialized
from embedded_aws.redshift.catalog import ColumnInfo, literal, quote
from embedded_aws.redshift.dialect import generate, parse
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.options import CopyStatement, UnloadStatement, parse_copy, parse_unload
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.sources import SOURCES, Part, SourceFile

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

_IGNORED = ("_", ".", "#")  # names that Redshift's scan of Parquet skips


@dataclass(frozen=True)
class LoadError:
    """One line of sys_load_error_detail."""

    table: str
    file: str
    line: int
    column: str
    type: str
    length: str
    code: int
    message: str


class LoadFailedError(SqlError):
    """COPY met a row that does not fit; `error` goes to sys_load_error_detail, which survives the rollback."""

    def __init__(self, error: LoadError) -> None:
        super().__init__(
            f"Load into table '{error.table}' failed.  Check 'sys_load_error_detail' system table for details.",
            detail=f"{error.message} (file {error.file}, line {error.line}, column {error.column})",
        )
        self.error = error


def copy_statement(session: "Session", sql: str) -> Outcome:
    """COPY."""
    statement = parse_copy(sql)
    target = exp.to_table(statement.table)
    materialized.refuse_change(session, target)
    rows = copy(session, statement)
    materialized.note_change(session.cursor, target)
    return Outcome(rows)


def unload_statement(session: "Session", sql: str) -> Outcome:
    """UNLOAD."""
    statement = parse_unload(sql)
    return Outcome(unload(session, statement, generate(session.translate(parse(statement.query)))))


def copy(session: "Session", statement: CopyStatement) -> int:
    """Load the files of a COPY into its table; returns the number of rows. Raises SqlError."""
    relation = catalog.require_relation(session.cursor, statement.table)
    known = {column.name: column for column in catalog.columns(session.cursor, relation)}
    for name in statement.columns:
        if name not in known:
            raise SqlError(f'column "{name}" of relation "{statement.table}" does not exist')
    columns = [known[name] for name in statement.columns] or list(known.values())
    with session.scratch() as folder:
        files = _fetch(session, statement, folder)
        if not files:
            return 0
        source = SOURCES[statement.format](statement, columns, files)
        total = 0
        for part in source:
            _check_rows(session, statement, part)
            total += _insert(session, relation, part)
        return total


# Files


def _fetch(session: "Session", statement: CopyStatement, folder: Path) -> list[SourceFile]:
    storage = session.storage(statement.role)
    bucket, _, prefix = statement.uri.removeprefix("s3://").partition("/")
    if statement.options.get("MANIFEST"):
        wanted = _manifest(session, statement, folder)
    else:
        found = storage.keys(bucket, prefix)
        if not found:
            raise SqlError(f"The specified S3 prefix '{prefix}' does not exist")
        wanted = [(bucket, key) for key, size in found if size and not key.endswith("/")]
    if statement.format == "parquet":
        wanted = [item for item in wanted if not Path(item[1]).name.startswith(_IGNORED)]
    files = []
    for number, (source, key) in enumerate(wanted):
        path = folder / f"part-{number:05d}"
        storage.download(source, key, path)
        if statement.options.get("GZIP"):
            path = _unzipped(path)
        files.append(SourceFile(f"s3://{source}/{key}", path))
    return files


def _unzipped(path: Path) -> Path:
    plain = path.with_suffix(".plain")
    with gzip.open(path) as packed, plain.open("wb") as out:
        shutil.copyfileobj(packed, out)
    return plain


def _manifest(session: "Session", statement: CopyStatement, folder: Path) -> list[tuple[str, str]]:
    storage = session.storage(statement.role)
    bucket, _, key = statement.uri.removeprefix("s3://").partition("/")
    storage.download(bucket, key, folder / "manifest")
    wanted = []
    for entry in json.loads((folder / "manifest").read_text())["entries"]:
        source, _, name = entry["url"].removeprefix("s3://").partition("/")
        if any(found == name for found, _ in storage.keys(source, name)):
            wanted.append((source, name))
        elif entry.get("mandatory"):
            raise SqlError(f"Problem reading manifest file - {entry['url']} does not exist, and is mandatory")
    return wanted


# Rows


def _checks(part: Part, truncate: bool) -> list[tuple[ColumnInfo, str, str, int, str]]:
    """(column, raw expression, condition of a bad row, Redshift's error code, message)"""
    found = []
    for column, raw in zip(part.columns, part.raw, strict=True):
        if not column.nullable and column.default is None:
            found.append((column, raw, f"{raw} IS NULL", 1213, "Missing data for not-null field"))
        if not part.typed and column.type not in ("VARCHAR", "JSON"):
            bad = f"{raw} IS NOT NULL AND TRY_CAST({raw} AS {column.type}) IS NULL"
            found.append((column, raw, bad, 1207, f"Invalid value for type {column.type.lower()}"))
        if column.max_bytes is not None and not truncate:
            bad = f"strlen({raw}) > {column.max_bytes}"
            found.append((column, raw, bad, 1204, "String length exceeds DDL length"))
    return found


def _check_rows(session: "Session", statement: CopyStatement, part: Part) -> None:
    checks = _checks(part, bool(statement.options.get("TRUNCATECOLUMNS")))
    if not checks:
        return
    cases = " ".join(f"WHEN {bad} THEN {number}" for number, (_, _, bad, _, _) in enumerate(checks))
    rows = session.cursor.execute(
        f"SELECT _file, file_row_number, which FROM (SELECT _file, file_row_number, CASE {cases} END AS which "
        f"FROM {part.relation}) WHERE which IS NOT NULL ORDER BY 1, 2 LIMIT 1"
    ).fetchall()
    if rows:
        path, line, which = rows[0]
        column, _, _, code, message = checks[which]
        uri = part.files[path]
        length = str(column.max_bytes or "")
        raise LoadFailedError(
            LoadError(
                statement.table, uri, line + part.first_line, column.name, column.type.lower(), length, code, message
            )
        )


def _insert(session: "Session", relation: catalog.Relation, part: Part) -> int:
    values = []
    for column, raw in zip(part.columns, part.raw, strict=True):
        if column.type == "JSON" and part.typed:
            values.append(f"to_json({raw})")
        else:
            values.append(f"CAST({raw} AS {column.type})")
    names = ", ".join(quote(column.name) for column in part.columns)
    done = session.cursor.execute(
        f"INSERT INTO {relation.sql} ({names}) SELECT {', '.join(values)} FROM {part.relation}"
    ).fetchall()
    return int(done[0][0])


# UNLOAD


def unload(session: "Session", statement: UnloadStatement, query: str) -> int:
    """Write the rows of a (translated) query to S3; returns their number. Raises SqlError."""
    if statement.format not in ("parquet", "csv"):
        raise not_implemented(f"UNLOAD ... FORMAT {statement.format}")
    storage = session.storage(statement.role)
    bucket, _, prefix = statement.uri.removeprefix("s3://").partition("/")
    if statement.options.get("PARALLEL", "").upper() not in ("", "OFF", "ON", "TRUE", "FALSE"):
        raise SqlError('syntax error at or near "PARALLEL"')
    if not {"ALLOWOVERWRITE", "CLEANPATH"} & statement.options.keys() and storage.keys(bucket, prefix):
        raise SqlError("Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, "
                       "manually removing the target files in S3, or using the ALLOWOVERWRITE option.")  # fmt: skip
    with session.scratch() as folder:
        path = folder / "unload"
        options = (
            "FORMAT parquet"
            if statement.format == "parquet"
            else "FORMAT csv, HEADER " + ("true" if statement.options.get("HEADER") else "false")
        )
        rows = session.cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})").fetchall()
        suffix = ".parquet" if statement.format == "parquet" else ".csv" if statement.format == "csv" else ""
        storage.upload(path, bucket, f"{prefix}0000_part_00{suffix}")
        return int(rows[0][0])
