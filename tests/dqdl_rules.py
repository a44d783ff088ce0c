"""Reads DQDL by the grammar that AWS publishes (https://github.com/awslabs/dqdl) and judges tables by it, as far as we
write it: what Glue Data Quality would say, null behaviour included.
"""

import re
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

# CommonLexerRules.g4: QUOTED_STRING with its two escapes, DECIMAL, INT, IDENTIFIER, operators.
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:\\["\\]|[^"\\\r\n])*")|(?P<number>-?[0-9]+(?:[.][0-9]+)?(?![\w.]))"""
    r"""|(?P<word>[A-Za-z0-9_.]+)|(?P<sign>>=|<=|!=|[=<>\[\](),]))"""
)
_TYPES = {"RowCount": 0, "IsPrimaryKey": None, "IsComplete": 1, "ColumnValues": 1, "ColumnLength": 1}
_TYPES |= {"ReferentialIntegrity": 2}


@dataclass(frozen=True)
class Rule:
    """`dqRule: ruleType parameter* condition? whereClause?`"""

    type: str
    parameters: tuple[str, ...]
    operator: str | None = None
    operand: Any = None
    where: str | None = None


def parse(text: str) -> list[Rule]:
    """The rules of a document. Raises ValueError for what the grammar does not allow."""
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"no token at {text[at : at + 30]!r}")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    reader = _Reader(tokens)
    for expected in ("Rules", "=", "["):
        reader.take(expected)
    found = [reader.rule()]
    while reader.next_is(","):
        reader.take(",")
        found.append(reader.rule())
    reader.take("]")
    if reader.tokens:
        raise ValueError(f"after the rules: {reader.tokens}")
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def next_is(self, *values: str) -> bool:
        return bool(self.tokens) and self.tokens[0][1] in values

    def take(self, *values: str) -> str:
        if not self.tokens or (values and self.tokens[0][1] not in values):
            raise ValueError(f"expected {values}, found {self.tokens[:3]}")
        return self.tokens.pop(0)[1]

    def string(self) -> str:
        kind, token = self.tokens.pop(0)
        if kind != "string":
            raise ValueError(f"expected a string, found {token}")
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def operand(self) -> Any:
        if self.tokens[0][0] == "number":
            token = self.take()
            return float(token) if "." in token else int(token)
        return self.string()

    def rule(self) -> Rule:
        name = self.take()
        if name not in _TYPES:
            raise ValueError(f"no rule type {name}")
        parameters = []
        while self.tokens and self.tokens[0][0] == "string":
            parameters.append(self.string())
        if _TYPES[name] is not None and len(parameters) != _TYPES[name]:
            raise ValueError(f"{name} takes {_TYPES[name]} parameters, found {parameters}")
        operator = operand = where = None
        if self.next_is(">=", "<=", "=", ">", "<"):
            operator, operand = self.take(), self.operand()
        elif self.next_is("matches"):
            operator, operand = self.take(), self.string()
        elif self.next_is("in"):
            operator, operand = self.take(), []
            self.take("[")
            operand.append(self.operand())
            while self.take(",", "]") == ",":
                operand.append(self.operand())
        if self.next_is("where"):
            self.take("where")
            where = self.string()
        return Rule(name, tuple(parameters), operator, operand, where)


def holds(rule: Rule, table: pa.Table, others: dict[str, pa.Table]) -> bool:
    """What Glue would answer for this table; `others` are the additional data sources by alias."""
    with duckdb.connect() as connection:
        connection.register("judged", table)
        for alias, other in others.items():
            connection.register(f"other_{alias}", other)
        return _broken(connection, rule) == 0


def _broken(connection: duckdb.DuckDBPyConnection, rule: Rule) -> int:
    """Rows, or keys, that break a rule."""

    def count(condition: str, parameters: list[Any]) -> int:
        sql = f"SELECT COUNT(*) FROM judged WHERE ({rule.where or 'true'}) AND NOT COALESCE({condition}, false)"
        return int(connection.execute(sql, parameters).fetchall()[0][0])

    names = [f'"{p}"' for p in rule.parameters]
    if rule.type == "RowCount":
        rows = connection.execute("SELECT COUNT(*) FROM judged").fetchall()[0][0]
        return int(not eval(f"{rows} {rule.operator} {rule.operand}"))
    if rule.type == "IsPrimaryKey":
        keys = ", ".join(names)
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM judged GROUP BY {keys} HAVING COUNT(*) > 1)"
        twice = int(connection.execute(sql).fetchall()[0][0])
        return twice + count(" AND ".join(f"{n} IS NOT NULL" for n in names), [])
    if rule.type == "IsComplete":
        return count(f"{names[0]} IS NOT NULL", [])
    if rule.type == "ColumnLength":
        return count(f"LENGTH(COALESCE({names[0]}, '')) {rule.operator} ?", [rule.operand])
    if rule.type == "ReferentialIntegrity":
        alias, target = rule.parameters[1].split(".")
        return count(f'{names[0]} IN (SELECT "{target}" FROM other_{alias})', [])
    if rule.operator == "matches":
        return count(f"REGEXP_FULL_MATCH({names[0]}, ?)", [rule.operand])
    if rule.operator == "in":
        return count(f"{names[0]} IN ({', '.join('?' * len(rule.operand))})", list(rule.operand))
    cast = "CAST(? AS DATE)" if isinstance(rule.operand, str) else "?"
    return count(f"{names[0]} {rule.operator} {cast}", [rule.operand])
