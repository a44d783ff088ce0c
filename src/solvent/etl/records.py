"""The records of a CSV file, as text, with their numbers: Arrow's parser, and what has to be kept from it.

A record ends with LF, CR LF or CR outside quotation marks; these quote at the beginning of a field only (RFC 4180).
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

# A record must fit into a block: a larger one is nearly always a quotation mark that never closes.
MAX_RECORD_BYTES = 16 * 2**20
_CHUNK = 2**20
# A line of its own after the last record; a quotation mark that is still open swallows it.
_END = b"\x1aend of file\x1a"


class Unreadable(Exception):
    """The file cannot be taken apart into records; the message says why, and repeats nothing of it."""


class Reader:
    """Batches of text columns, one per field of the header, and a column of record numbers; the header is record 1.

    `malformed` fills as batches are read: (number, text, fields) of each record with a wrong number of fields. Blank
    lines are no records. Iterating raises Unreadable for a record that ends neither within `block_bytes` nor the file.
    """

    def __init__(self, path: Path, header: list[str], *, delimiter: str, block_bytes: int = MAX_RECORD_BYTES) -> None:
        self.malformed: list[tuple[int, str, int]] = []
        self._path, self._header, self._delimiter, self._block_bytes = path, header, delimiter, block_bytes
        self._count = 0  # records with the right number of fields

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        nul = _stand_in_for_nul(self._path)
        end = _END + self._delimiter.encode() * len(self._header)  # never the right number of fields
        schema = pa.schema([*((name, pa.string()) for name in self._header), ("_row_number", pa.int64())])
        with _Stream(self._path, b"\n" + end + b"\n", nul) as stream:
            try:
                for batch in self._open(stream, nul):
                    columns = [pc.replace_substring(c, nul, "\0") if nul else c for c in batch.columns]
                    numbers = self._numbers(batch.num_rows)
                    yield pa.record_batch([*columns, numbers], schema=schema)
            except pa.ArrowInvalid as error:
                raise Unreadable(self._explained(error)) from None  # Arrow's text may quote the record
        last = self._count + len(self.malformed) + 1
        if not self.malformed or self.malformed[-1][:2] != (last, end.decode()):
            raise Unreadable(
                f"ends within quotation marks: one that opens in record {last} never closes, and what follows cannot "
                f"be told apart. Mend that record, or deliver the whole file."
            )
        del self.malformed[-1]

    def _open(self, stream: "_Stream", nul: str) -> pacsv.CSVStreamingReader:
        def keep_aside(row: pacsv.InvalidRow) -> str:
            text = row.text.replace(nul, "\0") if nul else row.text
            self.malformed.append((row.number, text, row.actual_columns))
            return "skip"

        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                use_threads=False,  # record numbers exist only so
                column_names=self._header,
                skip_rows=1,
                block_size=min(self._path.stat().st_size + len(stream.mark), self._block_bytes),
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=keep_aside
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self._header, pa.string()), strings_can_be_null=False
            ),
        )

    def _numbers(self, size: int) -> pa.Array:
        """Record numbers of a batch's rows: consecutive, but for malformed records between.

        The k-th malformed record, number n, moves on every good row from the (n - 2 - k)-th.
        """
        moved_by = np.array([number - 2 - k for k, (number, *_) in enumerate(self.malformed)], dtype=np.int64)
        rows = np.arange(self._count, self._count + size)
        self._count += size
        return pa.array(rows + 2 + np.searchsorted(moved_by, rows, side="right"), pa.int64())

    def _explained(self, error: pa.ArrowInvalid) -> str:
        if "straddling" in str(error) or "larger than block" in str(error):
            size = f"{self._block_bytes / 2**20:g} MB"
            return f"has a record longer than {size}: look for a quotation mark that never closes."
        return "cannot be read as CSV. Open it with another CSV reader, mend it, deliver it again."


class _Stream(io.RawIOBase):
    """A file's bytes as Arrow's parser reads them right, and at once after them `mark`.

    Two faults of Arrow (25.0.1) are kept from the data. A block that begins with LF after one that ended with CR loses
    the LF, also within quotation marks. Where fields are long, a NUL hides delimiters and line ends in the bytes after
    it, so that records merge: `nul` stands in for it.
    """

    def __init__(self, path: Path, mark: bytes, nul: str) -> None:
        self.mark, self._nul, self._held = mark, nul.encode(), b""
        self._parts: list[IO[bytes]] = [path.open("rb"), io.BytesIO(mark)]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # As much as is asked for: a record must not straddle one block more because the mark came in its own.
        found, self._held = self._held, b""
        for part in self._parts:
            found += part.read(size - len(found) if size >= 0 else -1)
        if found.endswith(b"\r"):
            found, self._held = found[:-1], b"\r"
        return found.replace(b"\0", self._nul) if self._nul else found

    def close(self) -> None:
        for part in self._parts:
            part.close()
        super().close()


def _stand_in_for_nul(path: Path) -> str:
    """A control character that the file does not hold; empty where it has no NUL. Raises Unreadable if it has all."""
    free, nul = [bytes([code]) for code in range(1, 32) if bytes([code]) not in b"\t\n\r" + _END], False
    with path.open("rb") as stream:
        while not nul and (chunk := stream.read(_CHUNK)):
            nul = b"\0" in chunk
        if not nul:
            return ""
        stream.seek(0)
        while chunk := stream.read(_CHUNK):
            free = [character for character in free if character not in chunk]
    if not free:
        raise Unreadable("is not text: it holds every control character there is. Save it as text, deliver it again.")
    return free[0].decode()
