"""One source of a database: what it has is looked up, and it is read page by page."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from solvent.contracts import Contract
from solvent.delivery import DELETED
from solvent.extraction import databases
from solvent.extraction.definition import Source
from solvent.extraction.errors import KeyNotUnique, NoSuchColumn, WatermarkMissing
from solvent.extraction.statements import Statements, Window, names_of, parsed_query


class Reader:
    """Reads one source. `headers`: the columns that it delivers, by their names in a delivered file."""

    def __init__(self, engine: Engine, source: Source, contract: Contract) -> None:
        """Raises NoSuchTable, NoSuchColumn, QueryRefused, KeyNotUnique, DatabaseUnreachable."""
        self._engine, self._source = engine, source
        self._kind = databases.KINDS[engine.url.drivername]
        self._what = f"{source.name} ({source.table or 'query'})"
        self._statements = self._looked_up(contract)
        header_of = {name: header for header, name in contract.headers.items()}
        self.headers = tuple(header_of.get(name, name) for name in self._statements.columns)
        self.delimiter = contract.delimiter
        if self._scalar(self._statements.without_key()) is not None:
            raise KeyNotUnique(
                f"{self._what} has rows whose key ({', '.join(source.key)}) is null. Name a key that every row has; "
                "nothing was delivered."
            )

    def newest(self) -> Any:
        """The highest watermark now; None without rows or watermark. Raises WatermarkMissing when rows have none."""
        if not self._source.watermark:
            return None
        if self._scalar(self._statements.without_watermark()) is not None:
            raise WatermarkMissing(
                f"{self._what} has rows without {self._source.watermark}: no increment would find their changes. "
                "Fill the column, or extract this source without a watermark; nothing was delivered."
            )
        return self._scalar(self._statements.newest())

    def page(self, after: Sequence[Any] | None, window: Window, rows: int) -> list[Row[Any]]:
        """The next rows behind the key `after`, at most `rows`; fewer mean that there are no more.

        Raises KeyNotUnique when the last of them is not the only one with its key: the next page would miss others.
        """

        def read() -> tuple[list[Row[Any]], int]:
            with self._engine.connect() as connection:  # one transaction, so both see the same rows
                found = list(connection.execute(self._statements.page(after, window, rows)))
                if len(found) < rows:
                    return found, 1
                return found, connection.execute(self._statements.same(self.key_of(found[-1]))).scalar_one()

        found, same = databases.asked(read, self._kind, self._what)
        if same != 1:
            raise KeyNotUnique(
                f"{self._what}: {same} rows have one key ({', '.join(self._source.key)}), or its values do not come "
                "back from the driver as they are stored. Name a key that is unique; nothing was delivered."
            )
        return found

    def delivered(self, row: Row[Any]) -> Sequence[Any]:
        """The values of a row that are delivered, in the order of `headers`."""
        return row[: len(self.headers)]

    def key_of(self, row: Row[Any]) -> Sequence[Any]:
        return row[len(self.headers) : len(self.headers) + len(self._source.key)]

    def watermark_of(self, row: Row[Any]) -> Any:
        """None where the source has no watermark."""
        return row[-1] if self._source.watermark else None

    def _looked_up(self, contract: Contract) -> Statements:
        relation = databases.asked(self._table if self._source.table else self._query, self._kind, self._what)
        there = {column.name.lower(): column for column in relation.columns}
        named = self._source.columns
        wanted = {name: named.get(name, name) for name in contract.column_names}
        key = [named.get(name, name) for name in self._source.key]
        watermark = [named.get(self._source.watermark, self._source.watermark)] if self._source.watermark else []
        missing = [name for name in dict.fromkeys((*wanted.values(), *key, *watermark)) if name.lower() not in there]
        if missing:
            raise NoSuchColumn(
                f"{self._what} lacks {', '.join(missing)}, which the contract {contract.name} or the extraction asks "
                "for. Add it, name the column that holds it under `columns`, or write a query; nothing was delivered."
            )
        columns = {name: there[column.lower()] for name, column in wanted.items()}
        if DELETED in there:
            columns[DELETED] = there[DELETED]
        return Statements(
            columns, [there[name.lower()] for name in key], there[watermark[0].lower()] if watermark else None
        )

    def _table(self) -> sa.FromClause:
        schema, _, name = (self._source.table or "").rpartition(".")
        found = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=self._engine, resolve_fks=False)
        for column in found.columns:
            if isinstance(column.type, sa.Float):
                column.type.asdecimal = False  # MySQL's dialect would round a DOUBLE to ten digits
        return found

    def _query(self) -> sa.FromClause:
        query = parsed_query(self._source)
        with self._engine.connect() as connection:
            names = connection.execute(names_of(query, self._source.key[0])).keys()
        return query.columns(*(sa.column(name) for name in names)).subquery("extract")

    def _scalar(self, statement: sa.Select[Any]) -> Any:
        def read() -> Any:
            with self._engine.connect() as connection:
                return connection.execute(statement).scalar()

        return databases.asked(read, self._kind, self._what)
