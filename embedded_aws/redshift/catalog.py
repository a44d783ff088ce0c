"""What exists in a database: schemas, relations and their columns, read from DuckDB's catalog."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlglot import exp

from embedded_aws.redshift.errors import SqlError

DEFAULT_SEARCH_PATH = "public,_redshift"


@dataclass(frozen=True)
class ColumnInfo:
    """One column of a table. `max_bytes` is n of VARCHAR(n); `default` is SQL text."""

    name: str
    type: str
    nullable: bool
    default: str | None
    max_bytes: int | None


@dataclass(frozen=True)
class Relation:
    """A table or view by its full name in DuckDB."""

    database: str
    schema: str
    name: str

    @property
    def sql(self) -> str:
        return ".".join(quote(part) for part in (self.database, self.schema, self.name))


def quote(name: str) -> str:
    """An identifier, quoted for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal for DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def first(cursor: duckdb.DuckDBPyConnection, sql: str, values: Sequence[str | int]) -> tuple[Any, ...] | None:
    """The first row, read to the end: a cursor with a result left over takes no other statement."""
    rows = cursor.execute(sql, values).fetchall()
    return rows[0] if rows else None


def schema_exists(cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
    query = "SELECT 1 FROM duckdb_schemas() WHERE schema_name = ? AND database_name = current_database()"
    return bool(cursor.execute(query, [name.lower()]).fetchall())


def require_schema(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise SqlError unless the schema exists."""
    if not schema_exists(cursor, name):
        raise SqlError(f'schema "{name.lower()}" does not exist')


def tables_in(tree: exp.Expr) -> list[exp.Table]:
    """The relations that a statement reads or changes; names of its common table expressions are none."""
    own = {with_.alias.lower() for with_ in tree.find_all(exp.CTE)}
    return [table for table in tree.find_all(exp.Table) if table.name and (table.db or table.name.lower() not in own)]


def target(tree: exp.Expr) -> exp.Table:
    """The table that an INSERT, UPDATE, DELETE, MERGE or TRUNCATE changes."""
    holder = tree.expressions[0] if isinstance(tree, exp.TruncateTable) else tree.this
    found = holder.find(exp.Table)
    if found is None:
        raise SqlError("syntax error: the statement names no table")
    return found


def written(table: exp.Table) -> str:
    """`schema.name`, or `name` alone, as the statement has it."""
    return f"{table.db}.{table.name}" if table.db else table.name


def is_view(cursor: duckdb.DuckDBPyConnection, relation: Relation) -> bool:
    query = "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?"
    return bool(cursor.execute(query, [relation.database, relation.schema, relation.name]).fetchall())


def exists(cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a name means a relation here."""
    return _find(cursor, name) is not None


def require_relation(cursor: duckdb.DuckDBPyConnection, name: str) -> Relation:
    """The relation that `lending.loans`, `loans` or `#staging` means here. Raises SqlError when there is none."""
    found = _find(cursor, name)
    if found is None:
        raise SqlError(f'relation "{name.lower()}" does not exist')
    return found


def _find(cursor: duckdb.DuckDBPyConnection, name: str) -> Relation | None:
    *schema, table = name.lower().split(".")
    rows = cursor.execute(
        """
        SELECT database_name, schema_name FROM (
            SELECT database_name, schema_name, table_name FROM duckdb_tables()
            UNION ALL SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal
        ) WHERE table_name = $name AND (
            (schema_name = $schema AND database_name = current_database())
            OR ($schema IS NULL AND (database_name = 'temp'
                OR list_contains(string_split(current_setting('search_path'), ','), schema_name)))
        ) ORDER BY
            database_name <> 'temp', list_position(string_split(current_setting('search_path'), ','), schema_name)
        """,
        {"name": table, "schema": schema[-1] if schema else None},
    ).fetchall()
    return Relation(rows[0][0], rows[0][1], table) if rows else None


def columns(cursor: duckdb.DuckDBPyConnection, relation: Relation) -> list[ColumnInfo]:
    """The columns of a relation in their order."""
    rows = cursor.execute(
        """
        SELECT c.column_name, c.data_type, c.is_nullable, c.column_default, k.bytes
        FROM duckdb_columns() AS c LEFT JOIN (
            SELECT database_name, schema_name, table_name, constraint_column_names[1] AS column_name,
                   TRY_CAST(regexp_extract(expression, '^\\(strlen\\(.*\\) <= (\\d+)\\)$', 1) AS INTEGER) AS bytes
            FROM duckdb_constraints() WHERE constraint_type = 'CHECK'
        ) AS k USING (database_name, schema_name, table_name, column_name)
        WHERE c.database_name = ? AND c.schema_name = ? AND c.table_name = ? ORDER BY c.column_index
        """,
        [relation.database, relation.schema, relation.name],
    ).fetchall()
    return [ColumnInfo(*row) for row in rows]
