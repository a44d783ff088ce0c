"""Materialized views: tables that keep their query, filled again by REFRESH, which only their owner may.

What a view reads is recorded, so that a change of a table below shows in `is_stale`. Source of the limits:
docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html.
"""

# ruff: noqa: S608 (names of relations go in by `quote`; the query is the one that was created)

import contextlib
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from embedded_aws.redshift import catalog, streams
from embedded_aws.redshift.catalog import quote
from embedded_aws.redshift.dialect import generate
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.reader import Reader

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

Key = tuple[str, str]  # schema, name

_MINE = "schema_name = ? AND name = ?"


def find(cursor: duckdb.DuckDBPyConnection, key: Key) -> tuple[Any, ...] | None:
    """(query, owner) of a materialized view, None when there is none of that name."""
    return catalog.first(cursor, f"SELECT query, owner FROM _redshift.materialized_views WHERE {_MINE}", key)


def create(session: "Session", tree: exp.Create, query: exp.Query) -> Outcome:
    """A table with the query's rows. `query` is translated already. Raises SqlError for what Redshift refuses in it."""
    if isinstance(tree.this, exp.Schema):
        raise SqlError('syntax error at or near "("', detail="Name the columns in the query.")
    key = (tree.this.db or "public", tree.this.name)
    bases = _bases(session, query)
    text = generate(query)
    session.cursor.execute(f"CREATE TABLE {_sql(key)} AS {text}")
    automatic = tree.find(exp.AutoRefreshProperty)
    session.cursor.execute(
        "INSERT INTO _redshift.materialized_views (schema_name, name, query, owner, autorefresh) "
        "VALUES (?, ?, ?, ?, ?)",
        [*key, text, session.user, bool(automatic and automatic.name.upper() == "YES")],
    )
    for base in bases:
        session.cursor.execute("INSERT INTO _redshift.materialized_from VALUES (?, ?, ?, ?)", [*key, *base])
    return Outcome()


def _bases(session: "Session", query: exp.Query) -> list[Key]:
    """The tables and materialized views below a query, whose names are completed in place. Raises SqlError."""
    for node in query.find_all(exp.Query):
        for clause in ("order", "limit", "offset"):
            if node.args.get(clause):
                raise SqlError(f"materialized views cannot have {clause.upper()}{' BY' * (clause == 'order')}")
    found = []
    for table in catalog.tables_in(query):
        if streams.is_stream(session.cursor, table.db):
            streams.ingest(session, (table.db, table.name))
        relation = catalog.require_relation(session.cursor, catalog.written(table))
        if relation.database == "temp":
            raise SqlError(f'materialized views cannot read the temporary table "{table.name}"')
        if catalog.is_view(session.cursor, relation):
            raise SqlError(f'materialized views cannot read the view "{relation.schema}.{relation.name}"')
        table.set("db", exp.to_identifier(relation.schema))
        found.append((relation.schema, relation.name))
    return sorted(set(found))


def refresh(session: "Session", sql: str) -> Outcome:
    """REFRESH: a transaction of its own, which sees what is committed and is committed by itself. Raises SqlError."""
    reader = Reader(sql)
    reader.expect("REFRESH", "MATERIALIZED", "VIEW")
    key = reader.qualified()
    cascade = reader.accept("CASCADE")
    if not cascade:
        reader.accept("RESTRICT")
    reader.end()
    require_owner(session, key)
    with session.own_transaction():
        committed = find(session.cursor, key) is not None
    # One that this very transaction has created is known to nobody else yet.
    with session.own_transaction() if committed else contextlib.nullcontext():
        for each in _with_dependents(session.cursor, key) if cascade else [key]:
            _fill(session, each)
    return Outcome()


def _fill(session: "Session", key: Key) -> None:
    query = require_owner(session, key)
    for schema, name in session.cursor.execute(
        f"SELECT base_schema, base_name FROM _redshift.materialized_from WHERE {_MINE}", key
    ).fetchall():
        if streams.is_stream(session.cursor, schema):
            streams.ingest(session, (schema, name))
    session.cursor.execute(f"DELETE FROM {_sql(key)}")
    session.cursor.execute(f"INSERT INTO {_sql(key)} {query}")
    session.cursor.execute(f"DELETE FROM _redshift.materialized_outdated WHERE {_MINE}", key)
    note_change(session.cursor, exp.table_(key[1], key[0]))


def alter(session: "Session", sql: str) -> Outcome:
    """ALTER MATERIALIZED VIEW ... AUTO REFRESH {YES | NO}."""
    reader = Reader(sql)
    reader.expect("ALTER", "MATERIALIZED", "VIEW")
    key = reader.qualified()
    if not reader.accept_all("AUTO", "REFRESH"):
        raise not_implemented(f"ALTER MATERIALIZED VIEW ... {reader.peek()}")
    automatic = reader.accept("YES")
    if not automatic:
        reader.expect("NO")
    reader.end()
    require_owner(session, key)
    session.cursor.execute(f"UPDATE _redshift.materialized_views SET autorefresh = ? WHERE {_MINE}", [automatic, *key])
    return Outcome()


def require_owner(session: "Session", key: Key) -> str:
    """The query of a materialized view. Raises SqlError when there is none, or when it is somebody else's."""
    found = find(session.cursor, key)
    if found is None:
        raise SqlError(f'materialized view "{".".join(key)}" does not exist')
    if not session.owns(found[1]):
        raise SqlError(f"must be owner of materialized view {key[1]}")
    return found[0]


def refuse_change(session: "Session", table: exp.Table) -> None:
    """Only REFRESH changes a materialized view. Raises SqlError."""
    if find(session.cursor, (table.db or "public", table.name)):
        raise SqlError(f'cannot change materialized view "{table.name}"', detail="Change its tables and REFRESH it.")


def note_change(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> None:
    """A table has changed: the views above it are stale, as soon as the change is committed.

    One row per change, never updated: a refresh in a transaction of its own deletes only what it can see.
    """
    cursor.execute(
        "INSERT INTO _redshift.materialized_outdated SELECT schema_name, name FROM _redshift.materialized_from "
        "WHERE base_name = ? AND (base_schema = ? OR (? = '' AND "
        "list_contains(string_split(current_setting('search_path'), ','), base_schema)))",
        [table.name, table.db, table.db],
    )


def dependents(cursor: duckdb.DuckDBPyConnection, key: Key) -> list[Key]:
    """The materialized views that read a table or materialized view directly."""
    return cursor.execute(
        "SELECT DISTINCT schema_name, name FROM _redshift.materialized_from "
        "WHERE base_schema = ? AND base_name = ? ORDER BY ALL",
        key,
    ).fetchall()


def forget(cursor: duckdb.DuckDBPyConnection, key: Key) -> None:
    """Remove the records of a dropped materialized view."""
    for table in ("materialized_views", "materialized_from", "materialized_outdated"):
        cursor.execute(f"DELETE FROM _redshift.{table} WHERE {_MINE}", key)


def _with_dependents(cursor: duckdb.DuckDBPyConnection, key: Key) -> list[Key]:
    """A view and all that are built on it, each after what it reads."""
    graph: dict[Key, set[Key]] = {key: set()}
    waiting = [key]
    while waiting:
        below = waiting.pop()
        for above in dependents(cursor, below):
            if above not in graph:
                waiting.append(above)
            graph.setdefault(above, set()).add(below)
    return list(TopologicalSorter(graph).static_order())


def _sql(key: Key) -> str:
    return ".".join(quote(part) for part in key)
