"""What exists in a database: schemas, relations and their columns, read from DuckDB's catalog."""

from dataclasses import dataclass

import duckdb

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


def require_schema(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise SqlError unless the schema exists."""
    query = "SELECT 1 FROM duckdb_schemas() WHERE schema_name = ? AND database_name = current_database()"
    if not cursor.execute(query, [name.lower()]).fetchall():
        raise SqlError(f'schema "{name.lower()}" does not exist')


def require_relation(cursor: duckdb.DuckDBPyConnection, name: str) -> Relation:
    """The relation that `lending.loans`, `loans` or `#staging` means here. Raises SqlError when there is none."""
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
    if not rows:
        raise SqlError(f'relation "{name.lower()}" does not exist')
    return Relation(rows[0][0], rows[0][1], table)


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
