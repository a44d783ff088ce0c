"""A person's rows out of one file, whatever its form; every other row stays as it was.

Parquet and JSON lines by row, delivered files by record and to the byte, JSON documents by value; of any other form the
whole file goes.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from solvent.erasure.person import Person

PLACE_OF_A_WORD = "(erased)"
_BATCH = 65_536
_LONGEST_FIELD = 16 * 2**20  # as admission: beyond it a quotation mark does not close
_LINES = (".jsonl", ".out")


@dataclass(frozen=True)
class Stripped:
    """`rows` of the person were in the file, `kept` others. Where both are 0 the file has nothing of the person."""

    rows: int
    kept: int


def strip(path: Path, out: Path, name: str, person: Person, delimiter: str = ",") -> Stripped:
    """Write what is left of a file to `out`. `name` tells its form; `delimiter` is a delivered file's.

    `kept` is 0 where the file itself should go: it holds no row any more and is of no use empty.
    """
    suffix = Path(name).suffix
    if suffix == ".parquet":
        return _parquet(path, out, person)
    if suffix in _LINES:
        return _lines(path, out, person)
    if suffix in (".csv", ".txt"):
        return _delimited(path, out, person, delimiter)
    if suffix == ".json":
        return _document(path, out, person)
    return Stripped(int(person.in_text(path.read_bytes().decode("latin-1"))), 0)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parquet(path: Path, out: Path, person: Person) -> Stripped:
    """An empty table stays a table: readers want at least one file of it."""
    removed = kept = 0
    file = pq.ParquetFile(path)
    texts = [f.name for f in file.schema_arrow if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if not any(pc.any(person.in_rows(rows)).as_py() for rows in file.iter_batches(_BATCH, columns=texts)):
        return Stripped(0, 0)
    with pq.ParquetWriter(out, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(_BATCH):
            theirs = person.in_rows(batch)
            removed += pc.sum(theirs).as_py() or 0
            rest = batch.filter(pc.invert(theirs))
            kept += rest.num_rows
            writer.write_batch(rest)
    return Stripped(removed, max(kept, 1))


def _lines(path: Path, out: Path, person: Person) -> Stripped:
    removed = kept = 0
    with path.open("rb") as source, out.open("wb") as sink:
        for line in source:
            if _is_theirs(line, person):
                removed += 1
            else:
                kept += bool(line.strip())
                sink.write(line)
    return Stripped(removed, kept)


def _is_theirs(line: bytes, person: Person) -> bool:
    text = line.decode("utf-8", "surrogateescape")
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    return person.in_text(text) or (isinstance(record, Mapping) and person.in_record(record))


def _document(path: Path, out: Path, person: Person) -> Stripped:
    """A report has no rows: each value in which a word stands is replaced."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return Stripped(int(person.in_text(path.read_bytes().decode("latin-1"))), 0)
    replaced: list[str] = []

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {without(k): without(v) for k, v in value.items()}
        if isinstance(value, list):
            return [without(v) for v in value]
        if isinstance(value, str) and person.in_text(value):
            replaced.append(value)
            return PLACE_OF_A_WORD
        return value

    out.write_text(json.dumps(without(document), indent=1, sort_keys=True), encoding="utf-8")
    return Stripped(len(replaced), 1)


class _Tape:
    """Lines of a file, and the text of those read since the last look."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.lines: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.lines.append(next(self._file))
        return self.lines[-1]

    def take(self) -> list[str]:
        taken, self.lines = self.lines, []
        return taken


def _delimited(path: Path, out: Path, person: Person, delimiter: str) -> Stripped:
    """The header stays. Bytes that are no UTF-8 stay what they were."""
    if not _mentioned(path, person):
        return Stripped(0, 0)
    removed, header = 0, None
    csv.field_size_limit(_LONGEST_FIELD)
    encoding: Any = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}
    with path.open(**encoding) as source, out.open("w", **encoding) as sink:
        tape = _Tape(source)
        for fields in _records(tape, delimiter):
            lines = tape.take()
            if header is None:
                header = [name.strip().lstrip("\ufeff") for name in fields or []]
                sink.writelines(lines)
                continue
            closed = sum(line.count('"') for line in lines) % 2 == 0
            whole = closed and fields is not None and len(fields) == len(header)
            if whole and person.in_record(dict(zip(header, fields or [], strict=True))):
                removed += 1
            elif whole:
                sink.writelines(lines)
            else:
                # Where a record ends is not known here: only the lines go that name the person.
                theirs = [person.in_text(line) for line in lines]
                removed += sum(theirs)
                sink.writelines(line for line, is_theirs in zip(lines, theirs, strict=True) if not is_theirs)
    return Stripped(removed, 1)


def _mentioned(path: Path, person: Person) -> bool:
    """Whether any key or word of the person stands in a file at all: most files need no closer look."""
    with path.open("rb") as source:
        while block := source.read(2**20) + source.readline():
            if person.may_be_in(block.decode("utf-8", "replace")):
                return True
    return False


def _records(tape: _Tape, delimiter: str) -> Iterator[list[str] | None]:
    """The fields of each record; None for lines that are none."""
    reader = csv.reader(tape, delimiter=delimiter)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None
            reader = csv.reader(tape, delimiter=delimiter)


def rows(path: Path, name: str, delimiter: str = ",") -> Iterator[pa.RecordBatch]:
    """The well-formed rows of a Parquet or a delivered file, all columns of the latter as text."""
    if name.endswith(".parquet"):
        yield from pq.ParquetFile(path).iter_batches(_BATCH)
        return
    with path.open(encoding="utf-8", errors="replace", newline="") as source:
        tape, header, found = _Tape(source), None, []
        csv.field_size_limit(_LONGEST_FIELD)
        for fields in _records(tape, delimiter):
            tape.take()
            if header is None:
                header = [field.strip().lstrip("\ufeff") for field in fields or []]
            elif fields is not None and len(fields) == len(header):
                found.append(dict(zip(header, fields, strict=True)))
                if len(found) == _BATCH:
                    yield pa.RecordBatch.from_pylist(found)
                    found = []
        if found:
            yield pa.RecordBatch.from_pylist(found)
