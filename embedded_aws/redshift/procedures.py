"""Stored procedures: CREATE [OR REPLACE] PROCEDURE, CALL, DROP PROCEDURE.

Of PL/pgSQL this knows statements, EXECUTE of a literal, CALL, RAISE EXCEPTION and IF ... ELSE; anything else is refused
when the procedure is created. Arguments are input only, and become parameters of the statements.
Source: docs.aws.amazon.com/redshift/latest/dg/r_CREATE_PROCEDURE.html.
"""

import json
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from embedded_aws.redshift import catalog, plpgsql
from embedded_aws.redshift.dialect import parse
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.plpgsql import Argument
from embedded_aws.redshift.reader import Reader, data_type

if TYPE_CHECKING:
    from embedded_aws.redshift.session import Session

MOST_NESTED = 16  # docs.aws.amazon.com/redshift/latest/dg/stored-procedure-constraints.html
_OWN = "schema_name = ? AND name = ? AND arity = ?"


def create(session: "Session", sql: str) -> Outcome:
    """CREATE [OR REPLACE] PROCEDURE. The whole body is checked now. Raises SqlError."""
    reader = Reader(sql)
    reader.expect("CREATE")
    replace = reader.accept_all("OR", "REPLACE")
    reader.expect("PROCEDURE")
    schema, name = reader.qualified()
    arguments = [_argument(text) for text in reader.parenthesised()]
    nonatomic = reader.accept("NONATOMIC")
    reader.expect("AS")
    body = reader.string()
    reader.expect("LANGUAGE", "PLPGSQL")
    definer = reader.accept_all("SECURITY", "DEFINER")
    if not definer:
        reader.accept_all("SECURITY", "INVOKER")
    reader.end()
    catalog.require_schema(session.cursor, schema)
    plpgsql.parse_body(body, arguments)
    key = (schema, name, len(arguments))
    if found := _find(session, key):
        if not replace or found[1]["arguments"] != [list(a) for a in arguments]:
            raise SqlError(f'function "{name}" already exists with same argument types')
        _require_owner(session, name, found[0])
        session.cursor.execute(f"DELETE FROM _redshift.procedures WHERE {_OWN}", key)  # noqa: S608
    definition = {
        "arguments": [list(a) for a in arguments],
        "body": body,
        "definer": definer,
        "nonatomic": nonatomic,
    }
    owner = found[0] if found else session.user
    session.cursor.execute(
        "INSERT INTO _redshift.procedures VALUES (?, ?, ?, ?, ?)", [*key, owner, json.dumps(definition)]
    )
    return Outcome()


def call(session: "Session", sql: str) -> Outcome:
    """CALL: the body's statements, as the owner when it is SECURITY DEFINER. Raises SqlError."""
    reader = Reader(sql)
    reader.expect("CALL")
    schema, name = reader.qualified()
    values = reader.parenthesised()
    reader.end()
    found = _find(session, (schema, name, len(values)))
    if found is None:
        raise SqlError(f"procedure {schema}.{name} with {len(values)} arguments does not exist")
    owner, definition = found
    if session.depth >= MOST_NESTED:
        raise SqlError(f"stored procedure nesting level exceeded the limit of {MOST_NESTED}")
    arguments = [Argument(*a) for a in definition["arguments"]]
    given = _values(session, arguments, values)
    with session.calling(owner if definition["definer"] else session.user, given):
        plpgsql.run(session, plpgsql.parse_body(definition["body"], arguments), each_commits=definition["nonatomic"])
    return Outcome()


def drop(session: "Session", sql: str) -> Outcome:
    """DROP PROCEDURE name [(types)] [, ...]."""
    reader = Reader(sql)
    reader.expect("DROP", "PROCEDURE")
    while True:
        schema, name = reader.qualified()
        arity = len(reader.parenthesised()) if reader.peek() == "(" else None
        query = "SELECT arity, owner FROM _redshift.procedures WHERE schema_name = ? AND name = ?"
        found = session.cursor.execute(query, [schema, name]).fetchall()
        matching = [row for row in found if arity in (None, row[0])]
        if not matching:
            raise SqlError(f"function {schema}.{name} does not exist")
        if len(matching) > 1:
            raise SqlError(f'function name "{name}" is not unique', detail="Give the types of its arguments.")
        _require_owner(session, name, matching[0][1])
        session.cursor.execute(f"DELETE FROM _redshift.procedures WHERE {_OWN}", [schema, name, matching[0][0]])  # noqa: S608
        if not reader.accept(","):
            reader.end()
            return Outcome()


def _find(session: "Session", key: tuple[str, str, int]) -> tuple[str, dict[str, Any]] | None:
    row = catalog.first(session.cursor, f"SELECT owner, definition FROM _redshift.procedures WHERE {_OWN}", key)  # noqa: S608
    return (row[0], json.loads(row[1])) if row else None


def _require_owner(session: "Session", name: str, owner: str) -> None:
    if not session.owns(owner):
        raise SqlError(f"must be owner of function {name}")


def _argument(text: str) -> Argument:
    """`[name] [IN] type`."""
    words = text.split()
    modes = [word for word in words[:2] if word.upper() in ("IN", "OUT", "INOUT")]
    if modes and modes[0].upper() != "IN":
        raise not_implemented(f"{modes[0].upper()} arguments of procedures")
    words = [word for word in words if word not in modes]
    named = len(words) > 1 and words[1].upper() not in ("PRECISION", "VARYING") and not words[1].startswith("(")
    return Argument(words[0].lower() if named else "", data_type(" ".join(words[named:])).sql(dialect="redshift"))


def _values(session: "Session", arguments: list[Argument], written: list[str]) -> dict[str, str | None]:
    """The arguments' values as text, computed by the database from the expressions of the CALL."""
    if not written:
        return {}
    casts = [exp.cast(exp.cast(_expression(text), a.type, dialect="redshift"), "varchar(max)", dialect="redshift")
             for text, a in zip(written, arguments, strict=True)]  # fmt: skip
    named = [exp.alias_(cast, f"a{n}") for n, cast in enumerate(casts)]
    table = session.execute_tree(exp.select(*named)).table
    assert table is not None
    row = [column[0].as_py() for column in table.columns]
    return {argument.name: value for argument, value in zip(arguments, row, strict=True) if argument.name}


def _expression(text: str) -> exp.Expr:
    tree = parse(f"SELECT {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.args.get("from_"):
        raise SqlError(f'syntax error at or near "{text}"')
    return tree.expressions[0].copy()
