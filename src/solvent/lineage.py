"""Lineage of columns: from which delivered columns each table of the ETL is computed, and which decide its rows.

Read from the same statements that run (`solvent.etl.statements`), with sqlglot's scopes; for what a contract implies
(raw -> cleaned) the contract gives the mapping. `sqlglot.lineage` knows values only; a test holds ours against it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from solvent import contracts, delivery, naming, specification
from solvent.contracts import Contract, Contracts
from solvent.etl import statements

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_POSITION = ("_source_file", "_row_number")
_NOT_DELIVERED = (
    *_POSITION,
    "_payload",
    "_reason",
    delivery.DELETED,
)  # where a row lies and what is said of it, not what it says


class LineageError(Exception):
    """There is no such table or column; the message names those that there are."""


@dataclass(frozen=True, order=True)
class Ref:
    """A column of a table: of a source, of a table of the ETL, or of `run` (the delivery's date and parameters)."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


Refs = frozenset[Ref]
_NONE: Refs = frozenset()
ROWS = "*"  # in a filter, in place of a column: whatever decides which rows a table has


@dataclass(frozen=True)
class Origin:
    """Where a column comes from.

    `value`: columns that its value is computed from. `filter`: columns that decide which rows there are, or which rows
    an aggregate sees: join conditions, WHERE, GROUP BY, HAVING. A LEFT JOIN drops no row, so its condition counts only
    for columns taken from its right side.
    """

    value: Refs = _NONE
    filter: Refs = _NONE

    def __or__(self, other: "Origin") -> "Origin":
        return Origin(self.value | other.value, self.filter | other.filter)


@dataclass(frozen=True)
class Lineage:
    """`steps`: for each column of each computed table, the columns of the tables that its statement reads.

    `published` names the tables of the contracts among them, in the order of the ETL.
    """

    portfolio: str
    sources: tuple[str, ...]
    published: tuple[str, ...]
    steps: Mapping[str, Mapping[str, Origin]]
    _origins: dict[Ref, Origin] = field(default_factory=dict, compare=False, repr=False)

    def origin(self, column: Ref) -> Origin:
        """Back to the delivered columns. Raises LineageError for a column that there is not."""
        if column not in self._origins:
            self._origins[column] = self._traced(column)
        return self._origins[column]

    def columns(self, table: str) -> tuple[str, ...]:
        """Raises LineageError for a table that the ETL does not compute."""
        if table not in self.steps:
            raise LineageError(f"The ETL computes no table {table!r}; published are {', '.join(self.published)}.")
        return tuple(self.steps[table])

    def source_columns(self, source: str) -> tuple[Ref, ...]:
        return tuple(Ref(source, c) for c in contracts.load()[source].column_names)

    def dependents(self, source: Ref) -> Iterator[tuple[Ref, str]]:
        """Published columns that a delivered column reaches, each with `value` or `filter`; values win.

        Raises LineageError for a column that the source does not have.
        """
        if source not in self.source_columns(source.table):
            known = ", ".join(contracts.load()[source.table].column_names)
            raise LineageError(f"{source.table} has no column {source.column!r}; it has {known}.")
        for table in self.published:
            for name in self.columns(table):
                column = Ref(table, name)
                origin = self.origin(column)
                if source in origin.value:
                    yield column, "value"
                elif source in origin.filter:
                    yield column, "filter"

    def _traced(self, column: Ref) -> Origin:
        if column.column == ROWS:
            held = [self.origin(Ref(column.table, name)).filter for name in self.steps.get(column.table, ())]
            return Origin(filter=frozenset.intersection(*held) if held else _NONE)
        if column.table not in self.steps:
            return Origin(frozenset({column}))
        if column.column not in self.columns(column.table):
            known = ", ".join(self.columns(column.table))
            raise LineageError(f"{column.table} has no column {column.column!r}; it has {known}.")
        step = self.steps[column.table][column.column]
        from_values = [self.origin(ref) for ref in sorted(step.value)]
        from_filters = [self.origin(ref) for ref in sorted(step.filter)]
        # What a deciding column is computed from decides as well.
        decides = _union(o.value | o.filter for o in from_filters) | _union(o.filter for o in from_values)
        return Origin(_union(o.value for o in from_values), decides)


@cache
def of(portfolio: str) -> Lineage:
    """The lineage of a portfolio's ETL, from the checkout. Needs sqlglot."""
    cs = contracts.load()
    sources = {c.name: c for c in cs.sources(portfolio)}
    steps = {table: columns for c in sources.values() for table, columns in _implied(c, cs).items()}
    schema = {table: list(columns) for table, columns in steps.items()}
    schema |= {f"raw_{c.name}": [*c.column_names, delivery.DELETED, *_POSITION] for c in sources.values()}
    schema |= {f"malformed_{name}": list(_NOT_DELIVERED) for name in sources}
    for statement in statements.derive(portfolio, "duckdb"):
        if statement.table not in steps and not statement.table.startswith(("profile_", "rules_")):
            found = _step(statement.sql, schema)
            steps[statement.table] = {n: _delivered(o, set(sources)) for n, o in found.items()}
            schema[statement.table] = list(steps[statement.table])
    for log, part in (("quarantine_log", "quarantined"), ("deletion_log", "deleted")):
        parts = [steps[f"{part}_{name}"] for name in sources]
        steps[log] = {c: _joined(columns[c] for columns in parts) for c in cs[log].column_names}
    cleaned = [t for c in sources.values() for t in (cs.cleaned(c.name), cs.history(c.name)) if t]
    published = [*(t.name for t in cleaned), *(c.name for c in cs.steps(portfolio)), "quarantine_log", "deletion_log"]
    return Lineage(portfolio, tuple(sources), tuple(published), steps)


def find(name: str) -> tuple[Lineage, str, str | None]:
    """The lineage that knows `table` or `table.column` (a schema before it is allowed), the table and the column.

    Raises LineageError when no portfolio has the table.
    """
    parts = name.split(".")
    for portfolio in naming.PORTFOLIOS:
        known = of(portfolio)
        tables = (*known.sources, *known.steps)
        for skip in (0, 1):  # with a schema first
            if len(parts) > skip and parts[skip] in tables:
                column = ".".join(parts[skip + 1 :]) or None
                return known, parts[skip], column
    everywhere = ", ".join(t for p in naming.PORTFOLIOS for t in (*of(p).sources, *of(p).published))
    raise LineageError(f"There is no table {parts[0]!r} in any portfolio; there are {everywhere}.")


def contradictions(portfolio: str) -> list[str]:
    """Where hand-written sources (`features.*.sources` of the specification, transformSourceObjects of the contracts)
    and the statements disagree, one line per column.

    Sources of a feature name every delivered column that its value is computed from: what was generated must not get
    into a model unseen. Beyond these, and in contracts, they may name any column that decides value or rows.
    """
    known, spec = of(portfolio), specification.load(portfolio)
    claims = [
        (Ref(spec.features_table, f.name), f"specifications/{portfolio}.yaml", f.sources, True) for f in spec.features
    ]
    claims += [
        (Ref(t.name, c.name), f"the contract of {t.name}", c.sources, False)
        for t in contracts.load().steps(portfolio)
        for c in t.columns
        if c.sources
    ]
    wrong = []
    for column, where, sources, complete in claims:
        origin = known.origin(column)
        computed = {str(ref) for ref in origin.value if ref.table in known.sources}
        missing = computed - set(sources) if complete else set()
        extra = set(sources) - computed - {str(ref) for ref in origin.filter}
        changes = [f"{do} {', '.join(sorted(what))}" for do, what in (("add", missing), ("drop", extra)) if what]
        if changes:
            wrong.append(f"{where}, {column.column}: {'; '.join(changes)}")
    return wrong


def _implied(source: Contract, cs: Contracts) -> dict[str, dict[str, Origin]]:
    """What a contract says of the tables from a source's raw rows to its cleaned table, those of the base included.

    Every column is as it is in the source; of several versions of a key the version column decides.
    """
    columns = {c: Origin(frozenset({Ref(source.name, c)})) for c in source.column_names}
    decides = frozenset(Ref(source.name, c) for c in (*source.key, source.version_column) if c)
    chosen = {c: Origin(o.value, decides) for c, o in columns.items()}
    cleaned, past = cs.cleaned(source.name), cs.history(source.name)
    positions = dict.fromkeys((*_POSITION, "_tombstone"), Origin())
    reason = {"_reason": Origin(frozenset(Ref(source.name, c) for c in columns))}
    found = {f"{part}_{source.name}": chosen for part in ("kept", "removed", "tombstones")}
    found |= {f"checked_{source.name}": {**columns, **positions, **reason}, f"copies_{source.name}": positions}
    found |= {f"accepted_{source.name}": {**chosen, **positions}}
    for table in (cleaned, *([past] if past else [])):
        held = {c: chosen.get(c, Origin(decides, decides)) for c in table.column_names}
        found |= {table.name: held, f"base_{table.name}": held}
    return found


def _delivered(origin: Origin, sources: set[str]) -> Origin:
    """Raw tables by the names of their sources, without the position of rows."""

    def renamed(refs: Refs) -> Refs:
        pairs = ((ref, _source_of(ref.table, sources)) for ref in refs)
        return frozenset(
            Ref(source or ref.table, ref.column)
            for ref, source in pairs
            if not source or ref.column not in _NOT_DELIVERED
        )

    return Origin(renamed(origin.value), renamed(origin.filter))


def _source_of(table: str, sources: set[str]) -> str | None:
    """The source whose raw table it is."""
    names = (table.removeprefix(prefix) for prefix in ("raw_", "malformed_") if table.startswith(prefix))
    return next((name for name in names if name in sources), None)


def _step(sql: str, schema: Mapping[str, list[str]]) -> dict[str, Origin]:
    """The columns of one SELECT (CTEs, joins, subqueries, UNION), as columns of the tables that it reads."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    tables: dict[str, Any] = {table: dict.fromkeys(columns, "text") for table, columns in schema.items()}
    qualified = qualify(
        sqlglot.parse_one(sql, read="duckdb"),
        dialect="duckdb",
        schema=tables,
        quote_identifiers=False,
        validate_qualify_columns=False,
    )
    root = build_scope(qualified)
    assert root is not None  # a SELECT has one
    trace = _Trace()
    rows = trace.rows(root)
    return {name: trace.column(root, name) | Origin(filter=rows) for name in _names(root)}


class _Trace:
    """Resolves columns of scopes down to tables; remembers what it has resolved."""

    def __init__(self) -> None:
        self._columns: dict[tuple[int, str], Origin] = {}
        self._rows: dict[int, Refs] = {}

    def column(self, scope: "Scope", name: str) -> Origin:
        key = (id(scope), name)
        if key not in self._columns:
            self._columns[key] = self._column(scope, name)
        return self._columns[key]

    def rows(self, scope: "Scope") -> Refs:
        """The columns that decide which rows a scope has."""
        if id(scope) not in self._rows:
            self._rows[id(scope)] = self._decides(scope)
        return self._rows[id(scope)]

    def _column(self, scope: "Scope", name: str) -> Origin:
        if scope.set_operation_scopes:
            at = _names(scope).index(name)
            branches = [(s, _names(s)[at]) for s in scope.set_operation_scopes]
            return _joined(self.column(s, n) for s, n in branches)
        select = next(s for s in _query(scope).selects if s.alias_or_name == name)
        return self._expression(scope, select)

    def _expression(self, scope: "Scope", expression: "exp.Expr", joined: str = "") -> Origin:
        """`joined`: the table whose own join condition this is."""
        from sqlglot import exp

        origin = Origin()
        for column in expression.find_all(exp.Column):
            origin |= self._of_column(scope, column.table, column.name)
            if column.table != joined:
                origin |= Origin(filter=self._left_join(scope, column.table))
        for inner in scope.subquery_scopes:
            if _within(inner.expression, expression):
                names = _names(inner)
                origin |= _joined(self.column(inner, n) for n in names) | Origin(filter=self.rows(inner))
        return origin

    def _of_column(self, scope: "Scope", alias: str, name: str) -> Origin:
        """A column of what stands in FROM or JOIN; one of a subquery around is resolved there."""
        unpivot = _unpivots(scope).get(alias)
        if unpivot is not None:
            alias = unpivot.source
            if name in unpivot.values:
                return _joined(self._of_column_of(scope, alias, column) for column in unpivot.columns)
            if name == unpivot.names:
                return Origin()  # the columns' names, not what is in them
        return self._of_column_of(scope, alias, name)

    def _of_column_of(self, scope: "Scope", alias: str, name: str) -> Origin:
        from sqlglot import exp

        source = _source(scope, alias)
        if source is None:
            return Origin()
        return (
            Origin(frozenset({Ref(source.name, name)})) if isinstance(source, exp.Table) else self.column(source, name)
        )

    def _left_join(self, scope: "Scope", alias: str) -> Refs:
        """What a column from the right side of a LEFT JOIN depends on besides its value."""
        found = _NONE
        for join in scope.expression.args.get("joins") or []:
            if join.side == "LEFT" and join.this.alias_or_name == alias:
                found |= self._read(scope, join.args.get("on"), alias) | self._rows_of(scope, alias)
        return found

    def _decides(self, scope: "Scope") -> Refs:
        if scope.set_operation_scopes:
            return _union(self.rows(s) for s in scope.set_operation_scopes)
        select = scope.expression
        found = _union(self._read(scope, select.args.get(part)) for part in ("where", "group", "having", "qualify"))
        # UNPIVOT makes a row of each value that there is.
        for unpivot in _unpivots(scope).values():
            found |= _joined(self._of_column_of(scope, unpivot.source, c) for c in unpivot.columns).value
        start = select.args.get("from_") or select.args.get("from")
        if start is not None:
            found |= self._rows_of(scope, start.this.alias_or_name)
        for join in select.args.get("joins") or []:
            if join.side != "LEFT":
                found |= self._read(scope, join.args.get("on")) | self._rows_of(scope, join.this.alias_or_name)
        return found

    def _rows_of(self, scope: "Scope", alias: str) -> Refs:
        from sqlglot import exp

        source = _source(scope, alias)
        if isinstance(source, exp.Table):
            return frozenset({Ref(source.name, ROWS)})
        return _NONE if source is None else self.rows(source)

    def _read(self, scope: "Scope", expression: "exp.Expr | None", joined: str = "") -> Refs:
        if expression is None:
            return _NONE
        origin = self._expression(scope, expression, joined)
        return origin.value | origin.filter


@dataclass(frozen=True)
class _Unpivot:
    """`UNPIVOT (values FOR names IN (columns))` of what bears the alias `source`."""

    source: str
    values: frozenset[str]
    names: str
    columns: tuple[str, ...]


def _unpivots(scope: "Scope") -> dict[str, _Unpivot]:
    """By the alias that the result has."""
    from sqlglot import exp

    found = {}
    parts = [scope.expression.args.get("from_"), *(scope.expression.args.get("joins") or [])]
    for table in (part.this for part in parts if part is not None):
        for pivot in table.args.get("pivots") or []:
            if pivot.args.get("unpivot"):
                [given] = pivot.args["fields"]
                values = frozenset(v.name for v in pivot.expressions)
                columns = tuple(c.name for c in given.expressions if isinstance(c, exp.Column))
                source = table.alias_or_name
                found[pivot.alias or source] = _Unpivot(source, values, given.this.name, columns)
    return found


def _source(scope: "Scope", alias: str) -> "exp.Table | Scope | None":
    """What an alias stands for; sqlglot takes a CTE that is unpivoted for a table."""
    from sqlglot import exp

    source = scope.sources.get(alias)
    if isinstance(source, exp.Table):
        return scope.cte_sources.get(source.name, source)
    return cast("Scope | None", source)


def _query(scope: "Scope") -> "exp.Query":
    return cast("exp.Query", scope.expression)


def _names(scope: "Scope") -> list[str]:
    return _query(scope).named_selects


def _within(inner: "exp.Expr", outer: "exp.Expr") -> bool:
    node = inner.parent
    while node is not None and node is not outer:
        node = node.parent
    return node is outer


def _joined(origins: Iterable[Origin]) -> Origin:
    found = Origin()
    for origin in origins:
        found |= origin
    return found


def _union(sets: Iterable[Refs]) -> Refs:
    return frozenset().union(*sets)
