"""Whose rows are to go: the person's keys in every source, and whether a row, a line or a text is the person's.

Keys of sources on which others hang (customer, loan) and direct identifiers that nobody else has are looked for as
words in every text, so that malformed lines and payloads are found, too. Keys at the end of the chain (payment, event)
may be as short as a lender likes: they count only in their own column, and in `record_key` beside their source.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from solvent.etl.suppression import canonical

SHORTEST_WORD = 6


@dataclass
class Person:
    """`keys`: source -> the person's keys there. `columns`: column -> its source. `words`: looked for in every text."""

    keys: dict[str, set[str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, for the request that makes an erasure resumable."""
        keys = {source: sorted(values) for source, values in self.keys.items()}
        return {"keys": keys, "columns": self.columns, "words": sorted(self.words)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Person":
        keys = {source: set(values) for source, values in data["keys"].items()}
        return cls(keys, dict(data["columns"]), set(data["words"]))

    @cached_property
    def _pattern(self) -> str:
        """A regular expression for Python and RE2: one of the words, in any case, with nothing alphanumeric around."""
        words = "|".join(re.escape(word) for word in sorted(self.words, key=lambda w: (-len(w), w)))
        return rf"(?i)(?:^|[^0-9A-Za-z])(?:{words})(?:$|[^0-9A-Za-z])"

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    def in_text(self, text: str) -> bool:
        """Whether a text holds one of the words. Text in two-byte encodings is looked through as well."""
        return bool(self.words) and self._compiled.search(text.replace("\0", "")) is not None

    def may_be_in(self, text: str) -> bool:
        """Whether any key or word of the person stands in a text, wherever: a quick look at much text."""
        found = pc.match_substring_regex(pa.array([text.replace("\0", "")]), self._anything)
        return bool(self._anything and found[0].as_py())

    @cached_property
    def _anything(self) -> str:
        every = self.words.union(*(self.keys.get(source, set()) for source in self.columns.values()))
        return f"(?i){'|'.join(re.escape(text) for text in sorted(every))}" if every else ""

    def in_rows(self, rows: pa.RecordBatch) -> pa.BooleanArray:
        """For each row of a table whether it is the person's."""
        found = pa.array([False] * rows.num_rows)
        for name, column in zip(rows.schema.names, rows.columns, strict=True):
            if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
                continue
            if self.words:
                found = pc.or_(found, _known(pc.match_substring_regex(column, self._pattern)))
            if source := self.columns.get(name):
                found = pc.or_(found, _among(column, self.keys.get(source, ())))
        if {"record_key", "source"} <= set(rows.schema.names):
            for source, keys in self.keys.items():
                same = pc.and_(_known(pc.equal(rows["source"], source)), _among(rows["record_key"], keys))
                found = pc.or_(found, same)
        return found

    def in_record(self, record: Mapping[str, Any]) -> bool:
        """Whether a JSON object or a row of a delivered file is the person's."""
        for name, value in record.items():
            if (source := self.columns.get(name)) and canonical(str(value)) in self._canonical(source):
                return True
            if isinstance(value, str) and self.in_text(_decoded(value) if name.endswith("_base64") else value):
                return True
            if isinstance(value, dict | list) and self.in_text(json.dumps(value, ensure_ascii=False)):
                return True
        return False

    def _canonical(self, source: str) -> frozenset[str]:
        if source not in self._canonical_keys:
            self._canonical_keys[source] = frozenset(map(canonical, self.keys.get(source, ())))
        return self._canonical_keys[source]

    @cached_property
    def _canonical_keys(self) -> dict[str, frozenset[str]]:
        return {}


def is_word(value: str) -> bool:
    """Whether a key is long enough to be looked for in any text: `1` would be found everywhere."""
    return len(value.strip()) >= SHORTEST_WORD


def _known(mask: pa.Array) -> pa.Array:
    return pc.fill_null(mask, False)


def _among(column: pa.Array, keys: Any) -> pa.Array:
    values = pa.array(sorted(map(canonical, keys)), pa.string())
    same = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(column, pa.string())))
    return _known(pc.is_in(same, value_set=values))


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return value
