"""External schemas on Kinesis: the records of a stream as a table, which materialized views read.

On AWS a refresh reads the stream. Here it reads what the stream's consumer has stored of it: `StreamRecords`, given by
the service layer, knows where that is.
Source: docs.aws.amazon.com/redshift/latest/dg/materialized-view-streaming-ingestion-getting-started.html.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import duckdb
import pyarrow as pa
from sqlglot import exp

from embedded_aws.redshift import catalog
from embedded_aws.redshift.catalog import quote
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.reader import Reader

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

# What Redshift shows of a stream.
_COLUMNS = (
    "approximate_arrival_timestamp TIMESTAMP, partition_key VARCHAR, shard_id VARCHAR, sequence_number VARCHAR, "
    "refresh_time TIMESTAMP, kinesis_data BLOB"
)


@dataclass(frozen=True)
class StreamBatch:
    """Records that were stored together: one object. `sequence` is the first one's, `stored` is in UTC without zone."""

    key: str
    shard: str
    sequence: str
    stored: datetime
    payloads: list[bytes]


class StreamRecords(Protocol):
    """The stored records of streams. Raises SqlError, in Redshift's words."""

    def batches(self, stream: str, role: str, known: set[str]) -> Iterator[StreamBatch]:
        """Every batch of a stream whose key is not known, read with the permissions of a role."""
        ...


class NoStreams:
    """For a database without streams around it."""

    def batches(self, stream: str, role: str, known: set[str]) -> Iterator[StreamBatch]:
        raise SqlError(f"there is no stream {stream}: this database was opened without streams")


def create_schema(session: "Session", sql: str) -> Outcome:
    """CREATE EXTERNAL SCHEMA ... FROM KINESIS IAM_ROLE ...; other sources are refused."""
    reader = Reader(sql)
    reader.expect("CREATE", "EXTERNAL", "SCHEMA")
    exists = reader.accept_all("IF", "NOT", "EXISTS")
    name = reader.name()
    reader.expect("FROM")
    if not reader.accept("KINESIS"):
        raise not_implemented(f"CREATE EXTERNAL SCHEMA ... FROM {reader.peek()}")
    reader.expect("IAM_ROLE")
    role = reader.role()
    reader.end()
    session.resolve_role(role)
    if exists and catalog.schema_exists(session.cursor, name):
        return Outcome()
    session.cursor.execute(f"CREATE SCHEMA {quote(name)}")
    session.cursor.execute("INSERT INTO _redshift.external_schemas VALUES (?, ?, ?)", [name, role, session.user])
    return Outcome()


def is_stream(cursor: duckdb.DuckDBPyConnection, schema: str) -> bool:
    """Whether a schema is external."""
    query = "SELECT 1 FROM _redshift.external_schemas WHERE schema_name = ?"
    return bool(schema and cursor.execute(query, [schema.lower()]).fetchall())


def refuse_direct(cursor: duckdb.DuckDBPyConnection, tree: exp.Expr) -> None:
    """A stream is read by materialized views alone. Raises SqlError."""
    external = {row[0] for row in cursor.execute("SELECT schema_name FROM _redshift.external_schemas").fetchall()}
    for table in catalog.tables_in(tree) if external else []:
        if table.db in external:
            raise SqlError(
                f'the stream "{table.db}.{table.name}" can be read by a materialized view only',
                detail="Create a materialized view on it, REFRESH it and query that.",
            )


def ingest(session: "Session", key: tuple[str, str]) -> None:
    """Take what the stream's consumer has stored since the last time; the stream's table is made at the first."""
    schema, stream = key
    table = f"{quote(schema)}.{quote(stream)}"
    session.cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({_COLUMNS})")
    role = session.cursor.execute(
        "SELECT role FROM _redshift.external_schemas WHERE schema_name = ?", [schema]
    ).fetchall()[0][0]
    known = session.cursor.execute(
        "SELECT object FROM _redshift.stream_objects WHERE schema_name = ? AND stream = ?", key
    ).fetchall()
    records = session.stream_records
    for batch in records.batches(stream, session.resolve_role(role), {row[0] for row in known}):
        payloads = pa.table({"payload": pa.array(batch.payloads, pa.binary())})
        session.cursor.register("_batch", payloads)
        session.cursor.execute(
            f"INSERT INTO {table} SELECT ?, NULL, ?, ?, CAST(now() AS TIMESTAMP), payload FROM _batch",  # noqa: S608
            [batch.stored, batch.shard, batch.sequence],
        )
        session.cursor.unregister("_batch")
        session.cursor.execute("INSERT INTO _redshift.stream_objects VALUES (?, ?, ?)", [schema, stream, batch.key])
