"""CREATE MODEL ... FUNCTION ... SAGEMAKER: an endpoint as a function of SQL (remote inference).

A call becomes one call of `redshift_invoke(definition, [arguments as text])`, the only function that DuckDB knows: it
sends the rows as CSV without a header, and takes one line a row as the answer. The definition is looked up when the
statement runs, so a dropped model is gone from the views that call it.
Source: docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html (bring your own model, remote inference).
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

from embedded_aws.redshift import catalog
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.reader import Reader, data_type

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

MOST_ARGUMENTS = 256  # AWS's limit of a model's input columns; none is documented for remote inference
INVOKE = "redshift_invoke"
_INT_MAX = 2**31 - 1
_OWN = "schema_name = ? AND name = ?"


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


# Statements


def create(session: "Session", sql: str) -> Outcome:
    """CREATE MODEL for remote inference; every other form of it is refused."""
    reader = Reader(sql)
    reader.expect("CREATE", "MODEL")
    schema, name = reader.qualified()
    if not reader.accept("FUNCTION"):
        raise not_implemented("CREATE MODEL ... FROM (training by Redshift ML); only FUNCTION ... SAGEMAKER")
    function = reader.name().rpartition(".")[2]
    arguments = [data_type(text) for text in reader.parenthesised()]
    reader.expect("RETURNS")
    returns = reader.data_type()
    if not reader.accept("SAGEMAKER"):
        raise not_implemented("CREATE MODEL ... FROM (local inference); only FUNCTION ... SAGEMAKER")
    endpoint = reader.string()
    if reader.accept(":"):
        raise not_implemented("CREATE MODEL on one model of a multi-model endpoint")
    reader.expect("IAM_ROLE")
    role = session.resolve_role(reader.role())
    rows = _most_rows(reader)
    reader.end()
    _check(session, schema, name, function, arguments)
    session.endpoints(role).require(endpoint)
    definition = {
        "function": f"{schema}.{function}",
        "arguments": [kind.sql(dialect="redshift") for kind in arguments],
        "returns": returns.sql(dialect="redshift"),
        "endpoint": endpoint,
        "role": role,
        "rows": rows,
    }
    session.cursor.execute(
        "INSERT INTO _redshift.models VALUES (?, ?, ?, ?, ?, ?)",
        [schema, name, function, len(arguments), session.user, json.dumps(definition)],
    )
    return Outcome()


def _most_rows(reader: Reader) -> int:
    if not reader.accept("SETTINGS"):
        return _INT_MAX
    settings = {}
    for item in reader.parenthesised():
        word, _, value = item.partition(" ")
        settings[word.upper()] = value.strip()
    rows = settings.pop("MAX_BATCH_ROWS", str(_INT_MAX))
    if settings:
        raise not_implemented(f"the setting {next(iter(settings))} of a model for remote inference")
    if not rows.isdigit() or not 1 <= int(rows) <= _INT_MAX:
        raise SqlError(f"MAX_BATCH_ROWS must be between 1 and {_INT_MAX}, not {rows}")
    return int(rows)


def _check(session: "Session", schema: str, name: str, function: str, arguments: Sequence[exp.DataType]) -> None:
    catalog.require_schema(session.cursor, schema)
    if any(kind.this == exp.DType.SUPER for kind in arguments):
        raise not_implemented("SUPER as an argument of a model's function")
    if not 1 <= len(arguments) <= MOST_ARGUMENTS:
        raise SqlError(f"a model's function takes 1 to {MOST_ARGUMENTS} arguments, not {len(arguments)}")
    taken = session.cursor.execute(
        "SELECT name FROM _redshift.models WHERE schema_name = ? AND (name = ? OR (function_name = ? AND arity = ?))",
        [schema, name, function, len(arguments)],
    ).fetchall()
    if taken:
        what = f'model "{name}"' if taken[0][0] == name else f'function "{function}"'
        raise SqlError(f"{what} already exists", detail=f'It belongs to the model "{taken[0][0]}": drop that first.')


def drop(session: "Session", sql: str) -> Outcome:
    """DROP MODEL [IF EXISTS]; its function goes with it."""
    reader = Reader(sql)
    reader.expect("DROP", "MODEL")
    exists = reader.accept_all("IF", "EXISTS")
    key = reader.qualified()
    reader.end()
    found = catalog.first(session.cursor, f"SELECT owner FROM _redshift.models WHERE {_OWN}", key)  # noqa: S608
    if found is None:
        if exists:
            return Outcome()
        raise SqlError(f'model "{".".join(key)}" does not exist')
    if not session.owns(found[0]):
        raise SqlError(f"must be owner of model {key[1]}")
    session.cursor.execute(f"DELETE FROM _redshift.models WHERE {_OWN}", key)  # noqa: S608
    return Outcome()


def show(session: "Session", sql: str) -> Outcome:
    """SHOW MODEL {ALL | name}."""
    reader = Reader(sql)
    reader.expect("SHOW", "MODEL")
    if reader.accept("ALL"):
        reader.end()
        return session.query("SELECT schema_name AS \"Schema Name\", name AS \"Model Name\" FROM _redshift.models "
                             "ORDER BY 1, 2")  # fmt: skip
    key = reader.qualified()
    reader.end()
    found = catalog.first(session.cursor, f"SELECT owner, definition FROM _redshift.models WHERE {_OWN}", key)  # noqa: S608
    if found is None:
        raise SqlError(f'model "{".".join(key)}" does not exist')
    definition = json.loads(found[1])
    lines = {
        "Model Name": key[1],
        "Schema Name": key[0],
        "Owner": found[0],
        "Model State": "READY",
        "Function Name": definition["function"].partition(".")[2],
        "Function Parameters": "",
        "Function Parameter Types": " ".join(definition["arguments"]),
        "Return Type": definition["returns"],
        "IAM Role": definition["role"],
        "Endpoint": definition["endpoint"],
        "Max Batch Rows": str(definition["rows"]),
    }
    table = pa.table({"Key": list(lines), "Value": list(lines.values())})
    return Outcome(table.num_rows, table, ("VARCHAR", "VARCHAR"))


# Calls


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
