"""The clauses of GRANT and REVOKE: which privileges, on what, to whom."""

from dataclasses import dataclass, field

from embedded_aws.redshift.access import principals
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.state import SYSTEM_PRIVILEGES, Object, Principal
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.reader import Reader

_RELATION = ("SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE")
_OF_KIND = {
    "relation": _RELATION,
    "schema": ("CREATE", "USAGE", "ALTER", "DROP"),
    "database": ("CREATE", "USAGE", "TEMPORARY", "ALTER", "CREATE MODEL"),
    "function": ("EXECUTE",),
    "procedure": ("EXECUTE",),
    "model": ("EXECUTE",),
    "language": ("USAGE",),
    "system": tuple(sorted(SYSTEM_PRIVILEGES)),
}
_OF_COLUMNS = ("SELECT", "UPDATE")

MANY = {"TABLES": "relation", "FUNCTIONS": "function", "PROCEDURES": "procedure"}


@dataclass
class Clause:
    """What comes before ON: privileges (each with its columns; None: the whole object), or roles."""

    privileges: list[tuple[str, list[str] | None]] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


def read_clause(reader: Reader) -> Clause:
    """Everything before ON, TO or FROM."""
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


def wanted(access: Access, clause: Clause, target: Object) -> list[tuple[str, str | None]]:
    """(privilege, column or None) for one object. Raises SqlError for what its kind does not have."""
    kind, schema, name = target
    found: list[tuple[str, str | None]] = []
    for privilege, columns in clause.privileges:
        names = _OF_KIND[kind] if privilege == "ALL" and not columns else (privilege,)
        if columns is not None and privilege == "ALL":
            names = _OF_COLUMNS
        possible = _OF_KIND[kind] if columns is None else _OF_COLUMNS if kind == "relation" else ()
        for each in names:
            if each not in possible:
                raise SqlError(f"invalid privilege type {each} for {'column' if columns else kind}")
            found += [(each, column) for column in columns] if columns else [(each, None)]
        for column in columns or ():
            if column not in access.catalogue.relations.get((schema, name), ()):
                raise SqlError(f'column "{column}" of relation "{name}" does not exist')
    return found


def read_objects(access: Access, reader: Reader) -> list[Object]:
    """What comes after ON. Raises SqlError for what does not exist."""
    word = reader.peek()
    if word == "ALL":
        reader.next()
        many = reader.next().text.upper()
        if many not in MANY or not reader.accept_all("IN", "SCHEMA"):
            raise SqlError(f'syntax error at or near "{many}"')
        if many != "TABLES":
            raise not_implemented(f"GRANT or REVOKE ON ALL {many}")
        schemas = reader.names()
        for schema in schemas:
            require_schema(access, schema)
        return [("relation", s, n) for s, n in sorted(access.catalogue.relations) if s in schemas]
    if word == "SCHEMA":
        reader.next()
        return [("schema", "", require_schema(access, name)) for name in reader.names()]
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


def read_grantees(access: Access, reader: Reader) -> list[Principal]:
    """What comes after TO or FROM. Raises SqlError for who does not exist."""
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


def require_schema(access: Access, name: str) -> str:
    """The name, when there is such a schema. Raises SqlError."""
    if name not in access.catalogue.schemas:
        raise SqlError(f'schema "{name}" does not exist')
    return name


def _require_database(access: Access, name: str) -> str:
    if name != database(access):
        raise SqlError(f'database "{name}" does not exist')
    return name


def database(access: Access) -> str:
    """The name of the database."""
    return str(access.cursor.execute("SELECT current_database()").fetchall()[0][0])
