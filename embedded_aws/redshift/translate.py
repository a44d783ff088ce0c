"""One statement's tree, rewritten so that DuckDB means by it what Redshift means."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from embedded_aws.redshift.errors import SqlError, not_implemented

_INFORMATION_SCHEMA = {"tables": "svv_tables", "columns": "svv_columns"}


def translate(tree: exp.Expr, *, parameters: Mapping[str, str | None], user: str) -> exp.Expr:
    """Rewrite a tree in place. `parameters` are the values of `:name`; `user` is current_user. Raises SqlError."""

    _name_outputs(tree)
    for node in reversed(list(tree.walk(bfs=True))):  # children first: a rule sees its operands already rewritten
        if isinstance(node, exp.Placeholder):
            new = _bind(node, parameters)
        elif isinstance(node, exp.CurrentUser | exp.SessionUser):
            new = exp.Literal.string(user)
        else:
            rule = _RULES.get(type(node))
            new = rule(node) if rule else node
        if new is node:
            continue
        if node is tree:
            tree = new
        else:
            node.replace(new)
    for name in tree.find_all(exp.Identifier):
        name.set("this", name.name.lower())  # Redshift folds quoted names too, unless told otherwise
    if isinstance(tree, exp.Merge):
        _check_merge(tree)
    return tree


def _name_outputs(tree: exp.Expr) -> None:
    """Names of unnamed result columns, by PostgreSQL's rule: the function, the column under a cast, or ?column?."""
    query = tree.expression if isinstance(tree, exp.Create) else tree
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    for item in query.expressions if isinstance(query, exp.Select) else []:
        if not isinstance(item, exp.Alias | exp.Column | exp.Star):
            item.replace(exp.alias_(item.copy(), _output_name(item), quoted=True))


_FUNCTION_NAMES = {
    "current_timestamp": "getdate", "decode_case": "case", "group_concat": "listagg", "time_to_str": "to_char",
    "ts_or_ds_add": "date_add", "ts_or_ds_diff": "date_diff", "variance_pop": "var_pop", "length": "len",
}  # fmt: skip


def _output_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        return node.to.sql(dialect="redshift").split("(")[0].lower()
    if isinstance(node, exp.Cast | exp.Window | exp.Paren | exp.WithinGroup):
        return _output_name(node.this)
    if isinstance(node, exp.Anonymous | exp.Column):
        return node.name.lower()
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.Func) and not isinstance(node, exp.And | exp.Or):
        name = node.sql_name().lower()
        return _FUNCTION_NAMES.get(name, name)
    return "?column?"


def _bind(node: exp.Placeholder, parameters: Mapping[str, str | None]) -> exp.Expr:
    if node.name not in parameters:
        raise SqlError(f"there is no parameter :{node.name}")
    value = parameters[node.name]
    return exp.null() if value is None else exp.Literal.string(value)


def _utc_timestamp(node: exp.Expr) -> exp.Expr:
    """GETDATE() and SYSDATE are timestamps without a zone; DuckDB's CURRENT_TIMESTAMP has one."""
    return exp.cast(exp.CurrentTimestamp(), "timestamp")


def _average(node: exp.Avg) -> exp.Expr:
    """AVG of integers is truncated: it becomes sum / count, and / is Redshift's."""
    if isinstance(node.parent, exp.Window):
        return node
    return _quotient(exp.Sum(this=node.this.copy()), exp.Count(this=node.this.copy(), big_int=True))


def _quotient(total: exp.Expr, count: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Div(this=total, expression=exp.Nullif(this=count, expression=exp.Literal.number(0))))


def _window(node: exp.Window) -> exp.Expr:
    if not isinstance(node.this, exp.Avg):
        return node
    total, count = node.copy(), node.copy()
    total.set("this", exp.Sum(this=node.this.this.copy()))
    count.set("this", exp.Count(this=node.this.this.copy(), big_int=True))
    return _quotient(total, count)


def _cast(node: exp.Cast) -> exp.Expr:
    """A cast to VARCHAR(n) cuts the text; of a string inside a SUPER it gives the string, without JSON's quotes."""
    kind = node.to
    if kind.is_type("varchar") and isinstance(node.this, exp.Dot | exp.Bracket):
        path = exp.Literal.string("$")
        node.set("this", exp.Anonymous(this="json_extract_string", expressions=[node.this.copy(), path]))
    if kind.is_type("varchar", "char", "nchar", "nvarchar", "text") and kind.expressions:
        length = kind.expressions[0].this
        kind.set("expressions", [])
        return exp.Left(this=node.copy(), expression=length) if length.name.upper() != "MAX" else node
    return node


def _data_type(node: exp.DataType) -> exp.Expr:
    return exp.DataType.build("json") if node.this == exp.DType.SUPER else node


def _list_aggregate(node: exp.WithinGroup) -> exp.Expr:
    """LISTAGG(DISTINCT x, ',') WITHIN GROUP (ORDER BY y) -> STRING_AGG(DISTINCT x, ',' ORDER BY y)."""
    if not isinstance(node.this, exp.GroupConcat):
        return node
    return _string_agg(node.this, node.expression)


def _string_agg(node: exp.GroupConcat, order: exp.Expr | None = None) -> exp.Expr:
    if order is None and isinstance(node.parent, exp.WithinGroup):
        return node
    inner, separator = node.this, node.args.get("separator")
    if isinstance(inner, exp.Order):
        order, inner = inner, inner.this
    if isinstance(inner, exp.Distinct):
        value, *rest = inner.expressions
        separator = separator or (rest[0] if rest else None)
        inner = exp.Distinct(expressions=[value.copy()])
    arguments = [inner.copy() if inner else inner, (separator or exp.Literal.string("")).copy()]
    if order is not None:
        ordered = order.copy()
        ordered.set("this", arguments[1])
        arguments[1] = ordered
    return exp.Anonymous(this="string_agg", expressions=arguments)


def _replace_all(node: exp.RegexpReplace) -> exp.Expr:
    """REGEXP_REPLACE replaces every match; DuckDB's only the first without 'g'."""
    modifiers = node.args.get("modifiers")
    flags = modifiers.name if modifiers else ""
    node.set("modifiers", exp.Literal.string(flags if "g" in flags else flags + "g"))
    return node


def _unnest(node: exp.Unnest) -> exp.Expr:
    """`FROM t, t.reasons AS r`: the elements of a SUPER array."""
    node.set("expressions", [exp.cast(part, "json[]") for part in node.expressions])
    return node


def _function(node: exp.Anonymous) -> exp.Expr:
    name, arguments = node.name.upper(), node.expressions
    if name == "ISNULL":
        return exp.Coalesce(this=arguments[0], expressions=arguments[1:])
    if name == "GET_ARRAY_LENGTH":
        return exp.Anonymous(this="json_array_length", expressions=arguments)
    if name == "JSON_SERIALIZE":
        return exp.cast(arguments[0], "varchar")
    if name == "OBJECT":
        return exp.Anonymous(this="json_object", expressions=arguments)
    return node


def _parse_json(node: exp.ParseJSON) -> exp.Expr:
    return exp.Anonymous(this="json_parse", expressions=[node.this])


def _array(node: exp.Array) -> exp.Expr:
    return exp.Anonymous(this="json_array", expressions=node.expressions)


def _table(node: exp.Table) -> exp.Expr:
    if node.db.lower() == "information_schema" and node.name.lower() in _INFORMATION_SCHEMA:
        node.set("this", exp.to_identifier(_INFORMATION_SCHEMA[node.name.lower()]))
        node.set("db", exp.to_identifier("_redshift"))
    elif node.db.lower() == "pg_catalog" and node.name.lower() in ("pg_table_def", "pg_user"):
        node.set("db", exp.to_identifier("_redshift"))
    return node


_RULES: dict[type, Callable[..., exp.Expr]] = {
    exp.CurrentTimestamp: _utc_timestamp,
    exp.Avg: _average,
    exp.Window: _window,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.DataType: _data_type,
    exp.WithinGroup: _list_aggregate,
    exp.GroupConcat: _string_agg,
    exp.RegexpReplace: _replace_all,
    exp.Unnest: _unnest,
    exp.Anonymous: _function,
    exp.Array: _array,
    exp.ParseJSON: _parse_json,
    exp.Table: _table,
}


def _check_merge(tree: exp.Merge) -> None:
    """Redshift's MERGE knows one WHEN MATCHED and one WHEN NOT MATCHED, without conditions, from a table."""
    whens = tree.args["whens"].expressions
    if tree.this.alias:
        raise SqlError(f'syntax error at or near "{tree.this.alias}"', detail="The target of MERGE takes no alias.")
    if not isinstance(tree.args["using"], exp.Table):
        raise SqlError('syntax error at or near "("', detail="The source of MERGE is a table or view.")
    if any(when.args.get("condition") for when in whens):
        raise SqlError('syntax error at or near "AND"', detail="MERGE takes no condition after WHEN [NOT] MATCHED.")
    if any(when.args.get("source") for when in whens):
        raise SqlError('syntax error at or near "BY"', detail="MERGE knows no WHEN NOT MATCHED BY SOURCE.")
    if sorted(bool(when.args.get("matched")) for when in whens) != [False, True]:
        raise SqlError("MERGE needs one WHEN MATCHED and one WHEN NOT MATCHED clause")
    for insert in tree.find_all(exp.Insert):
        if isinstance(insert.expression, exp.Values):
            raise not_implemented("MERGE ... INSERT VALUES of several rows")
