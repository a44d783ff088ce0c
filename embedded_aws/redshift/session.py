"""One connection to a database: what each kind of statement does in it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlglot import exp

from embedded_aws.redshift import accepted, catalog, ddl, loading
from embedded_aws.redshift.cells import plain_integers
from embedded_aws.redshift.dialect import generate, parse, tokenize
from embedded_aws.redshift.differences import ACCEPTED_SETTINGS
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.options import parse_copy, parse_unload
from embedded_aws.redshift.storage import Storage
from embedded_aws.redshift.translate import translate

if TYPE_CHECKING:
    from embedded_aws.redshift.engine import Database


@dataclass(frozen=True)
class Outcome:
    """What one statement did: rows returned or affected; the rows themselves and their DuckDB types for a query."""

    rows: int
    table: pa.Table | None = None
    types: tuple[str, ...] = ()


class Session:
    """One connection: its temporary tables and settings end with it."""

    def __init__(
        self, database: Database, cursor: duckdb.DuckDBPyConnection, user: str, parameters: Mapping[str, str]
    ) -> None:
        self.cursor, self._database, self._user, self._parameters = cursor, database, user, parameters

    def begin(self) -> None:
        self.cursor.execute("BEGIN")

    def commit(self) -> None:
        self.cursor.execute("COMMIT")

    def rollback(self) -> None:
        with contextlib.suppress(duckdb.Error):  # a failed COMMIT has rolled back already
            self.cursor.execute("ROLLBACK")

    def interrupt(self) -> None:
        """Stop the running statement (CancelStatement)."""
        self.cursor.interrupt()

    def storage(self, role: str) -> Storage:
        """S3 as `default` or a named role sees it. Raises SqlError for a role that the namespace does not have."""
        return self._database.storage(self._database.roles().resolve(role))

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that DuckDB may read and write; gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._database.scratch_folder) as folder:
            yield Path(folder)

    def record(self, error: loading.LoadError) -> None:
        """A line of sys_load_error_detail, outside of the failed transaction."""
        self.cursor.execute(
            "INSERT INTO _redshift.sys_load_error_detail "
            "VALUES (uuid(), current_database(), ?, now(), ?, ?, ?, ?, ?, ?, ?)",
            [error.table, error.file, error.line, error.column, error.type, error.length, error.code, error.message],
        )

    def execute(self, sql: str) -> Outcome:
        """Run one statement. Raises SqlError or duckdb.Error."""
        tokens = tokenize(sql)
        if not tokens:
            raise SqlError("the statement is empty")
        word = tokens[0].text.upper()
        if word == "COPY":
            return Outcome(loading.copy(self, parse_copy(sql)))
        if word == "UNLOAD":
            statement = parse_unload(sql)
            return Outcome(loading.unload(self, statement, generate(self._translate(parse(statement.query)))))
        if kind := accepted.match(tokens):
            accepted.accept(self.cursor, kind, tokens, self._user)
            return Outcome(0)
        if refreshed := ddl.REFRESH.match(sql):
            return self._execute_all(ddl.refresh(self.cursor, refreshed["name"]))
        return self._tree(parse(sql))

    def _translate(self, tree: exp.Expr) -> exp.Expr:
        return translate(tree, parameters=self._parameters, user=self._user)

    def _tree(self, tree: exp.Expr) -> Outcome:
        if isinstance(tree, exp.Command):
            raise not_implemented(f"{tree.this} {str(tree.expression or '')[:60]}".strip())
        if isinstance(tree, exp.Transaction | exp.Commit | exp.Rollback):
            raise not_implemented(
                "transaction control: a batch is one transaction, a single statement commits by itself"
            )
        if isinstance(tree, exp.Set):
            return self._set(tree)
        if isinstance(tree, exp.Select) and tree.args.get("into"):
            return self._execute_all([generate(self._translate(tree))])
        tree = self._translate(tree)
        if isinstance(tree, exp.Query):
            return self._query(generate(tree))
        if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge):
            return Outcome(int(self.cursor.execute(generate(tree)).fetchall()[0][0]))
        if isinstance(tree, exp.TruncateTable):
            self.commit()  # Redshift: TRUNCATE commits the transaction in which it runs
            self.begin()
            outcome = self._execute_all([generate(tree)])
            self.commit()
            self.begin()
            return outcome
        if isinstance(tree, exp.Create):
            return self._execute_all(ddl.create(self.cursor, tree))
        if isinstance(tree, exp.Drop):
            return self._execute_all(ddl.drop(self.cursor, tree))
        if isinstance(tree, exp.Alter):
            return self._execute_all(ddl.alter(tree))
        if isinstance(tree, exp.Comment):
            return self._execute_all([generate(tree)])
        raise not_implemented(type(tree).__name__.upper())

    def _execute_all(self, statements: list[str]) -> Outcome:
        for statement in statements:
            self.cursor.execute(statement)
        return Outcome(0)

    def _query(self, sql: str) -> Outcome:
        relation = self.cursor.sql(sql)
        types = tuple(str(kind) for kind in relation.types)
        table = plain_integers(relation.to_arrow_table())
        return Outcome(table.num_rows, table, types)

    def _set(self, tree: exp.Set) -> Outcome:
        for item in tree.expressions:
            assignment = item.this
            name = assignment.this.name.lower() if isinstance(assignment, exp.EQ) else ""
            if name not in ACCEPTED_SETTINGS:
                raise not_implemented(f"SET {name or item.sql(dialect='redshift')}")
            if name == "search_path":
                schema = assignment.expression.name.lower()
                catalog.require_schema(self.cursor, schema)
                self.cursor.execute(f"SET search_path = {catalog.literal(f'{schema},{catalog.DEFAULT_SEARCH_PATH}')}")
        return Outcome(0)
