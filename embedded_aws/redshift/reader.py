"""Reads a statement word by word, for the kinds that sqlglot does not parse."""

from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.tokens import Token, TokenType

from embedded_aws.redshift.dialect import tokenize
from embedded_aws.redshift.errors import SqlError, not_implemented

DEFAULT_ROLE = "default"
_STRINGS = (TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.RAW_STRING)


class Reader:
    """A place in a statement's tokens. Whatever is not as expected is a syntax error, as Redshift words it."""

    def __init__(self, sql: str) -> None:
        self._sql, self._at = sql.strip().rstrip(";"), 0
        self._tokens = tokenize(self._sql)

    def peek(self) -> str:
        return self._tokens[self._at].text.upper() if self._at < len(self._tokens) else ""

    def next(self) -> Token:
        if self._at >= len(self._tokens):
            raise SqlError("syntax error at end of input")
        self._at += 1
        return self._tokens[self._at - 1]

    def accept(self, *words: str) -> bool:
        """Step over one of the words, if it comes next."""
        if self.peek() in words:
            self._at += 1
            return True
        return False

    def accept_all(self, *words: str) -> bool:
        """Step over the words in their order, if they come next."""
        ahead = [token.text.upper() for token in self._tokens[self._at : self._at + len(words)]]
        if ahead == list(words):
            self._at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            token = self.next()
            if token.text.upper() != word:
                raise SqlError(f'syntax error at or near "{token.text}"')

    def string(self) -> str:
        token = self.next()
        if token.token_type not in _STRINGS:
            raise SqlError(f'syntax error at or near "{token.text}"')
        return token.text

    def verbatim(self) -> str:
        """A string or word as written: '\\N' keeps its backslash."""
        token = self.next()
        if token.token_type != TokenType.STRING:
            return token.text
        return self._sql[token.start + 1 : token.end].replace("''", "'")

    def name(self) -> str:
        parts = [self.next().text]
        while self.accept("."):
            parts.append(self.next().text)
        return ".".join(parts).lower()

    def qualified(self) -> tuple[str, str]:
        """(schema, name); the schema is `public` when none is written."""
        schema, _, name = self.name().rpartition(".")
        return schema or "public", name

    def role(self) -> str:
        """What follows IAM_ROLE: `default` or an ARN."""
        return DEFAULT_ROLE if self.accept("DEFAULT") else self.string()

    def parenthesised(self) -> list[str]:
        """The items of a parenthesised list as written, split at its own commas."""
        self.expect("(")
        items, depth, start = [], 0, self._at
        while True:
            token = self.next()
            if token.token_type == TokenType.L_PAREN:
                depth += 1
            closes = token.token_type == TokenType.R_PAREN
            if depth == 0 and (closes or token.token_type == TokenType.COMMA):
                items.append(self._text(start, self._at - 1))
                start = self._at
                if closes:
                    return [item for item in items if item] if items == [""] else items
            depth -= closes

    def data_type(self) -> exp.DataType:
        """A type name, with its length or precision."""
        start = self._at
        self.next()
        self.accept("PRECISION", "VARYING")
        if self.peek() == "(":
            self.parenthesised()
        return data_type(self._text(start, self._at))

    def _text(self, start: int, end: int) -> str:
        return self._sql[self._tokens[start].start : self._tokens[end - 1].end + 1] if end > start else ""

    def done(self) -> bool:
        return self._at >= len(self._tokens)

    def end(self) -> None:
        """Nothing may be left."""
        if not self.done():
            raise SqlError(f'syntax error at or near "{self.next().text}"')


def data_type(text: str) -> exp.DataType:
    """Redshift's type of that name. Raises SqlError."""
    try:
        kind = exp.DataType.build(text, dialect="redshift")
    except ParseError as error:
        raise SqlError(f'type "{text}" does not exist') from error
    if kind.this in (exp.DType.UNKNOWN, exp.DType.USERDEFINED):
        raise not_implemented(f'the type "{text}"')
    return kind
