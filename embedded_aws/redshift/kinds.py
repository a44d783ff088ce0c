"""Every statement has a kind, and every kind one taker: a handler of that name, a record, or sqlglot's tree.

`HANDLERS` are the kinds that sqlglot does not parse as Redshift means them; `differences.NAMED` says of each what
becomes of it. Whatever is none of the three is an error.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokens import Token

from embedded_aws.redshift import accepted, loading, materialized, models, procedures, streams
from embedded_aws.redshift.dialect import parse, tokenize
from embedded_aws.redshift.errors import not_implemented
from embedded_aws.redshift.outcome import Outcome

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

Words = tuple[str, ...]

HANDLERS: dict[Words, Callable[["Session", str], Outcome]] = {
    ("COPY",): loading.copy_statement,
    ("UNLOAD",): loading.unload_statement,
    ("REFRESH", "MATERIALIZED", "VIEW"): materialized.refresh,
    ("ALTER", "MATERIALIZED", "VIEW"): materialized.alter,
    ("CREATE", "PROCEDURE"): procedures.create,
    ("CALL",): procedures.call,
    ("DROP", "PROCEDURE"): procedures.drop,
    ("CREATE", "EXTERNAL", "SCHEMA"): streams.create_schema,
    ("CREATE", "MODEL"): models.create,
    ("DROP", "MODEL"): models.drop,
    ("SHOW", "MODEL"): models.show,
}
_TREES = (
    exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable, exp.Create, exp.Drop, exp.Alter,
    exp.Comment, exp.Set,
)  # fmt: skip


def named(tokens: list[Token]) -> Words | None:
    """The kind that a handler takes, by a statement's leading words; OR REPLACE between them does not count."""
    words = [token.text.upper() for token in tokens[:5]]
    if words[1:3] == ["OR", "REPLACE"]:
        del words[1:3]
    return next((tuple(words[:size]) for size in (3, 2, 1) if tuple(words[:size]) in HANDLERS), None)


def of(sql: str) -> str:
    """Who takes a statement: `handler: COPY`, `accepted: GRANT`, `parsed: SELECT`. Raises SqlError for nobody."""
    tokens = tokenize(sql)
    if words := named(tokens):
        return f"handler: {' '.join(words)}"
    if words := accepted.match(tokens):
        return f"accepted: {' '.join(words)}"
    return f"parsed: {kind_of(parse(sql))}"


def kind_of(tree: exp.Expr) -> str:
    """The kind of a parsed statement, such as `CREATE TABLE`. Raises SqlError for one that the engine does not run."""
    if isinstance(tree, exp.Command):
        raise not_implemented(f"{tree.this} {str(tree.expression or '')[:60]}".strip())
    if isinstance(tree, exp.Transaction | exp.Commit | exp.Rollback):
        raise not_implemented("transaction control: a batch is one transaction, a single statement commits by itself")
    if not isinstance(tree, _TREES):
        raise not_implemented(type(tree).__name__.upper())
    if isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        return f"{tree.key} {tree.args['kind']}".upper()
    return {"truncatetable": "TRUNCATE"}.get(tree.key, tree.key.upper())
