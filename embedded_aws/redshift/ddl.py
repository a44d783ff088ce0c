"""CREATE TABLE, ALTER and COMMENT: from Redshift's definitions to DuckDB's statements."""

import hashlib

import duckdb
from sqlglot import exp

from embedded_aws.redshift import catalog
from embedded_aws.redshift.catalog import quote
from embedded_aws.redshift.dialect import generate
from embedded_aws.redshift.errors import SqlError, not_implemented

_STRIPPED = (
    exp.EncodeColumnConstraint,
    exp.UniqueColumnConstraint,
    exp.PrimaryKeyColumnConstraint,
    exp.Reference,
    exp.Property,
)
_KEYS = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint)
_TEXT = ("varchar", "char", "nchar", "nvarchar", "text", "bpchar")


def create(cursor: duckdb.DuckDBPyConnection, tree: exp.Create) -> list[str]:
    """The DuckDB statements of a (translated) CREATE TABLE or SCHEMA. Raises SqlError for another kind."""
    kind = str(tree.kind).upper()
    if kind == "SCHEMA":
        tree.set("properties", None)
        return [generate(tree)]
    if kind == "TABLE":
        return _table(cursor, tree)
    raise not_implemented(f"CREATE {kind}")


def _table(cursor: duckdb.DuckDBPyConnection, tree: exp.Create) -> list[str]:
    properties = tree.args.get("properties")
    temporary = bool(properties and properties.find(exp.TemporaryProperty)) or tree.this.find(
        exp.Table
    ).name.startswith("#")
    tree.set("properties", exp.Properties(expressions=[exp.TemporaryProperty()]) if temporary else None)
    if not isinstance(tree.this, exp.Schema):
        return [generate(tree)]  # CREATE TABLE AS
    if like := tree.this.find(exp.LikeProperty):
        return [_like(cursor, tree, like)]
    return _definition(tree)


def _definition(tree: exp.Create) -> list[str]:
    before: list[str] = []
    columns: list[exp.ColumnDef] = []
    primary: set[str] = set()
    for item in tree.this.expressions:
        inner = item.expressions[0] if isinstance(item, exp.Constraint) and item.expressions else item
        if isinstance(inner, exp.ColumnDef):
            columns.append(inner)
        elif isinstance(inner, exp.PrimaryKey):
            primary |= {part.name for part in inner.expressions}
        elif not isinstance(inner, _KEYS):
            raise not_implemented(f"the table constraint {inner.sql(dialect='redshift')}")
    for column in columns:
        before += _column(column, tree.this.this, required=column.name in primary)
    tree.this.set("expressions", columns)
    return [*before, generate(tree)]


def _column(column: exp.ColumnDef, table: exp.Table, *, required: bool) -> list[str]:
    """Rewrite a column in place; returns what must run before (the sequence of an IDENTITY)."""
    before: list[str] = []
    kept: list[exp.ColumnConstraint] = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.kind
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            required = True
        elif isinstance(kind, exp.GeneratedAsIdentityColumnConstraint):
            sequence = _sequence(column, table)
            step = kind.args.get("increment") or exp.Literal.number(1)
            start = kind.args.get("start") or exp.Literal.number(0)
            before.append(f"CREATE SEQUENCE IF NOT EXISTS {sequence} INCREMENT {step} MINVALUE {start} START {start}")
            default = exp.Anonymous(this="nextval", expressions=[exp.Literal.string(sequence)])
            kept.append(exp.ColumnConstraint(kind=exp.DefaultColumnConstraint(this=default)))
        elif isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null"):
            required = True
        elif not isinstance(kind, (*_STRIPPED, exp.NotNullColumnConstraint, exp.CollateColumnConstraint)):
            kept.append(constraint)
    if required:
        kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    if (limit := text_length(column.args["kind"])) is not None:
        kept.append(exp.ColumnConstraint(kind=exp.CheckColumnConstraint(this=_length_check(column.name, limit))))
    column.set("constraints", kept)
    return before


def text_length(kind: exp.DataType) -> int | None:
    """n of VARCHAR(n) in bytes (256 without one, 1 for CHAR), None for other types; the type becomes plain text."""
    if not kind.is_type(*_TEXT):
        return None
    given = kind.expressions[0].name if kind.expressions else ""
    kind.set("expressions", [])
    if given.upper() == "MAX":
        return 65535
    return int(given) if given else (1 if kind.is_type("char", "nchar") else 256)


def _length_check(column: str, limit: int) -> exp.Expr:
    return exp.LTE(
        this=exp.Anonymous(this="strlen", expressions=[exp.column(column)]), expression=exp.Literal.number(limit)
    )


def _sequence(column: exp.ColumnDef, table: exp.Table) -> str:
    digest = hashlib.sha256(f"{table.sql()}.{column.name}".encode()).hexdigest()[:12]
    return f"_redshift.identity_{digest}"


def _like(cursor: duckdb.DuckDBPyConnection, tree: exp.Create, like: exp.LikeProperty) -> str:
    """Columns, types, NOT NULL and lengths; defaults only when asked for."""
    source = catalog.require_relation(cursor, like.this.sql(dialect="redshift", identify=False).replace('"', ""))
    options = {f"{part.name} {part.text('value')}".upper() for part in like.expressions}
    parts = []
    for column in catalog.columns(cursor, source):
        text = f"{quote(column.name)} {column.type}"
        if column.default is not None and "INCLUDING DEFAULTS" in options:
            text += f" DEFAULT {column.default}"
        text += "" if column.nullable else " NOT NULL"
        if column.max_bytes is not None:
            text += f" CHECK (strlen({quote(column.name)}) <= {column.max_bytes})"
        parts.append(text)
    tree.this.set("expressions", [])
    head = generate(
        exp.Create(
            this=tree.this.this, kind="TABLE", exists=tree.args.get("exists"), properties=tree.args.get("properties")
        )
    )
    return f"{head} ({', '.join(parts)})"


def comment(cursor: duckdb.DuckDBPyConnection, tree: exp.Comment) -> exp.Comment:
    """COMMENT ON: a materialized view is commented as a VIEW, and is a table of DuckDB's."""
    if tree.args.get("materialized"):
        raise SqlError('syntax error at or near "MATERIALIZED"', detail="Write COMMENT ON VIEW.")
    if tree.args["kind"] == "VIEW":
        relation = catalog.require_relation(cursor, catalog.written(tree.this))
        tree.set("kind", "VIEW" if catalog.is_view(cursor, relation) else "TABLE")
    return tree


def alter(tree: exp.Alter) -> list[str]:
    """ALTER TABLE: columns added, dropped and renamed, tables renamed."""
    if str(tree.args["kind"]).upper() != "TABLE":
        raise not_implemented(f"ALTER {tree.args['kind']}")
    before: list[str] = []
    for action in tree.args["actions"]:
        if isinstance(action, exp.ColumnDef):
            before += _column(action, tree.this, required=False)
            kept = [c for c in action.args["constraints"] if not isinstance(c.kind, exp.CheckColumnConstraint)]
            action.set("constraints", kept)
        elif not isinstance(action, exp.Drop | exp.RenameColumn | exp.AlterRename):
            raise not_implemented(f"ALTER TABLE {action.sql(dialect='redshift')}")
    return [*before, generate(tree)]
