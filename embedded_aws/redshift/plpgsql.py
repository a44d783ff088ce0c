"""The body of a stored procedure: BEGIN statement; ... END. Parsed from tokens, checked as a whole, then run.

A statement's text stays as it was written, but for the procedure's arguments: their names become parameters, cast to
their types, so that a value is never part of SQL text.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlglot.tokens import Token, TokenType

from embedded_aws.redshift.dialect import tokenize
from embedded_aws.redshift.errors import SqlError, not_implemented

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

_REFUSED = ("DECLARE", "LOOP", "WHILE", "FOR", "EXIT", "CONTINUE", "RETURN", "GET", "PERFORM", "COMMIT", "ROLLBACK",
            "OPEN", "FETCH", "CLOSE", "EXCEPTION", "BEGIN", "ELSIF", "ELSEIF", "SELECT", "WITH")  # fmt: skip


class Argument(NamedTuple):
    """An input argument; the name may be empty."""

    name: str
    type: str


@dataclass(frozen=True)
class Run:
    """A statement."""

    sql: str


@dataclass(frozen=True)
class Raise:
    """RAISE EXCEPTION: `%` of the message stand for the values of the expressions."""

    message: str
    expressions: tuple[str, ...]


@dataclass(frozen=True)
class If:
    """IF condition THEN ... [ELSE ...] END IF."""

    condition: str
    then: list["Step"] = field(default_factory=list)
    otherwise: list["Step"] = field(default_factory=list)


Step = Run | Raise | If


def parse_body(body: str, arguments: list[Argument]) -> list[Step]:
    """The steps of a body. Raises SqlError for what is no PL/pgSQL, or is not implemented."""
    return _Body(body, {argument.name: argument.type for argument in arguments if argument.name}).steps()


def run(session: "Session", steps: list[Step], *, each_commits: bool) -> None:
    """Run the steps in the caller's transaction; a NONATOMIC procedure outside of a batch commits after each."""
    for step in steps:
        if isinstance(step, If):
            taken = session.value(f"SELECT CASE WHEN {step.condition} THEN 1 ELSE 0 END AS taken")
            run(session, step.then if taken else step.otherwise, each_commits=each_commits)
        elif isinstance(step, Raise):
            message = step.message
            for expression in step.expressions:
                message = message.replace("%", str(session.value(f"SELECT {expression} AS value")), 1)
            raise SqlError(message)
        else:
            session.execute(step.sql)
            if each_commits and session.alone:
                session.commit()
                session.begin()


class _Body:
    def __init__(self, body: str, arguments: dict[str, str]) -> None:
        self._body, self._arguments, self._at = body, arguments, 0
        self._tokens = tokenize(body)

    def steps(self) -> list[Step]:
        if self._word() in _REFUSED and self._word() != "BEGIN":
            raise not_implemented(f"{self._word()} in a stored procedure")
        self._expect("BEGIN")
        steps = self._block("END")
        self._at += 1
        self._accept(";")
        if self._at < len(self._tokens):
            raise SqlError(f'syntax error at or near "{self._tokens[self._at].text}"')
        return steps

    def _block(self, *ends: str) -> list[Step]:
        steps: list[Step] = []
        while self._word() not in ends:
            if not self._word():
                raise SqlError("syntax error at end of input", detail="The body must end with END.")
            steps.append(self._step())
        return steps

    def _step(self) -> Step:
        word = self._word()
        if word == "IF":
            return self._if()
        if word == "RAISE":
            return self._raise()
        if word == "SELECT":
            raise SqlError("query has no destination for result data", detail="SELECT INTO is not implemented.")
        if word in _REFUSED:
            raise not_implemented(f"{word} in a stored procedure")
        if word == "EXECUTE":
            self._at += 1
            tokens = self._until(";")
            if len(tokens) != 1 or tokens[0].token_type != TokenType.STRING:
                raise not_implemented("EXECUTE of anything but a literal string")
            return self._checked(tokens[0].text)
        return self._checked(self._text(self._until(";")))

    def _checked(self, sql: str) -> Run:
        from embedded_aws.redshift import kinds  # it knows the handlers, and this is one of them

        kinds.of(sql)
        return Run(sql)

    def _if(self) -> If:
        self._expect("IF")
        condition = self._text(self._until("THEN"))
        then = self._block("ELSE", "END", "ELSIF", "ELSEIF")
        if self._word().startswith("ELSI") or self._word() == "ELSEIF":
            raise not_implemented(f"{self._word()} in a stored procedure")
        otherwise = self._block("END") if self._accept("ELSE") else []
        self._expect("END")
        self._expect("IF")
        self._expect(";")
        return If(condition, then, otherwise)

    def _raise(self) -> Raise:
        self._expect("RAISE")
        if not self._accept("EXCEPTION"):
            raise not_implemented(f"RAISE {self._word()}")
        tokens = self._until(";")
        if not tokens or tokens[0].token_type != TokenType.STRING:
            raise SqlError('syntax error at or near "RAISE"', detail="RAISE EXCEPTION takes a literal message.")
        message = tokens[0].text
        expressions = tuple(self._text(part) for part in _split(tokens[1:]))
        if message.count("%") != len(expressions):
            raise SqlError(f"RAISE: {message.count('%')} placeholders for {len(expressions)} values")
        return Raise(message, expressions)

    def _word(self) -> str:
        """The next word in capitals, a quote for a string, nothing at the end."""
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return "'" if token.token_type == TokenType.STRING else token.text.upper()

    def _accept(self, word: str) -> bool:
        found = self._word() == word
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise SqlError(f'syntax error at or near "{self._word().lower() or "end of input"}"')

    def _until(self, word: str) -> list[Token]:
        start, depth = self._at, 0
        while depth or self._word() != word:
            if not self._word():
                raise SqlError("syntax error at end of input", detail=f"{word} is missing.")
            depth += {"(": 1, ")": -1}.get(self._word(), 0)
            self._at += 1
        self._at += 1
        return self._tokens[start : self._at - 1]

    def _text(self, tokens: list[Token]) -> str:
        """The text of some tokens, with arguments as `CAST(:name AS type)`."""
        if not tokens:
            raise SqlError('syntax error at or near ";"')
        text, at = "", tokens[0].start
        for index, token in enumerate(tokens):
            before = tokens[index - 1].token_type if index else None
            after = tokens[index + 1].token_type if index + 1 < len(tokens) else None
            name = token.text.lower()
            if (
                name in self._arguments
                and token.token_type not in (TokenType.STRING, TokenType.HEREDOC_STRING)
                and before not in (TokenType.DOT, TokenType.COLON)
                and after not in (TokenType.DOT, TokenType.L_PAREN)
            ):
                text += self._body[at : token.start] + f"CAST(:{name} AS {self._arguments[name]})"
                at = token.end + 1
        return text + self._body[at : tokens[-1].end + 1]


def _split(tokens: list[Token]) -> list[list[Token]]:
    """The expressions after a leading comma each."""
    parts: list[list[Token]] = []
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.token_type == TokenType.COMMA and depth == 0:
            parts.append([])
        elif not parts:
            raise SqlError(f'syntax error at or near "{token.text}"')
        else:
            parts[-1].append(token)
    return parts
