"""Calls of a model's function in SQL: rows go to the endpoint as CSV without a header, a line a row comes back.

A call becomes one call of `redshift_invoke(definition, [arguments as text])`, the only function that DuckDB knows. The
definition is looked up when the statement runs, so a dropped model is gone from the views that call it.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL
from sqlglot import exp

from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.reader import data_type

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

INVOKE = "redshift_invoke"


class Endpoints(Protocol):
    """SageMaker's endpoints as one role may use them. Every method raises SqlError."""

    def invoke(self, endpoint: str, body: bytes) -> bytes:
        """The answer to a text/csv request."""
        ...

    def require(self, endpoint: str) -> None:
        """Raise unless the endpoint exists."""
        ...


def nowhere(role: str) -> Endpoints:
    """For a database without endpoints around it. Raises SqlError."""
    raise SqlError("there is no SageMaker to ask: this database was opened without endpoints")


def rewrite_calls(session: "Session", tree: exp.Expr) -> exp.Expr:
    """Replace the calls of models' functions in a translated tree. Raises SqlError for a wrong number of arguments."""
    calls = list(tree.find_all(exp.Anonymous))
    if not calls:
        return tree
    functions = session.cursor.execute("SELECT schema_name, function_name, definition FROM _redshift.models").fetchall()
    for call in calls if functions else []:
        qualified = call.parent if isinstance(call.parent, exp.Dot) else None
        schema = qualified.this.name if qualified else ""
        known = [json.loads(d) for s, f, d in functions if f == call.name.lower() and (not schema or s == schema)]
        if not known:
            continue
        fits = [d for d in known if len(d["arguments"]) == len(call.expressions)]
        if not fits:
            wanted = ", ".join(known[0]["arguments"])
            raise SqlError(
                f"function {call.name.lower()} does not exist with {len(call.expressions)} arguments",
                detail=f"{known[0]['function']} takes {len(known[0]['arguments'])}: {wanted}.",
            )
        (qualified or call).replace(_invocation(fits[0], call.expressions))
    return tree


def _invocation(definition: dict[str, Any], arguments: Sequence[exp.Expr]) -> exp.Expr:
    schema, _, function = definition["function"].partition(".")
    lookup = (
        exp.select("definition")
        .from_("_redshift.models")
        .where(exp.column("schema_name").eq(schema), exp.column("function_name").eq(function),
               exp.column("arity").eq(len(arguments)))
    )  # fmt: skip
    row = [
        exp.cast(exp.cast(value.copy(), _duckdb_type(kind)), "text")
        for value, kind in zip(arguments, definition["arguments"], strict=True)
    ]
    call = exp.func(INVOKE, exp.Subquery(this=lookup), exp.func("list_value", *row))
    return exp.cast(call, _duckdb_type(definition["returns"]))


def _duckdb_type(text: str) -> exp.DataType:
    kind = data_type(text)
    if kind.this == exp.DType.SUPER:
        return exp.DataType.build("json")
    if kind.is_type("varchar", "char", "nchar", "nvarchar", "text", "bpchar"):
        return exp.DataType.build("text")
    return kind


def invoker(endpoints: Callable[[str], Endpoints]) -> Callable[[pa.Array, pa.Array], pa.Array]:
    """The function behind every model's function: (definition, row of texts) -> text, for a batch of rows."""

    def invoke(definitions: pa.Array, rows: pa.Array) -> pa.Array:
        text = definitions[0].as_py() if len(definitions) else None
        if text is None:
            raise SqlError("the function does not exist: its model was dropped")
        model = json.loads(text)
        plain = rows.to_pylist()
        answers: list[str | None] = []
        for start in range(0, len(plain), model["rows"]):
            part = plain[start : start + model["rows"]]
            body = endpoints(model["role"]).invoke(model["endpoint"], _csv(part))
            answers += _answers(model, body, len(part))
        return pa.array(answers, pa.string())

    return invoke


def _csv(rows: list[list[str | None]]) -> bytes:
    """One line a row, no header; NULL is an empty field."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _answers(model: dict[str, Any], body: bytes, rows: int) -> list[str | None]:
    lines = body.decode(errors="replace").splitlines()
    if len(lines) != rows:
        raise SqlError(
            f"SageMaker endpoint {model['endpoint']} answered {rows} rows with {len(lines)} lines",
            detail="It must answer text/csv with one value a line.",
        )
    if model["returns"].upper() == "SUPER":
        return [line or None for line in lines]
    cells = list(csv.reader(lines))
    for line, found in zip(lines, cells, strict=True):
        if len(found) > 1:
            raise SqlError(f"SageMaker endpoint {model['endpoint']} answered more than one value: {line[:80]}")
    return [found[0] if found and found[0] else None for found in cells]


def register(connection: duckdb.DuckDBPyConnection, endpoints: Callable[[str], Endpoints]) -> None:
    """Make the one function known to a database. It is called for every row: an endpoint may answer differently."""
    connection.create_function(
        INVOKE, invoker(endpoints), ["VARCHAR", "VARCHAR[]"], "VARCHAR",
        type=ARROW, null_handling=SPECIAL, side_effects=True,
    )  # fmt: skip
