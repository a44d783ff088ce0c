"""DROP of tables, views, materialized views and schemas: refused while others depend on them, unless CASCADE."""

from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from embedded_aws.redshift import catalog, materialized, views
from embedded_aws.redshift.catalog import Relation, quote
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.outcome import Outcome

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

_HINT = "Use DROP ... CASCADE to drop the dependent objects too."
_OF_A_SCHEMA = (
    "materialized_views", "materialized_from", "materialized_outdated", "pending_views", "procedures", "models",
    "external_schemas", "stream_objects",
)  # fmt: skip


def drop(session: "Session", tree: exp.Drop) -> Outcome:
    """A (translated) DROP. Raises SqlError."""
    kind = "MATERIALIZED VIEW" if tree.args.get("materialized") else str(tree.args["kind"]).upper()
    exists, cascade = bool(tree.args.get("exists")), bool(tree.args.get("cascade"))
    for target in tree.args.get("tables") or [tree.this]:
        if kind == "SCHEMA":
            _schema(session, target.db or target.name, exists=exists, cascade=cascade)
        elif kind in ("TABLE", "VIEW", "MATERIALIZED VIEW"):
            if kind == "VIEW" and views.forget_pending(session.cursor, target):
                continue
            name = catalog.written(target)
            if exists and not catalog.exists(session.cursor, name):
                continue
            _relation(session, kind, catalog.require_relation(session.cursor, name), cascade=cascade)
        else:
            raise not_implemented(f"DROP {kind}")
    return Outcome()


def _relation(session: "Session", kind: str, relation: Relation, *, cascade: bool) -> None:
    key = (relation.schema, relation.name)
    actual = _kind(session, relation)
    if actual != kind:
        article = "a" if kind != "MATERIALIZED VIEW" else "a materialized"
        raise SqlError(
            f'"{relation.name}" is not {article} {kind.split()[-1].lower()}', detail=f"Use DROP {actual} instead."
        )
    if kind == "MATERIALIZED VIEW":
        materialized.require_owner(session, key)
    for above in materialized.dependents(session.cursor, key):
        if not cascade:
            raise _depended(kind, relation)
        if materialized.find(session.cursor, above):  # it may have gone with another one that it reads
            _relation(session, "MATERIALIZED VIEW", Relation(relation.database, *above), cascade=True)
    sql = f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {relation.sql}{' CASCADE' if cascade else ''}"
    try:
        session.cursor.execute(sql)
    except duckdb.DependencyException as error:
        raise _depended(kind, relation) from error
    materialized.forget(session.cursor, key)


def _kind(session: "Session", relation: Relation) -> str:
    if catalog.is_view(session.cursor, relation):
        return "VIEW"
    return "MATERIALIZED VIEW" if materialized.find(session.cursor, (relation.schema, relation.name)) else "TABLE"


def _depended(kind: str, relation: Relation) -> SqlError:
    return SqlError(
        f"cannot drop {kind.lower()} {relation.schema}.{relation.name} because other objects depend on it\n"
        f"  Hint: {_HINT}"
    )


def _schema(session: "Session", name: str, *, exists: bool, cascade: bool) -> None:
    """With CASCADE goes what lies in it, and what of other schemas reads it."""
    cursor = session.cursor
    if not exists or catalog.schema_exists(cursor, name):
        catalog.require_schema(cursor, name)
        inside = cursor.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? AND database_name = current_database()",
            [name],
        ).fetchall()
        for (table,) in inside if cascade else []:
            if catalog.exists(cursor, f"{name}.{table}"):
                relation = catalog.require_relation(cursor, f"{name}.{table}")
                _relation(session, _kind(session, relation), relation, cascade=True)
        kept = [
            table
            for table in ("procedures", "models", "pending_views")
            if cursor.execute(f"SELECT 1 FROM _redshift.{table} WHERE schema_name = ?", [name]).fetchall()  # noqa: S608
        ]
        try:
            if kept and not cascade:
                raise _schema_depended(name)
            cursor.execute(f"DROP SCHEMA {quote(name)}{' CASCADE' if cascade else ''}")
        except duckdb.DependencyException as error:
            raise _schema_depended(name) from error
        for table in _OF_A_SCHEMA:
            cursor.execute(f"DELETE FROM _redshift.{table} WHERE schema_name = ?", [name])  # noqa: S608


def _schema_depended(name: str) -> SqlError:
    return SqlError(f"cannot drop schema {name} because other objects depend on it\n  Hint: {_HINT}")
