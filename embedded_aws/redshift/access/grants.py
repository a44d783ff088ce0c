"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES. Source: docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html."""

from embedded_aws.redshift.access import principals
from embedded_aws.redshift.access.clauses import (
    MANY,
    database,
    read_clause,
    read_grantees,
    read_objects,
    require_schema,
    wanted,
)
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.rights import denied
from embedded_aws.redshift.access.state import Object, Principal
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.reader import Reader

Given = tuple[str, str, str, str | None, str, str, str]
_COLUMNS = ("object_kind", "schema_name", "object_name", "column_name", "privilege", "grantee_kind", "grantee")
_ROWS = f"(SELECT {', '.join(f'unnest(${n}::VARCHAR[]) AS {c}' for n, c in enumerate(_COLUMNS, 1))}) AS given"
_SAME = " AND ".join(f"grants.{column} = given.{column}" for column in _COLUMNS if column != "column_name")


def execute(access: Access, sql: str) -> None:
    """GRANT or REVOKE. Raises SqlError for names that do not exist, and for who may not grant."""
    reader = Reader(sql)
    give = reader.next().text.upper() == "GRANT"
    only_option = not give and any(reader.accept_all(word, "OPTION", "FOR") for word in ("GRANT", "ADMIN"))
    clause = read_clause(reader)
    objects = read_objects(access, reader) if reader.accept("ON") else None
    reader.expect("TO" if give else "FROM")
    grantees = read_grantees(access, reader)
    option = reader.accept_all("WITH", "GRANT", "OPTION") or reader.accept_all("WITH", "ADMIN", "OPTION")
    if not give:
        reader.accept("CASCADE", "RESTRICT")
    reader.end()
    if clause.roles:
        _roles(access, clause.roles, grantees, give=give, option=option, only_option=only_option)
    else:
        if objects is None:
            model = [privilege for privilege, _ in clause.privileges] == ["CREATE MODEL"]
            objects = [("database", "", database(access))] if model else [("system", "", "")]
        rows: list[Given] = []
        for target in objects:
            for privilege, column in wanted(access, clause, target):
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
    clause = read_clause(reader)
    reader.expect("ON")
    word = reader.next().text.upper()
    if word not in MANY:
        raise SqlError(f'syntax error at or near "{word}"')
    kind = MANY[word]
    reader.expect("TO" if give else "FROM")
    grantees = read_grantees(access, reader)
    option = reader.accept_all("WITH", "GRANT", "OPTION")
    reader.end()
    for creator in creators:
        principals.require(access, "user", creator)
        if creator != access.user.lower():
            access.require("ALTER DEFAULT PRIVILEGES", "must be superuser to alter default privileges of other users")
    for schema in filter(None, schemas):
        require_schema(access, schema)
    for privilege, _ in wanted(access, clause, (kind, "", "")):
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
