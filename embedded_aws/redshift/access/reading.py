"""Every table that a statement reads: allowed or refused, and seen as the user's policies have it.

A table of which a user sees less than everything becomes a subquery with those columns and rows. So nothing depends on
our understanding of the rest of the statement: what is not in the subquery cannot be read.
"""

from collections.abc import Collection
from functools import lru_cache

from sqlglot import exp, parse_one

from embedded_aws.redshift.access import names, protection
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.rights import Rights, denied
from embedded_aws.redshift.dialect import WarehouseDuckDB
from embedded_aws.redshift.errors import SqlError, not_implemented

_SYSTEM_SCHEMAS = ("pg_catalog", "information_schema")
_SYSTEM_TABLES = ("sys_load_error_detail",)  # the other tables of _redshift are how, not what
_FUNCTIONS = ("generate_series", "range", "unnest")
_INSPECTIONS = (exp.Command, exp.Describe, exp.Pragma, exp.Show, exp.Summarize)


def secure(
    access: Access,
    tree: exp.Expr,
    *,
    targets: Collection[exp.Table] = (),
    checker: Rights | None = None,
    rewrite: bool = True,
    missing_is_fine: bool = False,
) -> exp.Expr:
    """Check what a (translated) tree reads with the rights of `checker` (default: the user), and rewrite it in place.

    `targets` are tables that it writes. `rewrite=False` only checks, for what keeps its text: a view.
    `missing_is_fine` is for a view that is bound, and checked, later. Raises SqlError.
    """
    if access.bypasses() and checker is None:
        return tree
    if tree.find(*_INSPECTIONS):
        raise not_implemented("this statement")
    skipped = {id(table) for table in targets}
    for table in [t for t in tree.find_all(exp.Table) if id(t) not in skipped and not names.is_cte(t)]:
        if not isinstance(table.this, exp.Identifier):
            _check_function(access, table.this)
            continue
        if missing_is_fine and not access.knows(table.db, table.name):
            continue
        seen = _seen(access, table, checker or access.rights, within_view=checker is not None)
        if rewrite and seen is not table:
            table.replace(seen)
    for lateral in tree.find_all(exp.Lateral):
        if not isinstance(lateral.this, exp.Subquery):
            _check_function(access, lateral.this)
    return tree


def _check_function(access: Access, function: exp.Expr) -> None:
    """DuckDB's table functions read tables by name, past every check."""
    name = function.name if isinstance(function, exp.Anonymous) else ""
    known = isinstance(function, exp.ExplodingGenerateSeries | exp.GenerateSeries | exp.Unnest)
    if not known and name.lower() not in _FUNCTIONS and not access.superuser:
        raise SqlError(f"function {(name or function.key).lower()} does not exist")


def _seen(access: Access, table: exp.Table, checker: Rights, *, within_view: bool) -> exp.Expr:
    """What stands for a table in FROM: itself when all of it may be seen."""
    if _is_free(access, table, within_view=within_view):
        return table
    if table.db in access.catalogue.external:
        checker.require_usage(table.db)
        return table
    schema, name = access.resolve(table.db, table.name)
    if schema == "_redshift":
        if within_view:  # put there by us: what users write in a view was checked when they made it
            return table
        if (schema, name) not in access.catalogue.views and name not in _SYSTEM_TABLES and not checker.superuser:
            raise denied("relation", name)
        return _own_rows(table, access.user) if name in _SYSTEM_TABLES and not checker.superuser else table
    if not checker.superuser:
        checker.require_usage(schema)
    every = access.catalogue.relations[schema, name]
    allowed = checker.columns("SELECT", schema, name)
    hidden = set(every) - allowed
    if not allowed or (hidden and names.reads(table, hidden)):
        raise denied("relation", name)
    if within_view or hidden:
        _qualify(table, schema, name)
    inlined = (schema, name) in access.catalogue.views and _needs_body(access, schema, name)
    if not hidden and not inlined and not access.rights.protected(schema, name):
        return table
    return _subquery(access, table, schema, name, [c for c in every if c in allowed], inlined=inlined)


def _own_rows(table: exp.Table, user: str) -> exp.Expr:
    """Of a system table everybody but a superuser sees what is his own."""
    own = exp.select("*").from_(exp.table_(table.name, db="_redshift"))
    return own.where(exp.column("user_id").eq(exp.Literal.string(user)), copy=False).subquery(table.alias_or_name)


def _is_free(access: Access, table: exp.Table, *, within_view: bool) -> bool:
    """Temporary tables are their session's, catalogues are everybody's; superusers meet DuckDB's own error."""
    if table.catalog:
        raise not_implemented(f"a name with a database: {table.sql(dialect='redshift')}")
    if not table.db and table.name in access.temporary and not within_view:
        return True
    if table.db in _SYSTEM_SCHEMAS:
        return True
    if access.knows(table.db, table.name) or table.db in access.catalogue.external:
        return False
    return access.superuser or (not table.db and table.name.startswith("pg_"))


def _qualify(table: exp.Table, schema: str, name: str) -> None:
    """Give a table its schema; `lending.customers.region` becomes `customers.region`, which a subquery has as well."""
    table.set("db", exp.to_identifier(schema))
    query = names.scope(table)
    for column in query.find_all(exp.Column) if query else ():
        if column.table == name and column.text("db") == schema:
            column.set("db", None)


def _needs_body(access: Access, schema: str, name: str) -> bool:
    """Whether a view cannot be left to DuckDB: its owner has limited rights, or policies hold for what it reads."""
    if not access.owner(schema, name).superuser:
        return True
    state, rights = access.state, access.rights
    if rights.superuser or not (state.masks or state.row_security):
        return False
    for table in _body(access.catalogue.views[schema, name]).find_all(exp.Table):
        for candidate in [table.db] if table.db else access.path:
            key = candidate, table.name
            if rights.protected(*key) or (key in access.catalogue.views and _needs_body(access, *key)):
                return True
    return False


def _subquery(
    access: Access, table: exp.Table, schema: str, name: str, columns: list[str], *, inlined: bool
) -> exp.Subquery:
    masks = protection.mask(access, schema, name)
    source: exp.Expr = exp.table_(name, db=schema)
    if inlined:
        body = _body(access.catalogue.views[schema, name]).copy()
        secured = secure(access, body, checker=access.owner(schema, name))
        given = [exp.to_identifier(column) for column in access.catalogue.relations[schema, name]]
        alias = exp.TableAlias(this=exp.to_identifier(name), columns=given)
        source = exp.Subquery(this=secured, alias=alias)
    query = exp.select(
        *(exp.alias_(masks[c], c, copy=False) if c in masks else exp.column(c, table=name) for c in columns)
    ).from_(source, copy=False)
    condition = rows(access, schema, name, name)
    if condition is not None:
        query = query.where(condition, copy=False)
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name))
    kept = {part: table.args[part] for part in ("joins", "laterals", "pivots", "sample") if table.args.get(part)}
    return exp.Subquery(this=query, alias=alias, **kept)


def rows(access: Access, schema: str, name: str, table: str) -> exp.Expr | None:
    """The condition on the rows that the user sees; FALSE where row security is on and no policy is the user's."""
    if not access.rights.filtered(schema, name):
        return None
    conditions = []
    for policy, condition in protection.predicates(access, schema, name, table):
        conditions.append(secure(access, exp.paren(condition), checker=access.rights_within(policy)))
    if not conditions:
        return exp.false()
    return exp.or_(*conditions) if access.state.row_security[schema, name] == "or" else exp.and_(*conditions)


@lru_cache(maxsize=256)
def _body(view: str) -> exp.Expr:
    """The query of a view, from DuckDB's text of it; not to be changed."""
    return parse_one(view, dialect=WarehouseDuckDB).expression
