"""Users, roles and groups: made, altered, dropped, and made members of each other."""

from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.state import SYSTEM_ROLES
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.reader import Reader

VERBS = ("CREATE", "ALTER", "DROP")
KINDS = ("USER", "ROLE", "GROUP")

# Attributes of a user: (number of values, whether it is without effect here)
_ATTRIBUTES = {
    "PASSWORD": 1, "VALID": 2, "SYSLOG": 2, "CONNECTION": 2, "SESSION": 2, "EXTERNALID": 1, "CREATEDB": 0,
    "NOCREATEDB": 0, "ABORT": 0,
}  # fmt: skip


def exists(access: Access, kind: str, name: str) -> bool:
    """Whether there is such a user, role or group."""
    if kind == "role" and name in SYSTEM_ROLES:
        return True
    found = access.cursor.execute("SELECT 1 FROM _redshift.principals WHERE kind = ? AND name = ?", [kind, name])
    return bool(found.fetchall())


def require(access: Access, kind: str, name: str) -> None:
    """Raise SqlError unless there is such a user, role or group; PUBLIC always is."""
    if kind != "public" and not exists(access, kind, name):
        raise SqlError(f'{kind} "{name}" does not exist')


def execute(access: Access, sql: str) -> None:
    """CREATE, ALTER or DROP of a USER, ROLE or GROUP. Raises SqlError."""
    reader = Reader(sql)
    verb, kind = reader.next().text.upper(), reader.next().text.lower()
    if_exists = reader.accept_all("IF", "EXISTS")
    name = reader.name()
    access.require(f"{verb} {kind.upper()}", f"permission denied to {verb.lower()} {kind}")
    if verb == "CREATE":
        _create(access, kind, name, reader)
    elif not exists(access, kind, name):
        if not if_exists:
            raise SqlError(f'{kind} "{name}" does not exist')
    elif verb == "DROP":
        force = reader.accept("FORCE")
        reader.accept("RESTRICT")
        _drop(access, kind, name, force=force)
    else:
        _alter(access, kind, name, reader)
    access.changed()


def ensure_user(access: Access) -> None:
    """IAM callers become database users, without any rights, at their first connection."""
    name = access.user.lower()
    if not exists(access, "user", name):
        _insert(access, "user", name)
        access.changed()


def add(access: Access, member: tuple[str, str], group: tuple[str, str], *, admin_option: bool = False) -> None:
    """Make a principal a member of a group or role; a second time only adds the admin option."""
    remove(access, member, group)
    access.cursor.execute("INSERT INTO _redshift.memberships VALUES (?, ?, ?, ?, ?)", [*member, *group, admin_option])


def remove(access: Access, member: tuple[str, str], group: tuple[str, str]) -> None:
    """End a membership, if there is one."""
    access.cursor.execute(
        "DELETE FROM _redshift.memberships WHERE member_kind = ? AND member = ? AND kind = ? AND name = ?",
        [*member, *group],
    )


def _insert(access: Access, kind: str, name: str, *, superuser: bool = False) -> None:
    access.cursor.execute(
        "INSERT INTO _redshift.principals (kind, name, superuser) VALUES (?, ?, ?)", [kind, name, superuser]
    )


def _create(access: Access, kind: str, name: str, reader: Reader) -> None:
    if exists(access, kind, name):
        raise SqlError(f'{kind} "{name}" already exists')
    if kind == "role" and name.startswith("sys:"):
        raise SqlError(f'role name "{name}" is reserved')
    reader.accept("WITH")
    if kind == "user":
        superuser, groups = _attributes(access, reader)
        _insert(access, kind, name, superuser=bool(superuser))
        for group in groups:
            require(access, "group", group)
            add(access, ("user", name), ("group", group))
        return
    _insert(access, kind, name)
    if kind == "group" and reader.accept("USER"):
        for user in reader.names():
            require(access, "user", user)
            add(access, ("user", user), ("group", name))
    elif kind == "role" and reader.accept("EXTERNALID"):
        reader.next()
    reader.end()


def _alter(access: Access, kind: str, name: str, reader: Reader) -> None:
    if reader.accept_all("RENAME", "TO"):
        raise not_implemented(f"ALTER {kind.upper()} ... RENAME")
    adds = reader.accept("ADD")
    if kind == "group" and (adds or reader.accept("DROP")):
        reader.expect("USER")
        for user in reader.names():
            require(access, "user", user)
            (add if adds else remove)(access, ("user", user), ("group", name))
        return reader.end()
    reader.accept("WITH")
    if kind == "user":
        superuser, _ = _attributes(access, reader)
        if superuser is not None:
            access.cursor.execute(
                "UPDATE _redshift.principals SET superuser = ? WHERE kind = 'user' AND name = ?", [superuser, name]
            )
        return None
    if not reader.accept("EXTERNALID"):
        raise not_implemented(f"ALTER {kind.upper()} {reader.peek()}")
    reader.accept("TO")
    reader.next()
    return reader.end()


def _attributes(access: Access, reader: Reader) -> tuple[bool | None, list[str]]:
    """(superuser, groups) of CREATE or ALTER USER; CREATEUSER means superuser."""
    superuser: bool | None = None
    groups: list[str] = []
    while not reader.done():
        word = reader.next().text.upper()
        if word in ("CREATEUSER", "NOCREATEUSER"):
            superuser = word == "CREATEUSER"
        elif word == "IN":
            reader.expect("GROUP")
            groups = reader.names()
        elif word in _ATTRIBUTES:
            for _ in range(_ATTRIBUTES[word]):
                reader.next()
        elif word != ";":
            raise not_implemented(f"the attribute {word} of a user")
    if superuser and not access.superuser:
        raise SqlError("must be superuser to create superusers")
    return superuser, groups


def _drop(access: Access, kind: str, name: str, *, force: bool) -> None:
    """Refused while the principal has something: Redshift drops nothing of it by itself."""
    owned, granted, members = (
        access.cursor.execute(f"SELECT COUNT(*) FROM _redshift.{condition}", [*values]).fetchall()[0][0]  # noqa: S608
        for condition, values in (
            ("owners WHERE owner = ?", [name]),
            ("grants WHERE grantee_kind = ? AND grantee = ?", [kind, name]),
            ("memberships WHERE kind = ? AND name = ?", [kind, name]),
        )
    )
    if kind == "user" and owned:
        raise SqlError(f'user "{name}" can\'t be dropped because the user owns some object')
    if kind != "role" and granted:
        raise SqlError(f'{kind} "{name}" can\'t be dropped because the {kind} has a privilege on some object')
    if kind == "role" and members and not force:
        raise SqlError(f'role "{name}" can\'t be dropped because it is granted to users or roles')
    for table, columns in (
        ("principals", "kind = ? AND name = ?"),
        ("grants", "grantee_kind = ? AND grantee = ?"),
        ("default_privileges", "grantee_kind = ? AND grantee = ?"),
        ("attachments", "grantee_kind = ? AND grantee = ?"),
        ("memberships", "kind = ? AND name = ?"),
        ("memberships", "member_kind = ? AND member = ?"),
    ):
        access.cursor.execute(f"DELETE FROM _redshift.{table} WHERE {columns}", [kind, name])  # noqa: S608
