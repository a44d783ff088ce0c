"""What each kind of statement asks of its user before it runs, and what follows from it for owners and privileges."""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from embedded_aws.redshift.access import objects
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.reading import rows, secure
from embedded_aws.redshift.access.rights import denied
from embedded_aws.redshift.access.state import Name
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.model_calls import INVOKE


def check(access: Access, tree: exp.Expr) -> exp.Expr:
    """Raise SqlError unless the user may run a (translated) statement; returns it as the user's policies have it."""
    if tree.find(exp.Returning):
        raise SqlError('syntax error at or near "RETURNING"')
    if any(call.name.lower() == INVOKE for call in tree.find_all(exp.Anonymous)):
        raise SqlError(f"function {INVOKE} does not exist")  # ours: a model's function is called by its own name
    for kind, rule in _RULES:
        if isinstance(tree, kind):
            return rule(access, tree)
    return secure(access, tree)


def check_insert(access: Access, written: str) -> None:
    """COPY needs INSERT on its table."""
    *schema, name = written.split(".")
    _target(access, exp.table_(name, db=schema[-1] if schema else None), "INSERT")


def check_owner(access: Access, written: str, *, privilege: str = "", system: str = "") -> None:
    """What only the owner of a relation does (or who has a privilege that stands for it), by the relation's name."""
    *schema, name = written.lower().replace('"', "").split(".")
    table = exp.table_(name, db=schema[-1] if schema else None)
    if not access.superuser and not _is_temporary(access, table):
        found = access.resolve(table.db, table.name)
        access.rights.require_usage(found[0])
        access.rights.require_owner("relation", *found, privilege=privilege, system=system)


def _query(access: Access, tree: exp.Expr) -> exp.Expr:
    into = tree.args.get("into")
    if into is None:
        return secure(access, tree)
    tree = secure(access, tree, targets=[into.this])
    objects.create_relation(access, into.this, "TABLE", temporary=bool(into.args.get("temporary")))
    return tree


def _insert(access: Access, tree: exp.Expr) -> exp.Expr:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    _target(access, target, "INSERT")
    return secure(access, tree, targets=[target])


def _update(access: Access, tree: exp.Expr) -> exp.Expr:
    changed = [item.this for item in tree.expressions if isinstance(item, exp.EQ)]
    found = _target(access, tree.this, "UPDATE", columns={column.name for column in changed})
    if found:
        _check_reads(access, tree, found, without=changed)
        _filter(access, tree, found)
    return secure(access, tree, targets=[tree.this])


def _delete(access: Access, tree: exp.Expr) -> exp.Expr:
    found = _target(access, tree.this, "DELETE")
    if found:
        _check_reads(access, tree, found)
        _filter(access, tree, found)
    return secure(access, tree, targets=[tree.this])


def _merge(access: Access, tree: exp.Expr) -> exp.Expr:
    """MERGE reads both tables, and updates and inserts into one."""
    found = None
    for privilege in ("SELECT", "INSERT", "UPDATE"):
        found = _target(access, tree.this, privilege)
    if found and access.rights.protected(*found):
        raise not_implemented("MERGE into a table with policies that hold for the user")
    return secure(access, tree, targets=[tree.this])


def _truncate(access: Access, tree: exp.Expr) -> exp.Expr:
    for table in tree.expressions:
        check_owner(access, _written(table), privilege="TRUNCATE", system="TRUNCATE TABLE")
    return tree


def _create(access: Access, tree: exp.Expr) -> exp.Expr:
    kind = str(tree.args["kind"]).upper()
    if kind == "SCHEMA":
        objects.create_schema(access, tree.this.db or tree.this.name)
        return tree
    target = tree.this.find(exp.Table)
    within = tree.this.find_all(exp.Table) if isinstance(tree.this, exp.Schema) else []
    like = tree.this.find(exp.LikeProperty)
    targets = [target, *(table for table in within if like is None or table is not like.this)]
    properties = tree.args.get("properties")
    materialized = bool(properties and properties.find(exp.MaterializedProperty))
    temporary = bool(properties and properties.find(exp.TemporaryProperty)) or target.name.startswith("#")
    late = bool(tree.args.get("no_schema_binding"))
    rewrite = like is None and (kind != "VIEW" or materialized)
    tree = secure(access, tree, targets=targets, rewrite=rewrite, missing_is_fine=late)
    replaced = bool(tree.args.get("replace")) or bool(tree.args.get("exists"))
    objects.create_relation(access, target, kind, temporary=temporary, may_exist=replaced)
    return tree


def _drop(access: Access, tree: exp.Expr) -> exp.Expr:
    kind = str(tree.args["kind"]).upper()
    for table in tree.find_all(exp.Table):
        if kind == "SCHEMA":
            objects.drop_schema(access, table.name)
        elif not tree.args.get("materialized"):  # of which its own module knows the owner
            objects.drop_relation(access, table, kind, missing_is_fine=bool(tree.args.get("exists")))
    return tree


def _alter(access: Access, tree: exp.Expr) -> exp.Expr:
    check_owner(access, _written(tree.this), privilege="ALTER", system="ALTER TABLE")
    objects.alter_relation(access, tree)
    return tree


def _comment(access: Access, tree: exp.Expr) -> exp.Expr:
    target = tree.this
    if isinstance(target, exp.Column):
        check_owner(access, ".".join(filter(None, (target.text("db"), target.table))))
    elif str(tree.args["kind"]).upper() in ("TABLE", "VIEW"):
        check_owner(access, _written(target))
    elif not access.superuser:
        raise denied(str(tree.args["kind"]).lower(), target.name)
    return tree


_RULES: tuple[tuple[type | tuple[type, ...], Callable[[Access, Any], exp.Expr]], ...] = (
    (exp.Query, _query),
    (exp.Insert, _insert),
    (exp.Update, _update),
    (exp.Delete, _delete),
    (exp.Merge, _merge),
    (exp.TruncateTable, _truncate),
    (exp.Create, _create),
    (exp.Drop, _drop),
    (exp.Alter, _alter),
    (exp.Comment, _comment),
)


def _written(table: exp.Expr) -> str:
    return ".".join(filter(None, (table.text("db"), table.name)))


def _is_temporary(access: Access, table: exp.Expr) -> bool:
    return not table.text("db") and table.name in access.temporary


def _target(access: Access, table: exp.Table, privilege: str, columns: set[str] | None = None) -> Name | None:
    """The permanent relation that a statement writes, None for a temporary one and for superusers."""
    if access.superuser or _is_temporary(access, table):
        return None
    schema, name = access.resolve(table.db, table.name)
    if schema == "_redshift":
        raise SqlError(f'permission denied: "{name}" is a system catalog')
    access.rights.require_usage(schema)
    if access.rights.may(privilege, "relation", schema, name):
        return schema, name
    if not columns or not columns <= access.rights.columns(privilege, schema, name):
        raise denied("relation", name)
    return schema, name


def _check_reads(access: Access, tree: exp.Expr, relation: Name, without: list[exp.Expr] | None = None) -> None:
    """SELECT is needed on the columns of its own table that an UPDATE or DELETE reads, subqueries included."""
    written = {id(column) for column in without or ()}
    every, alias = access.catalogue.relations[relation], tree.this.alias_or_name
    read = {
        column.name
        for column in tree.find_all(exp.Column)
        if id(column) not in written and column.table in ("", alias) and column.name in every
    }
    if not read <= access.rights.columns("SELECT", *relation):
        raise denied("relation", relation[1])
    if read & access.rights.masks(*relation).keys():
        raise not_implemented("UPDATE or DELETE by a column that is masked for the user")


def _filter(access: Access, tree: exp.Expr, relation: Name) -> None:
    """Rows that the user does not see are neither updated nor deleted."""
    condition = rows(access, *relation, tree.this.alias_or_name)
    if condition is None:
        return
    where = tree.args.get("where")
    whole = exp.and_(exp.paren(where.this), condition) if where else condition
    tree.set("where", exp.Where(this=whole))
