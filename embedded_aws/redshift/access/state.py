"""What decides about access, read from the database: relations, principals, privileges, owners, policies."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

Object = tuple[str, str, str]  # kind, schema, name
Principal = tuple[str, str]  # kind, name
Name = tuple[str, str]  # schema, relation

PUBLIC: Principal = ("public", "public")
POLICIES = "MANAGE POLICIES"  # our name for what sys:secadmin may do with policies; no GRANT gives it

SYSTEM_PRIVILEGES = frozenset(
    ("CREATE USER", "DROP USER", "ALTER USER", "CREATE SCHEMA", "DROP SCHEMA", "ALTER DEFAULT PRIVILEGES",
     "ACCESS CATALOG", "ACCESS SYSTEM TABLE", "CREATE TABLE", "DROP TABLE", "ALTER TABLE", "TRUNCATE TABLE",
     "CREATE OR REPLACE FUNCTION", "CREATE OR REPLACE EXTERNAL FUNCTION", "DROP FUNCTION",
     "CREATE OR REPLACE PROCEDURE", "DROP PROCEDURE", "CREATE OR REPLACE VIEW", "DROP VIEW", "CREATE MODEL",
     "DROP MODEL", "CREATE DATASHARE", "ALTER DATASHARE", "DROP DATASHARE", "CREATE LIBRARY", "DROP LIBRARY",
     "CREATE ROLE", "DROP ROLE", "VACUUM", "ANALYZE", "CANCEL", "IGNORE RLS", "EXPLAIN RLS", "EXPLAIN MASKING"),
)  # fmt: skip
_OPERATOR = frozenset(("ACCESS CATALOG", "ACCESS SYSTEM TABLE", "ANALYZE", "VACUUM", "CANCEL"))
SYSTEM_ROLES: Mapping[str, frozenset[str]] = {
    "sys:monitor": frozenset(("ACCESS CATALOG", "ACCESS SYSTEM TABLE")),
    "sys:operator": _OPERATOR,
    "sys:dba": _OPERATOR
    | {"CREATE SCHEMA", "DROP SCHEMA", "CREATE TABLE", "DROP TABLE", "TRUNCATE TABLE", "DROP FUNCTION", "DROP VIEW"}
    | {"CREATE OR REPLACE PROCEDURE", "DROP PROCEDURE", "CREATE OR REPLACE FUNCTION", "CREATE OR REPLACE VIEW"},
    "sys:secadmin": frozenset(
        (
            "CREATE USER",
            "ALTER USER",
            "DROP USER",
            "CREATE ROLE",
            "DROP ROLE",
            "GRANT ROLE",
            POLICIES,
            "IGNORE RLS",
            "EXPLAIN RLS",
            "EXPLAIN MASKING",
        ),
    ),  # fmt: skip
    "sys:superuser": SYSTEM_PRIVILEGES,
}


@dataclass(frozen=True)
class Attachment:
    """A policy on columns of a relation, for one principal."""

    policy: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    grantee: Principal
    priority: int


@dataclass(frozen=True)
class Policy:
    """A masking or row-level security policy: the names that its expression uses, and the expression as written."""

    columns: tuple[str, ...]
    alias: str
    expression: str


@dataclass(frozen=True)
class Catalogue:
    """The permanent schemas, relations with their columns, and views with their text."""

    schemas: frozenset[str]
    relations: Mapping[Name, Mapping[str, str]]  # column -> DuckDB's type, in order
    views: Mapping[Name, str]
    external: frozenset[str]  # schemas of streams, whose relations come into being when they are read


@dataclass(frozen=True)
class State:
    """Principals, privileges, owners and policies, as one transaction sees them."""

    superusers: frozenset[str]
    principals: frozenset[Principal]
    groups: Mapping[Principal, Collection[Principal]]
    grants: Mapping[Object, Mapping[tuple[str, str | None], Mapping[Principal, bool]]]
    owners: Mapping[Object, str]
    policies: Mapping[Principal, Policy]
    masks: Mapping[Name, list[Attachment]]
    filters: Mapping[Name, list[Attachment]]
    row_security: Mapping[Name, str]


def load_catalogue(cursor: duckdb.DuckDBPyConnection) -> Catalogue:
    """Read what exists, as the cursor's transaction sees it."""

    def rows(columns: str, function: str) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM {function}() WHERE database_name = current_database()"  # noqa: S608
        return cursor.execute(query + (" AND NOT internal" if function != "duckdb_schemas" else "")).fetchall()

    relations: dict[Name, dict[str, str]] = defaultdict(dict)
    columns = rows("column_index, schema_name, table_name, column_name, data_type", "duckdb_columns")
    for _, schema, name, column, kind in sorted(columns):
        relations[schema, name][column] = kind
    return Catalogue(
        schemas=frozenset(name for (name,) in rows("schema_name", "duckdb_schemas")),
        relations=dict(relations),
        external=frozenset(
            name for (name,) in cursor.execute("SELECT schema_name FROM _redshift.external_schemas").fetchall()
        ),
        views={(schema, name): sql for schema, name, sql in rows("schema_name, view_name, sql", "duckdb_views")},
    )


def load_state(cursor: duckdb.DuckDBPyConnection) -> State:
    """Read who may do what, as the cursor's transaction sees it."""

    def rows(columns: str, table: str) -> list[tuple[Any, ...]]:
        return cursor.execute(f"SELECT {columns} FROM _redshift.{table}").fetchall()  # noqa: S608

    groups: dict[Principal, list[Principal]] = defaultdict(list)
    for member_kind, member, kind, name in rows("member_kind, member, kind, name", "memberships"):
        groups[member_kind, member].append((kind, name))
    grants: dict[Object, dict[tuple[str, str | None], dict[Principal, bool]]] = defaultdict(lambda: defaultdict(dict))
    granted = "object_kind, schema_name, object_name, privilege, column_name, grantee_kind, grantee, grant_option"
    for kind, schema, name, privilege, column, grantee_kind, grantee, option in rows(granted, "grants"):
        grants[kind, schema, name][privilege, column][grantee_kind, grantee] = option
    attached: dict[str, dict[Name, list[Attachment]]] = {"masking": defaultdict(list), "rls": defaultdict(list)}
    columns = "kind, schema_name, relation, policy, output_columns, input_columns, grantee_kind, grantee, priority"
    for kind, schema, name, policy, outputs, inputs, grantee_kind, grantee, priority in rows(columns, "attachments"):
        made = Attachment(policy, tuple(outputs), tuple(inputs), (grantee_kind, grantee), priority)
        attached[kind][schema, name].append(made)
    principals = rows("kind, name, superuser", "principals")
    return State(
        superusers=frozenset(name for kind, name, superuser in principals if superuser),
        principals=frozenset((kind, name) for kind, name, _ in principals) | {("role", name) for name in SYSTEM_ROLES},
        groups=groups,
        grants=grants,
        owners={(k, s, n): owner for k, s, n, owner in rows("object_kind, schema_name, object_name, owner", "owners")},
        policies={
            (kind, name): Policy(tuple(given), alias, expression)
            for kind, name, given, alias, expression in rows("kind, name, columns, alias, expression", "policies")
        },
        masks=attached["masking"],
        filters=attached["rls"],
        row_security={(s, n): kind for s, n, kind in rows("schema_name, relation, conjunction", "row_security")},
    )
