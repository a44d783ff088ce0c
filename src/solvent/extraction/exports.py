"""Files that a database exported (Db2's EXPORT ... OF DEL, or any like it): found in landing, brought into our form.

Values change their form, never their number: what is not of the form that the layout says goes on as it is, and the
ETL puts it into quarantine with its reason. A record with another number of fields stops the extraction.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from solvent import naming
from solvent.contracts import Contract
from solvent.extraction.definition import SKIP, Export, Source
from solvent.extraction.errors import NothingExported, UnreadableExport
from solvent.extraction.values import written

_BLOCK = 16 * 2**20  # bytes; a record must fit in


def find(s3: Any, bucket: str, export: Export, source: Source) -> dict[str, str]:
    """The exported files of a source: key -> ETag. Raises NothingExported."""
    prefix = naming.export_prefix(export.prefix)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = {
        stored["Key"]: stored["ETag"]
        for page in pages
        for stored in page.get("Contents", [])
        if fnmatchcase(stored["Key"].removeprefix(prefix), source.files or "")
    }
    if not found:
        raise NothingExported(
            f"{source.name}: no file {source.files} lies in s3://{bucket}/{prefix}. Copy the export there and start "
            "again; nothing was delivered."
        )
    return found


def check_unchanged(source: Source, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raises UnreadableExport when the files are others than those that an extraction under way has begun with."""
    if before and dict(before) != dict(now):
        raise UnreadableExport(
            f"{source.name}: the exported files have changed since this extraction began. Start it anew with --full; "
            "nothing was delivered."
        )


@dataclass(frozen=True)
class Reading:
    """The exported files of one source, one after the other, as rows of its contract."""

    s3: Any
    bucket: str
    export: Export
    source: Source
    contract: Contract

    def chunks(self, keys: Sequence[str], *, work: Path, skip: int) -> Iterator[tuple[bytes, int]]:
        """(delivered file, its rows) of `chunk_rows` rows each, behind the first `skip` rows of all files together.

        One file without rows if there are none at all. Raises UnreadableExport.
        """
        size, done, nothing_yet = self.source.chunk_rows, 0, skip == 0
        waiting: list[pa.RecordBatch] = []
        for batch in (batch for key in keys for batch in self._batches(key, work)):
            start = min(max(skip - done, 0), batch.num_rows)
            done += batch.num_rows
            waiting.append(batch.slice(start))
            while sum(b.num_rows for b in waiting) >= size:
                table = pa.Table.from_batches(waiting)
                yield self._file(table.slice(0, size)), size
                nothing_yet, waiting = False, table.slice(size).to_batches()
        left = sum(b.num_rows for b in waiting)
        if left or nothing_yet:
            yield self._file(pa.Table.from_batches(waiting, self._schema)), left

    def _batches(self, key: str, work: Path) -> Iterator[pa.RecordBatch]:
        path, names, export = work / "export", self._schema.names, self.export
        self.s3.download_file(self.bucket, key, str(path))
        if not path.stat().st_size:
            return
        wrong: list[int] = []

        def refuse(row: pacsv.InvalidRow) -> str:
            wrong.append(row.number)
            return "error"

        try:
            yield from pacsv.open_csv(
                path,
                read_options=pacsv.ReadOptions(
                    column_names=names,
                    skip_rows=int(export.header),
                    encoding=export.encoding,
                    block_size=min(path.stat().st_size + 1, _BLOCK),
                    use_threads=False,  # record numbers exist only so
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=export.delimiter, newlines_in_values=True, invalid_row_handler=refuse
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,  # Db2 writes a null as nothing, an empty text as ""
                ),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError):
            what = f"it is no text in {export.encoding}, or a quotation mark never closes"
            if wrong:
                what = f"record {wrong[0]} has not the {len(names)} fields of the layout"
            raise UnreadableExport(
                f"{Path(key).name} of {self.source.name}: {what}. Export it again, or mend the layout; nothing was "
                "delivered."
            ) from None

    @property
    def _schema(self) -> pa.Schema:
        """One name for each field of a record, also for those that nobody wants."""
        names = (f"{SKIP}{number}" if name == SKIP else name for number, (name, _) in enumerate(self.source.layout))
        return pa.schema([(name, pa.string()) for name in names])

    def _file(self, table: pa.Table) -> bytes:
        header_of = {name: header for header, name in self.contract.headers.items()}
        columns = {
            header_of.get(name, name): _formed(table.column(number), _form(form, self.export))
            for number, (name, form) in enumerate(self.source.layout)
            if name != SKIP
        }
        return written(pa.table(columns), self.contract.delimiter)


def _formed(column: pa.ChunkedArray, form: Callable[[str], str] | None) -> pa.ChunkedArray:
    """A column in our form; each different value is brought into it once."""
    if form is None:
        return column
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    formed = pa.array([form(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return formed.take(encoded.indices)


def _form(name: str, export: Export) -> Callable[[str], str] | None:
    return {
        "text": None,
        "decimal": lambda value: _decimal(value, export.decimal),
        "date": lambda value: _time(value, export.dates, dates=True),
        "timestamp": lambda value: _time(value, export.timestamps, dates=False),
    }[name]


def _decimal(value: str, mark: str) -> str:
    """`+00000012.50` and `+1.25000000000000E+001` are 12.50 and 12.5000000000000."""
    try:
        number = Decimal(value.strip().replace(mark, "."))
    except InvalidOperation:
        return value
    return format(number, "f") if number.is_finite() else value


def _time(value: str, form: str, *, dates: bool) -> str:
    try:
        read = dt.datetime.strptime(value.strip(), form)  # noqa: DTZ007 (Db2's times have no zone)
    except ValueError:
        return value
    return read.date().isoformat() if dates else read.isoformat(sep=" ")
