"""What is asked of a database, for any dialect that SQLAlchemy knows: identifiers quoted by it, values bound.

Pages follow the order of the key: each begins behind the last row of the one before, so that no page costs more than
the first (never OFFSET), and any page can be asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from solvent.extraction.definition import Source
from solvent.extraction.errors import InvalidExtraction


@dataclass(frozen=True)
class Window:
    """From which watermark to which an increment reads, both included; None leaves a side open."""

    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class Statements:
    """The statements of one source. `columns`: name in the contract -> column; what orders it may be none of these."""

    columns: Mapping[str, sa.ColumnElement[Any]]
    key: Sequence[sa.ColumnElement[Any]]
    watermark: sa.ColumnElement[Any] | None = None

    def page(self, after: Sequence[Any] | None, window: Window, rows: int) -> sa.Select[Any]:
        """The next `rows` rows behind the key `after`, within the window, in the order of the key.

        A row holds the columns of the contract, then the key, then the watermark if there is one.
        """
        delivered = [column.label(name) for name, column in self.columns.items()]
        order = [column.label(f"key_{number}") for number, column in enumerate(self.key)]
        statement = sa.select(*delivered, *order)
        if after is not None:
            statement = statement.where(_behind(self.key, after))
        if self.watermark is not None:
            statement = statement.add_columns(self.watermark.label("watermark"))
            if window.low is not None:
                statement = statement.where(self.watermark >= _bound(self.watermark, window.low))
            if window.high is not None:
                statement = statement.where(self.watermark <= _bound(self.watermark, window.high))
        return statement.order_by(*self.key).limit(rows)

    def same(self, key: Sequence[Any]) -> sa.Select[Any]:
        """How many rows have this key."""
        equal = (column == _bound(column, value) for column, value in zip(self.key, key, strict=True))
        return sa.select(sa.func.count()).select_from(self._relation).where(*equal)

    def newest(self) -> sa.Select[Any]:
        """The highest watermark."""
        return sa.select(sa.func.max(self.watermark)).select_from(self._relation)

    def without_watermark(self) -> sa.Select[Any]:
        """A row without a watermark, if there is one."""
        assert self.watermark is not None
        return self._first(self.watermark.is_(None))

    def without_key(self) -> sa.Select[Any]:
        """A row whose key is null in some column, if there is one."""
        return self._first(sa.or_(*(column.is_(None) for column in self.key)))

    def _first(self, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
        return sa.select(sa.literal(1)).select_from(self._relation).where(condition).limit(1)

    @property
    def _relation(self) -> sa.FromClause:
        return self.key[0].table


def parsed_query(source: Source) -> sa.TextClause:
    """The text of a query. Raises InvalidExtraction when it has parameters, which nobody would fill."""
    query = sa.text(source.query or "")
    if query._bindparams:
        raise InvalidExtraction(
            f"The query of {source.name} has parameters ({', '.join(query._bindparams)}). Write it without; a colon "
            "in a text is written \\: there. Nothing was read."
        )
    return query


def names_of(query: sa.TextClause, known: str) -> sa.Select[Any]:
    """A statement without rows that tells which columns a query has; `known` is one of them."""
    probe = query.columns(sa.column(known)).subquery("probe")
    return sa.select(sa.text("*")).select_from(probe).where(sa.literal(1) == sa.literal(0))


def _behind(key: Sequence[sa.ColumnElement[Any]], after: Sequence[Any]) -> sa.ColumnElement[bool]:
    """(a, b) > (x, y), written out: not every database compares rows."""
    [column, *columns], [value, *values] = key, after
    larger = column > _bound(column, value)
    if not columns:
        return larger
    return sa.or_(larger, sa.and_(column == _bound(column, value), _behind(columns, values)))


def _bound(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[Any]:
    """A bind parameter of the column's type; where a query leaves that open, of the value's, its zone included."""
    unknown = isinstance(column.type, sa.types.NullType)
    aware = unknown and getattr(value, "tzinfo", None) is not None
    kind: Any = sa.DateTime(timezone=True) if aware else None if unknown else column.type
    return sa.bindparam(None, value, type_=kind, unique=True)
