"""SQL text in Redshift's dialect to a syntax tree, and a tree to DuckDB's SQL, both by sqlglot.

Two small dialects correct what sqlglot's own leave out: Redshift's column attributes in DDL, and JSON subscripts that
count from zero.
"""

from typing import Any, ClassVar

from sqlglot import exp, tokens
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ErrorLevel, ParseError, TokenError

from embedded_aws.redshift.errors import SqlError, from_parser


class WarehouseRedshift(Redshift):
    """Redshift with the column attributes DISTKEY and SORTKEY and the table attributes ... AUTO.

    A parameter of the Data API may be named like a keyword: `:on`.
    """

    class Parser(Redshift.Parser):  # type: ignore[valid-type, misc]
        COLON_PLACEHOLDER_TOKENS = Redshift.Parser.COLON_PLACEHOLDER_TOKENS | {
            token for word, token in Redshift.Tokenizer.KEYWORDS.items() if word.isalpha()
        }
        CONSTRAINT_PARSERS = {
            **Redshift.Parser.CONSTRAINT_PARSERS,
            "DISTKEY": lambda self: _ignored("distkey"),
            "SORTKEY": lambda self: _ignored("sortkey"),
        }
        PROPERTY_PARSERS = {
            **Redshift.Parser.PROPERTY_PARSERS,
            "SORTKEY": lambda self: _sort_key(self),
            "ENCODE": lambda self: self._match_text_seq("AUTO") and _ignored("encode"),
        }


class _Words(Redshift):
    """Redshift's tokens without the words after which sqlglot takes the rest of the statement as one text."""

    class Tokenizer(Redshift.Tokenizer):
        COMMANDS: ClassVar[set[tokens.TokenType]] = set()


class WarehouseDuckDB(DuckDB):
    """DuckDB as the target of SUPER navigation: subscripts are JSON's, which count from zero as Redshift's do."""

    INDEX_OFFSET = 0


def _ignored(name: str) -> exp.Property:
    return exp.Property(this=exp.var(name), value=exp.var("ignored"))


def _sort_key(parser: Any) -> exp.Expr:
    if parser._match_text_seq("AUTO") or parser._match_text_seq("NONE"):
        return _ignored("sortkey")
    return Redshift.Parser.PROPERTY_PARSERS["SORTKEY"](parser)


def tokenize(sql: str) -> list[tokens.Token]:
    """The tokens of a statement. Raises SqlError."""
    try:
        return list(_Words().tokenize(sql))
    except TokenError as error:
        raise SqlError(f"unterminated string or comment: {error}") from error


def parse(sql: str) -> exp.Expr:
    """The tree of exactly one statement. Raises SqlError with Redshift's text for a syntax error."""
    try:
        trees = [tree for tree in WarehouseRedshift().parse(sql, error_level=ErrorLevel.IMMEDIATE) if tree is not None]
    except ParseError as error:
        raise from_parser(error, sql) from error
    except TokenError as error:
        raise SqlError(f"unterminated string or comment: {error}") from error
    if not trees:
        raise SqlError("the statement is empty")
    if len(trees) > 1:
        raise SqlError("cannot insert multiple commands into a prepared statement")
    tree = trees[0]
    if not isinstance(tree, exp.Expr):
        raise SqlError("syntax error")
    return tree


def generate(tree: exp.Expr) -> str:
    """DuckDB's SQL. Every identifier is quoted, for names such as #staging."""
    return WarehouseDuckDB().generate(tree, identify=True, unsupported_level=ErrorLevel.IGNORE, copy=False)
