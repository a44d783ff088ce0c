"""Statements that are recognised, checked for the names they mention, and recorded, but have no effect here."""

import duckdb
from sqlglot.tokens import Token, TokenType

from embedded_aws.redshift.catalog import require_relation, require_schema
from embedded_aws.redshift.differences import ACCEPTED_ALTER_TABLE, ACCEPTED_ONLY
from embedded_aws.redshift.errors import SqlError

_PRINCIPALS = {"USER": "user", "ROLE": "role", "GROUP": "group"}


def match(tokens: list[Token]) -> tuple[str, ...] | None:
    """The accepted-only kind that a statement's leading words name, or None."""
    words = tuple(token.text.upper() for token in tokens[:3])
    if words[:2] == ("ALTER", "TABLE"):
        attribute = next(
            (token.text.upper() for token in tokens[3:] if token.text.upper() in ACCEPTED_ALTER_TABLE), None
        )
        return ("ALTER", "TABLE", attribute) if attribute else None
    return next((words[:size] for size in (3, 2, 1) if words[:size] in ACCEPTED_ONLY), None)


def accept(cursor: duckdb.DuckDBPyConnection, kind: tuple[str, ...], tokens: list[Token], caller: str) -> None:
    """Check and record one accepted-only statement. Raises SqlError for a name that does not exist."""
    if kind[0] in ("GRANT", "REVOKE"):
        _check_grant(cursor, tokens, "TO" if kind[0] == "GRANT" else "FROM")
    elif len(kind) == 2 and kind[1] in _PRINCIPALS and len(tokens) > 2:
        _principal(cursor, kind[0], _PRINCIPALS[kind[1]], tokens)
    cursor.execute(
        "INSERT INTO _redshift.accepted_statements VALUES (?, ?, ?, now())",
        [" ".join(kind), " ".join(_redacted(tokens)), caller],
    )


def ensure_user(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """IAM callers become database users at their first connection."""
    if not _exists(cursor, "user", name):
        cursor.execute("INSERT INTO _redshift.principals VALUES ('user', ?)", [name.lower()])


def _redacted(tokens: list[Token]) -> list[str]:
    return ["'***'" if token.token_type == TokenType.STRING else token.text for token in tokens]


def _exists(cursor: duckdb.DuckDBPyConnection, kind: str, name: str) -> bool:
    found = cursor.execute("SELECT 1 FROM _redshift.principals WHERE kind = ? AND name = ?", [kind, name.lower()])
    return bool(found.fetchall())


def _principal(cursor: duckdb.DuckDBPyConnection, verb: str, kind: str, tokens: list[Token]) -> None:
    words = [token.text.upper() for token in tokens]
    if_exists = words[2:4] == ["IF", "EXISTS"]
    name = tokens[4 if if_exists else 2].text.lower()
    exists = _exists(cursor, kind, name)
    if verb == "CREATE" and exists:
        raise SqlError(f'{kind} "{name}" already exists')
    if verb != "CREATE" and not exists and not if_exists:
        raise SqlError(f'{kind} "{name}" does not exist')
    if verb == "CREATE":
        cursor.execute("INSERT INTO _redshift.principals VALUES (?, ?)", [kind, name])
    elif verb == "DROP":
        cursor.execute("DELETE FROM _redshift.principals WHERE kind = ? AND name = ?", [kind, name])


def _check_grant(cursor: duckdb.DuckDBPyConnection, tokens: list[Token], preposition: str) -> None:
    words = [token.text.upper() for token in tokens]
    if preposition not in words:
        raise SqlError(f'syntax error at or near "{tokens[-1].text}"')
    at = len(words) - 1 - words[::-1].index(preposition)
    for kind, name in _grantees(tokens[at + 1 :]):
        if not (kind == "user" and name == "public") and not _exists(cursor, kind, name):
            raise SqlError(f'{kind} "{name}" does not exist')
    if "ON" in words[:at]:
        _check_objects(cursor, tokens[words.index("ON") + 1 : at])
    elif words[1] == "ROLE" and not _exists(cursor, "role", tokens[2].text):
        raise SqlError(f'role "{tokens[2].text.lower()}" does not exist')


def _grantees(tokens: list[Token]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    kind = "user"
    for token in tokens:
        word = token.text.upper()
        if word == "WITH":
            break
        if token.token_type == TokenType.COMMA:
            kind = "user"
        elif word in ("ROLE", "GROUP") and token.token_type != TokenType.IDENTIFIER:
            kind = word.lower()
        else:
            found.append((kind, token.text.lower()))
    return found


def _check_objects(cursor: duckdb.DuckDBPyConnection, tokens: list[Token]) -> None:
    words = [token.text.upper() for token in tokens]
    if words[0] in ("DATABASE", "FUNCTION", "PROCEDURE", "LANGUAGE", "MODEL", "DATASHARE"):
        return
    schemas = "SCHEMA" in words
    names = tokens[words.index("SCHEMA") + 1 :] if schemas else tokens[1 if words[0] == "TABLE" else 0 :]
    for name in "".join(token.text for token in names).split(","):
        if schemas:
            require_schema(cursor, name)
        else:
            require_relation(cursor, name)
