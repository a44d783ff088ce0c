"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES. Source: docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html."""

from dataclasses import dataclass, field

from embedded_aws.redshift.access import principals
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.rights import denied
from embedded_aws.redshift.access.state import SYSTEM_PRIVILEGES, Object, Principal
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.reader import Reader

RELATION = ("SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE")
_OF_KIND = {
    "relation": RELATION,
    "schema": ("CREATE", "USAGE", "ALTER", "DROP"),
    "database": ("CREATE", "USAGE", "TEMPORARY", "ALTER", "CREATE MODEL"),
    "function": ("EXECUTE",),
    "procedure": ("EXECUTE",),
    "model": ("EXECUTE",),
    "language": ("USAGE",),
    "system": tuple(sorted(SYSTEM_PRIVILEGES)),
}
_OF_COLUMNS = ("SELECT", "UPDATE")

Given = tuple[str, str, str, str | None, str, str, str]
_COLUMNS = ("object_kind", "schema_name", "object_name", "column_name", "privilege", "grantee_kind", "grantee")
_ROWS = f"(SELECT {', '.join(f'unnest(${n}::VARCHAR[]) AS {c}' for n, c in enumerate(_COLUMNS, 1))}) AS given"
_SAME = " AND ".join(f"grants.{column} = given.{column}" for column in _COLUMNS if column != "column_name")
_MANY = {"TABLES": "relation", "FUNCTIONS": "function", "PROCEDURES": "procedure"}


@dataclass
class Clause:
    """What comes before ON: privileges (each with its columns; None: the whole object), or roles."""

    privileges: list[tuple[str, list[str] | None]] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


def execute(access: Access, sql: str) -> None:
    """GRANT or REVOKE. Raises SqlError for names that do not exist, and for who may not grant."""
    reader = Reader(sql)
    give = reader.next().text.upper() == "GRANT"
    only_option = not give and any(reader.accept_all(word, "OPTION", "FOR") for word in ("GRANT", "ADMIN"))
    clause = _clause(reader)
    objects = _objects(access, reader) if reader.accept("ON") else None
    reader.expect("TO" if give else "FROM")
    grantees = _grantees(access, reader)
    option = reader.accept_all("WITH", "GRANT", "OPTION") or reader.accept_all("WITH", "ADMIN", "OPTION")
    if not give:
        reader.accept("CASCADE", "RESTRICT")
    reader.end()
    if clause.roles:
        _roles(access, clause.roles, grantees, give=give, option=option, only_option=only_option)
    else:
        if objects is None:
            model = [privilege for privilege, _ in clause.privileges] == ["CREATE MODEL"]
            objects = [("database", "", _database(access))] if model else [("system", "", "")]
        rows: list[Given] = []
        for target in objects:
            for privilege, column in _wanted(access, clause, target):
                _require_grantor(access, privilege, target)
                rows += [(*target, column, privilege, *grantee) for grantee in grantees]
        if give:
            give_all(access, rows, option=option)
        else:
            _take_all(access, rows, only_option=only_option)
    access.changed()


def alter_defaults(access: Access, sql: str) -> None:
    """ALTER DEFAULT PRIVILEGES [FOR USER u] [IN SCHEMA s] GRANT | REVOKE ... ON TABLES TO | FROM ..."""
    reader = Reader(sql)
    reader.accept_all("ALTER", "DEFAULT", "PRIVILEGES")
    creators, schemas = [access.user.lower()], [""]
    if reader.accept("FOR"):
        reader.accept("USER", "ROLE")
        creators = reader.names()
    if reader.accept_all("IN", "SCHEMA"):
        schemas = reader.names()
    give = reader.next().text.upper() == "GRANT"
    reader.accept_all("GRANT", "OPTION", "FOR")
    clause = _clause(reader)
    reader.expect("ON")
    word = reader.next().text.upper()
    if word not in _MANY:
        raise SqlError(f'syntax error at or near "{word}"')
    kind = _MANY[word]
    reader.expect("TO" if give else "FROM")
    grantees = _grantees(access, reader)
    option = reader.accept_all("WITH", "GRANT", "OPTION")
    reader.end()
    for creator in creators:
        principals.require(access, "user", creator)
        if creator != access.user.lower():
            access.require("ALTER DEFAULT PRIVILEGES", "must be superuser to alter default privileges of other users")
    for schema in filter(None, schemas):
        _require_schema(access, schema)
    for privilege, _ in _wanted(access, clause, (kind, "", "")):
        for row in [(c, s, kind, privilege, *g) for c in creators for s in schemas for g in grantees]:
            access.cursor.execute(
                "DELETE FROM _redshift.default_privileges WHERE creator = ? AND schema_name = ? AND object_kind = ? "
                "AND privilege = ? AND grantee_kind = ? AND grantee = ?",
                row,
            )
            if give:
                access.cursor.execute(
                    "INSERT INTO _redshift.default_privileges VALUES (?, ?, ?, ?, ?, ?, ?)", [*row, option]
                )
    access.changed()


def give_all(access: Access, rows: list[Given], *, option: bool) -> None:
    """Record privileges that are not there yet; the grant option is added, never taken."""
    access.cursor.execute(
        f"INSERT INTO _redshift.grants SELECT *, $8, $9 FROM {_ROWS} WHERE NOT EXISTS "  # noqa: S608
        f"(SELECT 1 FROM _redshift.grants WHERE {_SAME} AND grants.column_name IS NOT DISTINCT FROM given.column_name)",
        [*_by_column(rows), access.user.lower(), option],
    )
    if option:
        access.cursor.execute(
            f"UPDATE _redshift.grants SET grant_option = true FROM {_ROWS} "  # noqa: S608
            f"WHERE {_SAME} AND grants.column_name IS NOT DISTINCT FROM given.column_name",
            _by_column(rows),
        )


def _take_all(access: Access, rows: list[Given], *, only_option: bool) -> None:
    """A revoke on a table takes the privileges on its columns with it."""
    verb = (
        f"UPDATE _redshift.grants SET grant_option = false FROM {_ROWS}"  # noqa: S608
        if only_option
        else f"DELETE FROM _redshift.grants USING {_ROWS}"  # noqa: S608
    )
    access.cursor.execute(
        f"{verb} WHERE {_SAME} AND (given.column_name IS NULL OR grants.column_name = given.column_name)",
        _by_column(rows),
    )


def _by_column(rows: list[Given]) -> list[list[str | None]]:
    return [[row[n] for row in rows] for n in range(len(_COLUMNS))]


def _clause(reader: Reader) -> Clause:
    found = Clause()
    while True:
        if reader.accept("ROLE") or found.roles:
            found.roles.append(reader.name())
        else:
            found.privileges.append(_privilege(reader))
        if not reader.accept(","):
            return found


def _privilege(reader: Reader) -> tuple[str, list[str] | None]:
    words: list[str] = []
    while reader.peek() not in ("ON", "TO", "FROM", ",", "(", "FOR", ""):
        words.append(reader.next().text.upper())
    name = " ".join(words)
    if reader.peek() == "FOR" or name in ("ASSUMEROLE", "SHARE"):
        raise not_implemented(f"GRANT or REVOKE of {name} {reader.peek()}".strip())
    name = {"TEMP": "TEMPORARY", "ALL PRIVILEGES": "ALL"}.get(name, name)
    return name, reader.columns() if reader.peek() == "(" else None


def _wanted(access: Access, clause: Clause, target: Object) -> list[tuple[str, str | None]]:
    """(privilege, column or None) for one object. Raises SqlError for what its kind does not have."""
    kind, schema, name = target
    found: list[tuple[str, str | None]] = []
    for privilege, columns in clause.privileges:
        names = _OF_KIND[kind] if privilege == "ALL" and not columns else (privilege,)
        if columns is not None and privilege == "ALL":
            names = _OF_COLUMNS
        for wanted in names:
            if wanted not in _OF_KIND[kind] or (
                columns is not None and (kind != "relation" or wanted not in _OF_COLUMNS)
            ):
                raise SqlError(f"invalid privilege type {wanted} for {'column' if columns else kind}")
            found += [(wanted, column) for column in columns] if columns else [(wanted, None)]
        for column in columns or ():
            if column not in access.catalogue.relations[schema, name]:
                raise SqlError(f'column "{column}" of relation "{name}" does not exist')
    return found


def _objects(access: Access, reader: Reader) -> list[Object]:
    word = reader.peek()
    if word == "ALL":
        reader.next()
        many = reader.next().text.upper()
        if many not in _MANY or not reader.accept_all("IN", "SCHEMA"):
            raise SqlError(f'syntax error at or near "{many}"')
        if many != "TABLES":
            raise not_implemented(f"GRANT or REVOKE ON ALL {many}")
        schemas = reader.names()
        for schema in schemas:
            _require_schema(access, schema)
        return [("relation", s, n) for s, n in sorted(access.catalogue.relations) if s in schemas]
    if word == "SCHEMA":
        reader.next()
        return [("schema", "", _require_schema(access, name)) for name in reader.names()]
    if word == "DATABASE":
        reader.next()
        return [("database", "", _require_database(access, name)) for name in reader.names()]
    if word in ("LANGUAGE", "FUNCTION", "PROCEDURE", "MODEL"):
        reader.next()
        return _routines(reader, word.lower())
    if word in ("DATASHARE", "EXTERNAL", "COPY", "TEMPLATE"):
        raise not_implemented(f"GRANT or REVOKE ON {word}")
    reader.accept("TABLE")
    return [("relation", *access.relation(name)) for name in reader.names()]


def _routines(reader: Reader, kind: str) -> list[Object]:
    """Functions, procedures, models, languages by name; a signature tells overloads apart in Redshift, not here."""
    found: list[Object] = []
    while True:
        schema, _, name = reader.name().rpartition(".")
        if reader.peek() == "(":
            reader.parenthesised()
        found.append((kind, "" if kind == "language" else schema or "public", name))
        if not reader.accept(","):
            return found


def _grantees(access: Access, reader: Reader) -> list[Principal]:
    found: list[Principal] = []
    while True:
        kind = "user"
        if reader.accept_all("RLS", "POLICY"):
            kind = "rls"
        elif reader.accept("ROLE"):
            kind = "role"
        elif reader.accept("GROUP"):
            kind = "group"
        elif reader.accept("PUBLIC"):
            kind = "public"
        name = "public" if kind == "public" else reader.name()
        if kind != "rls":
            principals.require(access, kind, name)
        elif ("rls", name) not in access.state.policies:
            raise SqlError(f'RLS policy "{name}" does not exist')
        found.append((kind, name))
        if not reader.accept(","):
            return found


def _roles(
    access: Access, roles: list[str], grantees: list[Principal], *, give: bool, option: bool, only_option: bool
) -> None:
    for role in roles:
        principals.require(access, "role", role)
        if not access.superuser and not access.rights.has("GRANT ROLE") and not _administers(access, role):
            raise denied("role", role)
        for member in grantees:
            if member[0] not in ("user", "role"):
                raise SqlError(f'a role cannot be granted to {member[0]} "{member[1]}"')
            if give and _reaches(access, ("role", role), member):
                raise SqlError(f'role "{member[1]}" is a member of role "{role}"')
            if give or only_option:
                principals.add(access, member, ("role", role), admin_option=option)
            else:
                principals.remove(access, member, ("role", role))


def _administers(access: Access, role: str) -> bool:
    rows = access.cursor.execute(
        "SELECT member_kind, member FROM _redshift.memberships WHERE kind = 'role' AND name = ? AND admin_option",
        [role],
    ).fetchall()
    return any((kind, member) in access.rights.identities for kind, member in rows)


def _reaches(access: Access, start: Principal, wanted: Principal) -> bool:
    """Whether `start` is, or is a member of, `wanted`: granting would close a circle."""
    return start == wanted or any(_reaches(access, group, wanted) for group in access.state.groups.get(start, ()))


def _require_grantor(access: Access, privilege: str, target: Object) -> None:
    if access.superuser or access.rights.may_grant(privilege, *target):
        return
    raise denied(target[0], target[2] or privilege.lower())


def _require_schema(access: Access, name: str) -> str:
    if name not in access.catalogue.schemas:
        raise SqlError(f'schema "{name}" does not exist')
    return name


def _require_database(access: Access, name: str) -> str:
    if name != _database(access):
        raise SqlError(f'database "{name}" does not exist')
    return name


def _database(access: Access) -> str:
    return str(access.cursor.execute("SELECT current_database()").fetchall()[0][0])
