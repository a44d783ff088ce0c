"""The rights of one session: read once per commit that changes them, or anew within the transaction that did."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from importlib.resources import files
from typing import Generic, TypeVar

import duckdb

from embedded_aws.redshift import catalog
from embedded_aws.redshift.access.rights import Rights, denied
from embedded_aws.redshift.access.state import Catalogue, State, load_catalogue, load_state
from embedded_aws.redshift.errors import SqlError

T = TypeVar("T")


class Shared(Generic[T]):
    """What is committed, read once for all sessions of a database."""

    def __init__(self, load: Callable[[duckdb.DuckDBPyConnection], T]) -> None:
        self.load = load
        self._version = 0
        self._kept: tuple[int, T] | None = None

    def get(self, cursor: duckdb.DuckDBPyConnection) -> T:
        version, kept = self._version, self._kept
        if kept is None or kept[0] != version:
            kept = self._kept = version, self.load(cursor)
        return kept[1]

    def outdated(self) -> None:
        """A transaction that changed something has been committed."""
        self._version += 1


class Snapshots:
    """The committed catalogue and state of a database."""

    def __init__(self) -> None:
        self.catalogue = Shared(load_catalogue)
        self.state = Shared(load_state)


class _Own(Generic[T]):
    """One session's view of something shared: its own reading once it has changed it, until it commits."""

    def __init__(self, shared: Shared[T], cursor: duckdb.DuckDBPyConnection) -> None:
        self._shared, self._cursor = shared, cursor
        self._changed = False
        self._value: T | None = None

    def get(self) -> T:
        if self._value is None:
            self._value = self._shared.load(self._cursor) if self._changed else self._shared.get(self._cursor)
        return self._value

    def changed(self) -> None:
        self._changed, self._value = True, None

    def committed(self) -> None:
        if self._changed:
            self._shared.outdated()
        self._changed, self._value = False, None


def initialise(connection: duckdb.DuckDBPyConnection, admin: str) -> None:
    """Make the tables and, once, the admin and what PUBLIC may do from the start (r_Privileges.html)."""
    connection.execute(files(__package__).joinpath("access.sql").read_text())
    known = connection.execute(
        "SELECT 1 FROM _redshift.principals WHERE kind = 'user' AND name = ? AND superuser", [admin.lower()]
    )
    if known.fetchall():
        return
    connection.execute(
        "INSERT INTO _redshift.principals (kind, name, superuser) VALUES ('user', ?, true)", [admin.lower()]
    )
    connection.execute(
        """
        INSERT INTO _redshift.grants
        SELECT kind, '', name, NULL, privilege, 'public', 'public', ?, false FROM (VALUES
            ('schema', 'public', 'USAGE'), ('schema', 'public', 'CREATE'),
            ('database', current_database(), 'TEMPORARY'),
            ('language', 'sql', 'USAGE'), ('language', 'plpgsql', 'USAGE')
        ) AS from_the_start (kind, name, privilege)
        """,
        [admin.lower()],
    )


class Access:
    """Who asks in a session, and what names mean to them: `path` is the search path, `temporary` their own tables."""

    def __init__(
        self, snapshots: Snapshots, cursor: duckdb.DuckDBPyConnection, user: str, roles: Collection[str], admin: str
    ) -> None:
        self.cursor, self.user, self.admin, self._roles = cursor, user, admin, roles
        self._catalogue, self._state = _Own(snapshots.catalogue, cursor), _Own(snapshots.state, cursor)
        self._rights: Rights | None = None
        self.path = catalog.DEFAULT_SEARCH_PATH.split(",")
        self.temporary: set[str] = set()

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue.get()

    @property
    def state(self) -> State:
        return self._state.get()

    @property
    def rights(self) -> Rights:
        if self._rights is None:
            self._rights = self.rights_of(self.user, self._roles)
        return self._rights

    def rights_of(self, user: str, roles: Collection[str] = ()) -> Rights:
        """The rights of a user, with the roles that only this session gives."""
        return Rights(self.state, self.catalogue, user, roles)

    def rights_within(self, policy: str) -> Rights:
        """The user's rights inside a row-level security policy: what was granted to the policy comes on top."""
        return self.rights_of(self.user, self._roles).with_identity(("rls", policy))

    def owner(self, schema: str, name: str) -> Rights:
        """The rights of a relation's owner."""
        return self.rights_of(self.state.owners.get(("relation", schema, name), self.admin))

    def bypasses(self) -> bool:
        """Whether nothing of the user needs a check: superusers do, but for views of owners who are none."""
        owned = (key for key in self.state.owners if key[0] == "relation" and key[1:] in self.catalogue.views)
        return self.superuser and next(owned, None) is None

    @property
    def superuser(self) -> bool:
        """The admin is one without a look into the state, which each of its statements may have changed."""
        return self.user.lower() == self.admin.lower() or self.rights.superuser

    @contextlib.contextmanager
    def acting_as(self, user: str) -> Iterator[None]:
        """Statements inside run as another user: the owner of a procedure that is SECURITY DEFINER."""
        caller = self.user, self._roles
        if user.lower() != self.user.lower():
            self.user, self._roles, self._rights = user, (), None
        try:
            yield
        finally:
            (self.user, self._roles), self._rights = caller, None

    def changed(self, *, catalogue: bool = False) -> None:
        """A statement of this session changed privileges or policies, or (`catalogue`) what exists."""
        self._rights = None
        self._state.changed()
        if catalogue:
            self._catalogue.changed()

    def committed(self) -> None:
        self._rights = None
        self._state.committed()
        self._catalogue.committed()

    def require(self, system: str, message: str = "") -> None:
        """Raise SqlError unless the user is a superuser or has a system privilege."""
        if not self.superuser and not self.rights.has(system):
            raise SqlError(message or f"permission denied to {system.lower()}")

    def knows(self, schema: str, name: str) -> bool:
        """Whether a name means a permanent relation."""
        return any((candidate, name) in self.catalogue.relations for candidate in ([schema] if schema else self.path))

    def resolve(self, schema: str, name: str) -> tuple[str, str]:
        """(schema, name) of a permanent relation, by the search path when no schema is given. Raises SqlError."""
        for candidate in [schema] if schema else self.path:
            if (candidate, name) in self.catalogue.relations:
                return candidate, name
        if schema and schema not in self.catalogue.schemas:
            raise SqlError(f'schema "{schema}" does not exist')
        raise SqlError(f'relation "{f"{schema}." if schema else ""}{name}" does not exist')

    def require_create(self, schema: str, *, system: str = "") -> None:
        """Raise SqlError unless the user may make things in a schema."""
        if not self.superuser and not self.rights.may("CREATE", "schema", "", schema, system=system):
            raise denied("schema", schema)

    def require_on_database(self, privilege: str, *, system: str = "") -> None:
        """Raise SqlError unless the user has a privilege on the database."""
        database = str(self.cursor.execute("SELECT current_database()").fetchall()[0][0])
        if not self.superuser and not self.rights.may(privilege, "database", "", database, system=system):
            raise denied("database", database)

    def require_execute(self, kind: str, schema: str, name: str) -> None:
        """Raise SqlError unless the user may run a function, procedure or model."""
        if not self.superuser:
            self.rights.require_usage(schema)
            if not self.rights.may("EXECUTE", kind, schema, name):
                raise denied(kind, name)

    def relation(self, written: str) -> tuple[str, str]:
        """(schema, name) of `lending.loans` or `loans`. Raises SqlError when there is none, or when it is temporary."""
        *schema, name = written.split(".")
        if not schema and name in self.temporary:
            raise SqlError(f'"{name}" is a temporary table: only its session sees it')
        return self.resolve(schema[-1] if schema else "", name)
