"""What names mean in a syntax tree: common table expressions, and the query whose columns a name reads."""

from collections.abc import Iterator

from sqlglot import exp

_SCOPES = (exp.Select, exp.Update, exp.Delete, exp.Merge)


def is_cte(table: exp.Table) -> bool:
    """Whether a table's name is that of a WITH query that is visible where it stands.

    Within WITH, only earlier queries are; a query that is not recursive means the table when it uses its own name.
    """
    if table.db:
        return False
    child: exp.Expr = table
    parent = table.parent
    while parent is not None:
        if isinstance(parent, exp.With):
            earlier = parent.expressions[: next(n for n, cte in enumerate(parent.expressions) if cte is child)]
            recursive = bool(parent.args.get("recursive")) and _recurses(child, table)
            visible = [*earlier, child] if recursive else earlier
        else:
            clause = parent.args.get("with_")
            visible = clause.expressions if clause is not None and clause is not child else []
        if any(cte.alias == table.name for cte in visible):
            return True
        child, parent = parent, parent.parent
    return False


def _recurses(cte: exp.Expr, table: exp.Table) -> bool:
    """Only the second part of a UNION means the query itself by its own name."""
    query = cte.this
    return isinstance(query, exp.SetOperation) and any(node is query.expression for node in _ancestors(table))


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def scope(node: exp.Expr) -> exp.Expr | None:
    """The nearest query or statement around a node."""
    return next((parent for parent in _ancestors(node) if isinstance(parent, _SCOPES)), None)


def reads(table: exp.Table, columns: set[str]) -> bool:
    """Whether the query in whose FROM a table stands reads one of its `columns`, by name or by *."""
    query, alias = scope(table), table.alias_or_name
    if query is None:
        return True
    for item in query.expressions if isinstance(query, exp.Select) else ():
        if isinstance(item, exp.Star) or (isinstance(item.this, exp.Star) and item.text("table") in ("", alias)):
            return True
    for join in query.args.get("joins") or ():
        if any(name.name in columns for name in join.args.get("using") or ()):
            return True
    return any(
        column.name in columns and _means(column, query, alias)
        for column in query.find_all(exp.Column)
        if not isinstance(column.this, exp.Star)
    )


def _means(column: exp.Column, query: exp.Expr, alias: str) -> bool:
    if column.table:
        return column.table == alias and _binding(column) is query
    return scope(column) is query and not _names_an_output(column, query)


def _binding(column: exp.Column) -> exp.Expr | None:
    """The nearest query that has the relation of a qualified column."""
    for parent in _ancestors(column):
        if isinstance(parent, _SCOPES) and column.table in _sources(parent):
            return parent
    return None


def _sources(query: exp.Expr) -> set[str]:
    parts = [query.args.get("from_"), *(query.args.get("joins") or ()), query.args.get("using")]
    flat = [p for part in parts for p in (part if isinstance(part, list) else [part]) if p is not None]
    found = [p.this if isinstance(p, exp.From | exp.Join) else p for p in flat]
    if not isinstance(query, exp.Select):
        found.append(query.this)
    return {source.alias_or_name for source in found if isinstance(source, exp.Expr)}


def _names_an_output(column: exp.Column, query: exp.Expr) -> bool:
    """ORDER BY means the output column before the table's."""
    order = query.args.get("order")
    outputs = {item.alias for item in query.expressions if isinstance(item, exp.Alias)}
    return order is not None and column.name in outputs and any(node is order for node in _ancestors(column))
