"""One Redshift database as a DuckDB file: sessions, transactions, statements.

Readers see the last commit (DuckDB's snapshots); writers wait for each other. The engine knows nothing of HTTP or of
the control plane: callers, roles and S3 come in through its constructor and `run`.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from embedded_aws.redshift import catalog, loading, model_calls
from embedded_aws.redshift.access import context, principals
from embedded_aws.redshift.errors import SqlError, from_duckdb
from embedded_aws.redshift.model_calls import Endpoints
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.reader import DEFAULT_ROLE
from embedded_aws.redshift.session import Session
from embedded_aws.redshift.storage import Storage
from embedded_aws.redshift.streams import NoStreams, StreamRecords

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns about every statement that it keeps as a command

_READS = ("SELECT", "WITH", "(")


@dataclass(frozen=True)
class Roles:
    """The IAM roles of a namespace: the default one, and all that COPY and UNLOAD may name."""

    default: str | None
    associated: tuple[str, ...]

    def resolve(self, role: str) -> str:
        """`default` or an ARN to the ARN of an associated role. Raises SqlError."""
        if role == DEFAULT_ROLE:
            if not self.default:
                raise SqlError(
                    "The cluster does not have a default IAM role", detail="Set DefaultIamRoleArn of the namespace."
                )
            return self.default
        if role not in self.associated:
            raise SqlError(
                f"User is not authorized to assume IAM Role {role}", detail="Associate it with the namespace."
            )
        return role


class Database:
    """A database of a namespace; the file is made when it does not exist."""

    def __init__(
        self,
        path: Path,
        *,
        storage: Callable[[str], Storage],
        roles: Callable[[], Roles],
        endpoints: Callable[[str], Endpoints] = model_calls.nowhere,
        streams: StreamRecords | None = None,
        superuser: str = "admin",
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = path.parent / "scratch"
        self._scratch.mkdir(exist_ok=True)
        self._connection = duckdb.connect(str(path))
        for setting in (
            "memory_limit = '1GB'",
            # Redshift keeps none. Keeping it, DuckDB 2.0.0 loses rows of a transaction: test_redshift_copy.py.
            "preserve_insertion_order = false",
            "python_enable_replacements = false",  # an unknown relation is an error, not a Python variable
            f"allowed_directories = [{catalog.literal(str(self._scratch))}]",
            "enable_external_access = false",  # or FROM 'file' would read the laptop's files
        ):
            self._connection.execute(f"SET GLOBAL {setting}")
        self._connection.execute(files(__package__).joinpath("catalog.sql").read_text())
        context.initialise(self._connection, superuser)
        model_calls.register(self._connection, endpoints)
        self.storage, self.roles, self.scratch_folder = storage, roles, self._scratch
        self.endpoints, self.streams, self.superuser = endpoints, streams or NoStreams(), superuser
        self._snapshots = context.Snapshots()
        self._writer = threading.RLock()
        self._users: set[str] = set()

    def run(
        self,
        statements: Sequence[str],
        *,
        user: str,
        roles: Collection[str] = (),
        parameters: Mapping[str, str] | None = None,
        started: Callable[[int, Session], None] = lambda index, session: None,
        finished: Callable[[int, Outcome], None] = lambda index, outcome: None,
    ) -> None:
        """Run statements in order as one transaction; nothing stays when one fails (but see TRUNCATE).

        `roles` are database roles that the user has for this session alone (the tag RedshiftDbRoles of an IAM role).
        `started` and `finished` are called around each statement. Raises SqlError, in Redshift's words.
        """
        sql = ""
        reading = all(sql.lstrip().upper().startswith(_READS) for sql in statements)
        with (
            contextlib.nullcontext() if reading else self._writer,
            self._session(user, roles, parameters or {}, alone=len(statements) == 1) as session,
        ):
            try:
                session.begin()
                for index, sql in enumerate(statements):
                    started(index, session)
                    finished(index, session.execute(sql))
                session.commit()
            except loading.LoadFailedError as error:
                session.rollback()
                session.record(error.error)
                raise
            except duckdb.Error as error:
                session.rollback()
                raise from_duckdb(error, sql) from error
            except BaseException:
                session.rollback()
                raise

    def connect(self, user: str) -> None:
        """A caller's first connection makes its database user."""
        if user in self._users:
            return
        with self._writer, self._session(user, (), {}) as session:
            session.begin()
            principals.ensure_user(session.access)
            session.commit()
        self._users.add(user)

    def close(self) -> None:
        """Write everything to the file."""
        with self._writer:
            self._connection.close()

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the file, with the settings of a session."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("SET integer_division = true; SET TimeZone = 'UTC'")
            cursor.execute(f"SET search_path = '{catalog.DEFAULT_SEARCH_PATH}'")
            yield cursor
        finally:
            cursor.close()

    @contextlib.contextmanager
    def _session(
        self, user: str, roles: Collection[str], parameters: Mapping[str, str], *, alone: bool = False
    ) -> Iterator[Session]:
        with self.cursor() as cursor:
            access = context.Access(self._snapshots, cursor, user, roles, self.superuser)
            yield Session(self, cursor, access, parameters, alone=alone)
