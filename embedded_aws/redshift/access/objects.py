"""Relations and schemas as they come and go: who may, who owns them then, and what becomes of privileges on them."""

from sqlglot import exp

from embedded_aws.redshift.access import grants, principals
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.reader import Reader

# What is recorded of relations: table -> its columns of the schema and of the relation
_RECORDS = {
    "grants": ("schema_name", "object_name"),
    "owners": ("schema_name", "object_name"),
    "attachments": ("schema_name", "relation"),
    "row_security": ("schema_name", "relation"),
}


def create_relation(access: Access, target: exp.Table, kind: str, *, temporary: bool, may_exist: bool = False) -> None:
    """A table or view: CREATE on its schema (TEMPORARY on the database), its owner, its default privileges."""
    if temporary:
        access.require_on_database("TEMPORARY")
        access.temporary.add(target.name)
        return
    schema, name = target.db or access.path[0], target.name
    system = "CREATE TABLE" if kind == "TABLE" else "CREATE OR REPLACE VIEW"
    access.require_create(schema, system=system)
    if may_exist and (schema, name) in access.catalogue.relations:
        if not access.superuser:
            access.rights.require_owner("relation", schema, name)
        return
    access.changed(catalogue=True)
    own(access, "relation", schema, name)
    defaults = access.cursor.execute(
        "SELECT privilege, grantee_kind, grantee, grant_option FROM _redshift.default_privileges "
        "WHERE creator = ? AND schema_name IN ('', ?) AND object_kind = 'relation'",
        [access.user.lower(), schema],
    ).fetchall()
    for privilege, grantee_kind, grantee, option in defaults:
        grants.give_all(
            access, [("relation", schema, name, None, privilege, grantee_kind, grantee)], option=bool(option)
        )


def create_schema(access: Access, name: str) -> None:
    """CREATE on the database; whoever makes it owns it."""
    access.require_on_database("CREATE", system="CREATE SCHEMA")
    if name not in access.catalogue.schemas:
        access.changed(catalogue=True)
        own(access, "schema", "", name)


def drop_relation(access: Access, target: exp.Table, kind: str, *, missing_is_fine: bool) -> None:
    """The owner's, or who has DROP on it."""
    if not target.db and target.name in access.temporary:
        access.temporary.discard(target.name)
        return
    try:
        schema, name = access.resolve(target.db, target.name)
    except SqlError:
        if missing_is_fine or access.superuser:
            return
        raise
    if not access.superuser:
        access.rights.require_usage(schema)
        access.rights.require_owner("relation", schema, name, privilege="DROP", system=f"DROP {kind}")
    access.changed(catalogue=True)


def drop_schema(access: Access, name: str) -> None:
    """The owner's, or who has DROP on it."""
    if not access.superuser and name in access.catalogue.schemas:
        access.rights.require_owner("schema", "", name, privilege="DROP", system="DROP SCHEMA")
    for table in ("grants", "owners"):
        access.cursor.execute(
            f"DELETE FROM _redshift.{table} WHERE object_kind = 'schema' AND object_name = ?",  # noqa: S608
            [name],
        )
    access.cursor.execute("DELETE FROM _redshift.default_privileges WHERE schema_name = ?", [name])
    access.changed(catalogue=True)


def forget_dropped(access: Access) -> None:
    """Remove what is recorded for relations that are gone, those that went by CASCADE among them."""
    for table, (schema, name) in _RECORDS.items():
        relations = "object_kind = 'relation' AND " if name == "object_name" else ""
        access.cursor.execute(
            f"DELETE FROM _redshift.{table} WHERE {relations}({schema}, {name}) NOT IN ("  # noqa: S608
            "SELECT (schema_name, table_name) FROM duckdb_tables() WHERE database_name = current_database() "
            "UNION ALL SELECT (schema_name, view_name) FROM duckdb_views() WHERE database_name = current_database() "
            "UNION ALL SELECT (schema_name, name) FROM _redshift.pending_views)"
        )


def alter_relation(access: Access, tree: exp.Expr) -> None:
    """Privileges follow a new name; a column that a policy needs stays as it is."""
    target = tree.this
    if not target.db and target.name in access.temporary:
        return
    schema, name = access.resolve(target.db, target.name)
    used = {c for a in access.state.masks.get((schema, name), ()) for c in (*a.inputs, *a.outputs)}
    for action in tree.args["actions"]:
        renamed = isinstance(action, exp.RenameColumn)
        columns = action.args["tables"] if isinstance(action, exp.Drop) else [action.this] if renamed else []
        for column in (c.name for c in columns):
            if column in used:
                raise SqlError(f'cannot alter column "{column}" because a masking policy is attached to it')
            _rename_column(access, schema, name, column, action.args["to"].name if renamed else None)
        if isinstance(action, exp.AlterRename):
            for table, (_, column) in _RECORDS.items():
                access.cursor.execute(
                    f"UPDATE _redshift.{table} SET {column} = ? WHERE schema_name = ? AND {column} = ?"  # noqa: S608
                    + (" AND object_kind = 'relation'" if column == "object_name" else ""),
                    [action.this.name, schema, name],
                )
    access.changed(catalogue=True)


def change_owner(access: Access, sql: str) -> None:
    """ALTER TABLE ... OWNER TO: superusers give anything away, owners what is theirs."""
    reader = Reader(sql)
    reader.accept_all("ALTER", "TABLE")
    schema, name = access.relation(reader.name())
    reader.accept_all("OWNER", "TO")
    owner = reader.name()
    reader.end()
    principals.require(access, "user", owner)
    if not access.superuser:
        access.rights.require_owner("relation", schema, name)
    access.cursor.execute(
        "DELETE FROM _redshift.owners WHERE object_kind = 'relation' AND schema_name = ? AND object_name = ?",
        [schema, name],
    )
    access.cursor.execute("INSERT INTO _redshift.owners VALUES ('relation', ?, ?, ?)", [schema, name, owner])
    access.cursor.execute(
        "UPDATE _redshift.materialized_views SET owner = ? WHERE schema_name = ? AND name = ?", [owner, schema, name]
    )
    access.changed()


def own(access: Access, kind: str, schema: str, name: str) -> None:
    """Record the user as owner. What the admin makes needs none: it is the owner of all that has no other."""
    if access.user.lower() != access.admin.lower():
        access.cursor.execute(
            "INSERT INTO _redshift.owners VALUES (?, ?, ?, ?)", [kind, schema, name, access.user.lower()]
        )


def forget(access: Access, kind: str, schema: str, name: str) -> None:
    """Remove what is recorded for something dropped that is no relation."""
    for table in ("owners", "grants"):
        access.cursor.execute(
            f"DELETE FROM _redshift.{table} WHERE object_kind = ? AND schema_name = ? AND object_name = ?",  # noqa: S608
            [kind, schema, name],
        )
    access.changed()


def _rename_column(access: Access, schema: str, name: str, column: str, new: str | None) -> None:
    change = "UPDATE _redshift.grants SET column_name = $4" if new else "DELETE FROM _redshift.grants"
    given = [schema, name, column, *([new] if new else [])]
    access.cursor.execute(
        f"{change} WHERE object_kind = 'relation' AND schema_name = $1 AND object_name = $2 AND column_name = $3", given
    )
