"""What the prompt completes: keywords, schemas, relations, columns, saved queries, its own commands."""

import re
from collections.abc import Iterable, Iterator, Mapping

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from solvent.warehouse.advice import mentioned
from solvent.warehouse.catalog import Relation
from solvent.warehouse.queries import Query

KEYWORDS = (
    "AND", "AS", "ASC", "AVG", "BETWEEN", "CASE", "CAST", "COALESCE", "COUNT", "DATE_TRUNC", "DATEADD", "DATEDIFF",
    "DESC", "DISTINCT", "ELSE", "END", "EXISTS", "FROM", "FULL JOIN", "GROUP BY", "HAVING", "IN", "INNER JOIN",
    "IS NULL", "IS NOT NULL", "JOIN", "LEFT JOIN", "LIKE", "LIMIT", "MAX", "MEDIAN", "MIN", "NOT", "NULL", "NULLIF",
    "ON", "OR", "ORDER BY", "OVER", "PARTITION BY", "ROUND", "SELECT", "SUM", "THEN", "UNION ALL", "WHEN", "WHERE",
    "WITH",
)  # fmt: skip
_WORD = re.compile(r"[\w.]*$")
_ALIASED = re.compile(r"\b(?:FROM|JOIN)\s+(\w+\.\w+)(?:\s+AS)?\s+(\w+)", re.I)


class SqlCompleter(Completer):
    """Completes by what is typed: after `schema.` its relations, after a relation or its alias and `.` the columns."""

    def __init__(
        self, relations: Mapping[str, Relation], saved: Mapping[str, Query], commands: Mapping[str, str]
    ) -> None:
        self._relations, self._saved, self._commands = relations, saved, commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        if before.startswith("\\"):
            word, found = self._of_command(before)
        else:
            word, found = self._of_sql(before, document.text)
            if not word and not complete_event.completion_requested:
                return
        for text, meta in found:
            if text.lower().startswith(word.lower()):
                yield Completion(text, start_position=-len(word), display_meta=meta)

    def _of_command(self, before: str) -> tuple[str, Iterable[tuple[str, str]]]:
        command, space, rest = before.partition(" ")
        if not space:
            return command, self._commands.items()
        words = rest.split(" ")
        if command == "\\d":
            return rest, ((name, r.about) for name, r in self._relations.items())
        if command == "\\query" and len(words) == 1:
            return rest, ((name, q.question) for name, q in self._saved.items())
        if command == "\\query" and words[0] in self._saved:
            parameters = self._saved[words[0]].contract.parameters
            return words[-1], ((f"{p.name}=", p.description) for p in parameters)
        return rest, ()

    def _of_sql(self, before: str, whole: str) -> tuple[str, Iterable[tuple[str, str]]]:
        match = _WORD.search(before)
        word = match[0] if match else ""
        owner, dot, column = word.rpartition(".")
        if not dot:
            return word, self._anything(whole, upper=word.isupper())
        aliases = {alias.lower(): name.lower() for name, alias in _ALIASED.findall(whole)}
        relation = self._relations.get(aliases.get(owner.lower(), owner.lower()))
        if relation:
            return column, ((c.name, c.description) for c in relation.contract.columns)
        return word, ((name, r.about) for name, r in self._relations.items())

    def _anything(self, whole: str, *, upper: bool) -> Iterator[tuple[str, str]]:
        columns = {c.name: c.description for r in mentioned(whole, self._relations) for c in r.contract.columns}
        yield from columns.items()
        for schema in sorted({r.contract.schema for r in self._relations.values()}):
            yield f"{schema}.", "schema"
        yield from ((k if upper else k.lower(), "") for k in KEYWORDS)
