"""Views: bound to what they read, or WITH NO SCHEMA BINDING, which may be created before its tables exist.

A late-binding view whose tables are missing waits in `_redshift.pending_views` and becomes a view of DuckDB's as soon
as they are there.
"""

from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from embedded_aws.redshift import catalog
from embedded_aws.redshift.dialect import generate
from embedded_aws.redshift.errors import SqlError, from_duckdb
from embedded_aws.redshift.outcome import Outcome

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session


def create(session: "Session", tree: exp.Create) -> Outcome:
    """CREATE [OR REPLACE] VIEW, translated already. Raises SqlError."""
    late = bool(tree.args.get("no_schema_binding"))
    tree.set("properties", None)
    tree.set("no_schema_binding", False)
    target = tree.this.find(exp.Table)
    read = catalog.tables_in(tree.expression)
    if late and any(not table.db for table in read):
        raise SqlError("All the relation names inside should be qualified when creating a view with no schema binding")
    waiting = forget_pending(session.cursor, target) if tree.args.get("replace") else _pending(session.cursor, target)
    if waiting and not tree.args.get("replace"):
        raise SqlError(f'Relation "{target.name}" already exists')
    names = sorted({catalog.written(table) for table in read})
    if late and not all(catalog.exists(session.cursor, name) for name in names):
        catalog.require_schema(session.cursor, target.db or "public")
        if tree.args.get("replace"):
            session.cursor.execute(generate(exp.Drop(kind="VIEW", exists=True, tables=[target.copy()])))
        session.cursor.execute(
            "INSERT INTO _redshift.pending_views VALUES (?, ?, ?, ?)",
            [target.db or "public", target.name, generate(tree), names],
        )
        return Outcome()
    _create(session.cursor, generate(tree), bound=not late)
    return Outcome()


def bind_pending(cursor: duckdb.DuckDBPyConnection) -> None:
    """Something was created: make the late-binding views that waited for it. Raises SqlError when one does not fit."""
    waiting = cursor.execute("SELECT schema_name, name, definition, reads FROM _redshift.pending_views").fetchall()
    for schema, name, definition, reads in waiting:
        if all(catalog.exists(cursor, read) for read in reads):
            forget_pending(cursor, exp.table_(name, schema))
            try:
                _create(cursor, definition, bound=False)
            except duckdb.Error as error:
                raise SqlError(
                    f"the late-binding view {schema}.{name} does not fit what it reads: {from_duckdb(error)}"
                ) from error
            bind_pending(cursor)  # another may wait for this one
            return


def forget_pending(cursor: duckdb.DuckDBPyConnection, target: exp.Table) -> bool:
    """Drop a view that still waits for its tables; whether there was one."""
    if not _pending(cursor, target):
        return False
    cursor.execute(
        "DELETE FROM _redshift.pending_views WHERE schema_name = ? AND name = ?", [target.db or "public", target.name]
    )
    return True


def _pending(cursor: duckdb.DuckDBPyConnection, target: exp.Table) -> bool:
    query = "SELECT 1 FROM _redshift.pending_views WHERE schema_name = ? AND name = ?"
    return bool(cursor.execute(query, [target.db or "public", target.name]).fetchall())


def _create(cursor: duckdb.DuckDBPyConnection, sql: str, *, bound: bool) -> None:
    cursor.execute(f"SET enable_view_dependencies = {str(bound).lower()}")
    cursor.execute(sql)
