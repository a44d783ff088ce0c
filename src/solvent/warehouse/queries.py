"""Saved queries: the SQL of `sql/analytics/NAME.sql` and its contract `contracts/analytics/NAME.odcs.yaml`.

The file begins with the business question as a comment and is one statement. Its `:name` parameters are those of the
contract; the Data API takes each as text, so the SQL casts what is no text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from solvent import contracts
from solvent.contracts import Contract, Contracts
from solvent.warehouse.marts import question
from solvent.warehouse.migrations import split

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_PLACEHOLDER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_TYPES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "string": ("text", str),
    "integer": ("a whole number", int),
    "number": ("a number", Decimal),
    "date": ("a date, 2026-06-30", date.fromisoformat),
}


class QueryError(Exception):
    """A saved query does not exist, contradicts its contract, or was given wrong parameters; the message names it."""


@dataclass(frozen=True)
class Query:
    """One saved query. `text` is its file; `question` is the business question that it answers."""

    contract: Contract
    text: str

    @property
    def name(self) -> str:
        return self.contract.name

    @property
    def question(self) -> str:
        asked, mark, _ = question(self.text).partition("?")
        return asked + mark

    @property
    def sql(self) -> str:
        """The statement, without comments and semicolon."""
        return split(self.text)[0]

    def arguments(self, given: Mapping[str, str]) -> dict[str, str]:
        """Every parameter as text: as given, else its default. Raises QueryError, which names each that is wrong."""
        known = {p.name: p for p in self.contract.parameters}
        wrong = [f"'{name}' is no parameter of it" for name in given if name not in known]
        values = {}
        for name, parameter in known.items():
            value = given.get(name, parameter.default)
            if value is None:
                wrong.append(f"'{name}' is missing: {parameter.description}")
                continue
            values[name] = str(value)
            meant, read = _TYPES[parameter.type]
            try:
                read(values[name])
            except (ValueError, ArithmeticError):
                wrong.append(f"'{name}' must be {meant}, not {value!r}")
        if wrong:
            takes = f"It takes {', '.join(known)}." if known else "It takes none."
            raise QueryError(f"The saved query {self.name} was not run: {'; '.join(wrong)}. {takes}")
        return values


class Queries(Mapping[str, Query]):
    """All saved queries by name; asking for one that does not exist raises QueryError with the nearest names."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = dict(sorted(queries.items()))

    def __getitem__(self, name: str) -> Query:
        if name not in self._queries:
            near = get_close_matches(name, self._queries, 3)
            meant = f" Did you mean {', '.join(near)}?" if near else ""
            raise QueryError(f"There is no saved query '{name}'.{meant} `solvent query` lists all.")
        return self._queries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._queries

    def __iter__(self) -> Any:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def read() -> Queries:
    """The checkout's saved queries. Raises QueryError for one that contradicts its contract."""
    folder = Path(__file__).resolve().parents[3] / "sql" / "analytics"
    return parse(contracts.load(), {p.stem: p.read_text() for p in folder.glob("*.sql")})


def parse(known: Contracts, files: Mapping[str, str]) -> Queries:
    """Saved queries from contracts and files by name. Raises QueryError, naming the file."""
    found = {}
    for contract in known.queries():
        text, where = files.get(contract.name, ""), f"sql/analytics/{contract.name}.sql"
        if len(split(text)) != 1:
            raise QueryError(f"{where} has {len(split(text))} statements; a saved query is one.")
        used, named = placeholders(text), {p.name for p in contract.parameters}
        if used != named:
            differing = ", ".join(f":{name}" for name in sorted(used ^ named))
            raise QueryError(f"{where} and its contract do not have the same parameters: {differing}.")
        found[contract.name] = Query(contract, text)
    for name in sorted(set(files) - set(found)):
        raise QueryError(f"sql/analytics/{name}.sql has no contract: add contracts/analytics/{name}.odcs.yaml.")
    return Queries(found)


def placeholders(sql: str) -> set[str]:
    """The names of a statement's `:name` parameters: not those in quotes or comments, and no `::type`."""
    return {name for statement in split(sql) for name in _PLACEHOLDER.findall(_QUOTED.sub("''", statement))}
