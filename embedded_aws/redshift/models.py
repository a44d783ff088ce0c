"""CREATE MODEL ... FUNCTION ... SAGEMAKER: an endpoint as a function of SQL (remote inference); DROP and SHOW MODEL.

Source: docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html (bring your own model, remote inference).
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from embedded_aws.redshift import catalog
from embedded_aws.redshift.access import objects
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.reader import Reader, data_type

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

MOST_ARGUMENTS = 256  # AWS's limit of a model's input columns; none is documented for remote inference
_INT_MAX = 2**31 - 1
_OWN = "schema_name = ? AND name = ?"


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
    session.access.require_on_database("CREATE MODEL", system="CREATE MODEL")
    session.access.require_create(schema)
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
    objects.own(session.access, "model", schema, name)
    session.access.changed()
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
    objects.forget(session.access, "model", *key)
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
