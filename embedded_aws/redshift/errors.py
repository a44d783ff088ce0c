"""Errors in the form in which Redshift gives them."""

import re

import duckdb
from sqlglot.errors import ParseError

_MULTIPLE = "Found multiple matches to update the same tuple"

# (pattern over DuckDB's message, Redshift's message). Groups of the pattern are available in the message.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), message)
    for pattern, message in (
        (r"executing the UDF: SqlError: (ERROR: .*)", r"\1"),
        (r"^Binder Error: .*?schema \"([^\"]+)\" does not exist", r'schema "\1" does not exist'),
        (r"Table with name \"?([\w.#]+)\"? does not exist", r'relation "\1" does not exist'),
        (r"View with name \"?([\w.#]+)\"? does not exist", r'relation "\1" does not exist'),
        (r"Schema with name \"?(\w+)\"? does not exist", r'schema "\1" does not exist'),
        (r"Schema with name \"?(\w+)\"? already exists", r'schema "\1" already exists'),
        (r"(?:Table|View) with name \"?([\w.#]+)\"? already exists", r'Relation "\1" already exists'),
        (r"Catalog \"(\w+)\" does not exist", r'schema "\1" does not exist'),
        (r"Referenced column \"([^\"]+)\" (?:was )?not found", r'column "\1" does not exist'),
        (r"(?:does not have|has no) a? ?column (?:with name|named) \"([^\"]+)\"", r'column "\1" does not exist'),
        (r"Referenced table \"([^\"]+)\" not found", r'missing FROM-clause entry for table "\1"'),
        (r"Ambiguous reference to column name \"([^\"]+)\"", r'column reference "\1" is ambiguous'),
        (r"(?:Scalar|Aggregate|Table) Function with name \"?(\w+)\"? does not exist", r"function \1 does not exist"),
        (
            r"[Cc]olumn \"([^\"]+)\" must appear in the GROUP BY clause",
            r'column "\1" must appear in the GROUP BY clause or be used in an aggregate function',
        ),
        (r"NOT NULL constraint failed: [\w.#]*?\.?(\w+)$", r"Cannot insert a NULL value into column \1"),
        (r"CHECK constraint failed .*strlen\(\"?(\w+)\"?\) <= (\d+)", r"value too long for type character varying(\2)"),
        (r"[Dd]ivision by zero", "Divide by zero"),
        (r"cannot affect the same target row more than once", _MULTIPLE),
        (r"Could not convert string '(.*?)' to (?:U?INT|HUGEINT)", r'invalid input syntax for integer: "\1"'),
        (
            r"Could not convert string '(.*?)' to (?:FLOAT|DOUBLE)",
            r'invalid input syntax for type double precision: "\1"',
        ),
        (r"Could not convert string \"(.*?)\" to DECIMAL", r'invalid input syntax for type numeric: "\1"'),
        (r"invalid (date|timestamp) field format: \"(.*?)\"", r'invalid input syntax for type \1: "\2"'),
        (r"(?:Overflow in|out of range for|is out of range)", "Numeric data overflow (result precision)"),
        (r"Malformed JSON", "invalid JSON"),
        (
            r"has (\d+) columns but (\d+) values were supplied",
            "INSERT has a different number of expressions than target columns",
        ),
        (r"Dependency Error: Cannot drop entry \"?([\w.]+)\"?", r"cannot drop \1 because other objects depend on it"),
        (r"INTERRUPT Error", "Query cancelled on user's request"),
    )
)


class SqlError(Exception):
    """A statement failed. The text is what DescribeStatement shows: `ERROR: relation "x" does not exist`."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        text = message if message.startswith(("ERROR:", "FATAL:", "Query #")) else f"ERROR: {message}"
        super().__init__(text + (f"\n  Detail: {detail}" if detail else ""))


def not_implemented(construct: str) -> SqlError:
    """Redshift may know the construct, the embedded Redshift does not: never a silent substitution."""
    return SqlError(
        f"the embedded Redshift does not implement {construct}", detail="It was not executed; see docs/embedded-aws.md."
    )


def from_duckdb(error: duckdb.Error, sql: str = "") -> SqlError:
    """DuckDB's error in Redshift's words; an unknown one keeps the first line of DuckDB's text.

    DuckDB names a missing relation without its schema: `sql` tells which one the statement meant.
    """
    text = str(error)
    for pattern, message in _RULES:
        if found := pattern.search(text.split("\n\nLINE ")[0]):
            return SqlError(_qualified(found.expand(message), sql))
    kind, _, rest = text.partition(": ")
    first = (rest or kind).split("\n")[0].strip()
    return SqlError(first)


def _qualified(message: str, sql: str) -> str:
    missing = re.match(r'(relation|Relation) "(\w+)"', message)
    if missing and (written := re.search(rf'"?(\w+)"?\."?{missing[2]}\b', sql, re.IGNORECASE)):
        return message.replace(f'"{missing[2]}"', f'"{written[1].lower()}.{missing[2]}"')
    return message


def from_parser(error: ParseError, sql: str) -> SqlError:
    """`syntax error at or near "x"` with the position in the statement."""
    found = error.errors[0] if error.errors else {}
    token = found.get("highlight") or (sql.split() or [""])[-1]
    position = len(str(found.get("start_context") or "")) + 1
    return SqlError(f'syntax error at or near "{token}"\n  Position: {position};')
