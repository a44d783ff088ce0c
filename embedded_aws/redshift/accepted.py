"""Statements that are recognised, and recorded, but have no effect here."""

from sqlglot.tokens import Token, TokenType

from embedded_aws.redshift.access import guard
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.differences import ACCEPTED_ALTER_TABLE, ACCEPTED_ONLY


def match(tokens: list[Token]) -> tuple[str, ...] | None:
    """The accepted-only kind that a statement's leading words name, or None."""
    words = tuple(token.text.upper() for token in tokens[:3])
    if words[:2] == ("ALTER", "TABLE"):
        attribute = next(
            (token.text.upper() for token in tokens[3:] if token.text.upper() in ACCEPTED_ALTER_TABLE), None
        )
        return ("ALTER", "TABLE", attribute) if attribute else None
    return next((words[:size] for size in (3, 2, 1) if words[:size] in ACCEPTED_ONLY), None)


def accept(access: Access, kind: tuple[str, ...], tokens: list[Token]) -> None:
    """Record one accepted-only statement. Raises SqlError for ALTER TABLE by who may not alter the table."""
    if kind[0] == "ALTER":
        after = next(n for n, token in enumerate(tokens[3:], 3) if token.text != "." and tokens[n - 1].text != ".")
        guard.check_owner(
            access, "".join(token.text for token in tokens[2:after]), privilege="ALTER", system="ALTER TABLE"
        )
    access.cursor.execute(
        "INSERT INTO _redshift.accepted_statements VALUES (?, ?, ?, now())",
        [" ".join(kind), " ".join(_redacted(tokens)), access.user],
    )


def _redacted(tokens: list[Token]) -> list[str]:
    return ["'***'" if token.token_type == TokenType.STRING else token.text for token in tokens]
