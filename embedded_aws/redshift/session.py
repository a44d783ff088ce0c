"""One connection to a database: what each kind of statement does in it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from embedded_aws.redshift import (
    accepted,
    catalog,
    ddl,
    drops,
    kinds,
    loading,
    materialized,
    model_calls,
    streams,
    views,
)
from embedded_aws.redshift.access import guard, objects
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.cells import plain_integers
from embedded_aws.redshift.dialect import generate, parse, tokenize
from embedded_aws.redshift.differences import ACCEPTED_SETTINGS
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.model_calls import Endpoints
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.storage import Storage
from embedded_aws.redshift.streams import StreamRecords
from embedded_aws.redshift.translate import translate

if TYPE_CHECKING:
    from embedded_aws.redshift.engine import Database


class Session:
    """One connection: its temporary tables and settings end with it."""

    def __init__(
        self,
        database: Database,
        cursor: duckdb.DuckDBPyConnection,
        access: Access,
        parameters: Mapping[str, str | None],
        *,
        alone: bool = False,
    ) -> None:
        self.cursor, self.access, self._database, self._parameters = cursor, access, database, parameters
        self.alone = alone  # a single statement, not a batch
        self.depth = 0  # of procedures that call procedures

    @property
    def user(self) -> str:
        return self.access.user

    def begin(self) -> None:
        self.cursor.execute("BEGIN")

    def commit(self) -> None:
        self.cursor.execute("COMMIT")
        if self.cursor is self.access.cursor:  # not a transaction beside the session's
            self.access.committed()

    def rollback(self) -> None:
        with contextlib.suppress(duckdb.Error):  # a failed COMMIT has rolled back already
            self.cursor.execute("ROLLBACK")

    def interrupt(self) -> None:
        """Stop the running statement (CancelStatement)."""
        self.cursor.interrupt()

    def owns(self, owner: str | None) -> bool:
        """Whether the user is the owner, or may do what an owner may: a superuser."""
        return self.user.lower() == (owner or "").lower() or self.access.superuser

    @contextlib.contextmanager
    def calling(self, user: str, arguments: Mapping[str, str | None]) -> Iterator[None]:
        """The statements of a procedure: as a user, with its arguments for parameters."""
        callers, self._parameters = self._parameters, arguments
        self.depth += 1
        try:
            with self.access.acting_as(user):
                yield
        finally:
            self._parameters = callers
            self.depth -= 1

    @contextlib.contextmanager
    def own_transaction(self) -> Iterator[None]:
        """Statements inside are a transaction beside the session's: they see what is committed, and commit."""
        outer = self.cursor
        with self._database.cursor() as self.cursor:
            try:
                self.begin()
                yield
                self.commit()
            except BaseException:
                self.rollback()
                raise
            finally:
                self.cursor = outer

    def resolve_role(self, role: str) -> str:
        """The ARN of `default` or of a named role. Raises SqlError for a role that the namespace does not have."""
        return self._database.roles().resolve(role)

    def storage(self, role: str) -> Storage:
        """S3 as `default` or a named role sees it. Raises SqlError for a role that the namespace does not have."""
        return self._database.storage(self.resolve_role(role))

    def endpoints(self, role: str) -> Endpoints:
        """SageMaker's endpoints as a role, given by its ARN, may use them."""
        return self._database.endpoints(role)

    @property
    def stream_records(self) -> StreamRecords:
        """What the consumers of streams have stored."""
        return self._database.streams

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that DuckDB may read and write; gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._database.scratch_folder) as folder:
            yield Path(folder)

    def record(self, error: loading.LoadError) -> None:
        """A line of sys_load_error_detail, outside of the failed transaction."""
        self.cursor.execute(
            "INSERT INTO _redshift.sys_load_error_detail "
            "VALUES (uuid(), current_database(), ?, now(), ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                error.table,
                error.file,
                error.line,
                error.column,
                error.type,
                error.length,
                error.code,
                error.message,
                self.user,
            ],
        )

    def execute(self, sql: str) -> Outcome:
        """Run one statement. Raises SqlError or duckdb.Error."""
        tokens = tokenize(sql)
        if not tokens:
            raise SqlError("the statement is empty")
        if words := kinds.named(tokens):
            return kinds.HANDLERS[words](self, sql)
        if kind := accepted.match(tokens):
            accepted.accept(self.access, kind, tokens)
            return Outcome()
        return self.execute_tree(parse(sql))

    def value(self, sql: str) -> Any:
        """The first cell of a query."""
        table = self.execute(sql).table
        return table[0][0].as_py() if table is not None and table.num_rows else None

    def translate(self, tree: exp.Expr) -> exp.Expr:
        """The tree as DuckDB means it, and as the user may run it. Raises SqlError."""
        tree = guard.check(self.access, translate(tree, parameters=self._parameters, user=self.user))
        return model_calls.rewrite_calls(self, tree)

    def execute_tree(self, tree: exp.Expr) -> Outcome:
        """Run one parsed statement. Raises SqlError or duckdb.Error."""
        kinds.kind_of(tree)
        if isinstance(tree, exp.Set):
            return self._set(tree)
        into = isinstance(tree, exp.Select) and tree.args.get("into")
        tree = self.translate(tree)
        if isinstance(tree, exp.Create):
            return self._create(tree)
        if isinstance(tree, exp.Drop):
            outcome = drops.drop(self, tree)
            objects.forget_dropped(self.access)
            return outcome
        if isinstance(tree, exp.Alter):
            return self._execute_all(ddl.alter(tree))
        if isinstance(tree, exp.Comment):
            return self._execute_all([generate(ddl.comment(self.cursor, tree))])
        streams.refuse_direct(self.cursor, tree)
        if into:
            return self._execute_all([generate(tree)])
        if isinstance(tree, exp.Query):
            return self.query(generate(tree))
        return self._change(tree)

    def _create(self, tree: exp.Create) -> Outcome:
        properties, query = tree.args.get("properties"), tree.expression
        materialized_view = properties and properties.find(exp.MaterializedProperty)
        if isinstance(query, exp.Query) and not materialized_view:
            streams.refuse_direct(self.cursor, query)
        if materialized_view:
            materialized.create(self, tree, query)
        elif tree.kind == "VIEW":
            views.create(self, tree)
        else:
            self._execute_all(ddl.create(self.cursor, tree))
        views.bind_pending(self.cursor)
        return Outcome()

    def _change(self, tree: exp.Expr) -> Outcome:
        target = catalog.target(tree)
        materialized.refuse_change(self, target)
        if isinstance(tree, exp.TruncateTable):
            self.commit()  # Redshift: TRUNCATE commits the transaction in which it runs
            self.begin()
            self._execute_all([generate(tree)])
            materialized.note_change(self.cursor, target)
            self.commit()
            self.begin()
            return Outcome()
        rows = int(self.cursor.execute(generate(tree)).fetchall()[0][0])
        if rows:
            materialized.note_change(self.cursor, target)
        return Outcome(rows)

    def _execute_all(self, statements: list[str]) -> Outcome:
        for statement in statements:
            self.cursor.execute(statement)
        return Outcome()

    def query(self, sql: str) -> Outcome:
        """Run a query of DuckDB's."""
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
                path = f"{schema},{catalog.DEFAULT_SEARCH_PATH}"
                self.cursor.execute(f"SET search_path = {catalog.literal(path)}")
                self.access.path = path.split(",")
        return Outcome()
