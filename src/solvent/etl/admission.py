"""Delivered files -> raw Parquet, before any engine sees them: one parser, so one truth about what a row is.

Every field stays the text it was. A record with the wrong number of fields is kept aside with its number and text;
what makes the whole file unreadable stops its source while nothing of it has been published. No message repeats what a
file holds, not even as the name of a column: the first line of a file without a header is somebody's data.
"""

import codecs
import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from solvent.contracts import Contract
from solvent.delivery import DELETED, DeliveredFile
from solvent.etl.errors import EtlError
from solvent.etl.records import MAX_RECORD_BYTES, Reader, Unreadable

_CHUNK = 2**20
_MAX_HEADER = 2**20  # characters
MALFORMED = pa.schema(
    [("_source_file", pa.string()), ("_row_number", pa.int64()), ("_reason", pa.string()), ("_payload", pa.string())]
)
_POSITION = ("_source_file", "_row_number")
_EFFECT = "Nothing of it was published."
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True)
class Admitted:
    """Records of one file: `rows` in the raw file, `malformed` kept aside; `extra` columns no contract knows.

    A column in `extra` is `?` where its name is no identifier.
    """

    rows: int
    malformed: int
    extra: tuple[str, ...]


def admit(
    path: Path,
    file: DeliveredFile,
    contract: Contract,
    *,
    raw: Path,
    malformed: Path,
    minimum_rows: int | None = None,
    block_bytes: int = MAX_RECORD_BYTES,
) -> Admitted:
    """Check one delivered file and write its records to `raw` and `malformed` (Parquet).

    Record numbers count from 1, the header; blank lines are no records. Raises EtlError naming the file when it is not
    what the manifest says, not UTF-8, empty, without header or a column, or has a record that does not end, or fewer
    records than `minimum_rows` (the contract's, unless given).
    """
    _check_bytes(path, file)
    header = _header(path, file, contract)
    schema = pa.schema(
        [
            *((c, pa.string()) for c in [*header, *([] if DELETED in header else [DELETED])]),
            ("_source_file", pa.string()),
            ("_row_number", pa.int64()),
        ]
    )
    reader, count = Reader(path, header, delimiter=contract.delimiter, block_bytes=block_bytes), 0
    try:
        with pq.ParquetWriter(raw, schema, compression="zstd") as writer:
            for batch in reader:
                count += batch.num_rows
                *fields, numbers = batch.columns
                absent = [pa.repeat(pa.scalar(""), batch.num_rows)] * (len(schema) - len(header) - 2)
                names = pa.repeat(pa.scalar(file.name), batch.num_rows)
                writer.write_batch(pa.record_batch([*fields, *absent, names, numbers], schema=schema))
    except Unreadable as error:
        raise EtlError(f"{file.name} {error} {_EFFECT}") from None
    bad = [
        (file.name, number, f"record - {fields} fields instead of {len(header)}", text)
        for number, text, fields in reader.malformed
    ]
    if count + len(bad) < (contract.minimum_rows if minimum_rows is None else minimum_rows):
        raise EtlError(f"{file.name} has no record below its header. Deliver the whole file. {_EFFECT}")
    kept_aside = [dict(zip(MALFORMED.names, record, strict=True)) for record in bad]
    pq.write_table(pa.Table.from_pylist(kept_aside, MALFORMED), malformed, compression="zstd")
    extra = (c for c in header if c not in contract.column_names and c != DELETED)
    return Admitted(rows=count, malformed=len(bad), extra=tuple(c if _IDENTIFIER.fullmatch(c) else "?" for c in extra))


def nothing(contract: Contract, *, raw: Path, malformed: Path) -> None:
    """The raw files of a source of which nothing was delivered: no rows."""
    names = [*contract.column_names, DELETED]
    schema = pa.schema([*((c, pa.string()) for c in names), *(MALFORMED.field(i) for i in range(2))])
    pq.write_table(schema.empty_table(), raw, compression="zstd")
    pq.write_table(MALFORMED.empty_table(), malformed, compression="zstd")


def _check_bytes(path: Path, file: DeliveredFile) -> None:
    """Size, hash and encoding, in one pass."""
    digest, decoder, lines = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK)
            digest.update(chunk)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line = lines + error.object[: error.start].count(b"\n")
                raise EtlError(
                    f"{file.name} is not UTF-8: line {line} has the byte 0x{error.object[error.start]:02x}. "
                    f"Save it as UTF-8 and deliver it again. {_EFFECT}"
                ) from error
            lines += chunk.count(b"\n")
            if not chunk:
                break
    if digest.hexdigest() != file.sha256:
        raise EtlError(
            f"{file.name} is not the file of the manifest: its SHA-256 is {digest.hexdigest()}, not {file.sha256}. "
            f"Deliver it again (`solvent load`). {_EFFECT}"
        )
    if path.stat().st_size == 0:
        raise EtlError(f"{file.name} is empty, without even a header. Deliver the whole file. {_EFFECT}")


def _header(path: Path, file: DeliveredFile, contract: Contract) -> list[str]:
    """The columns' names, in the order of the file; a column that no contract knows keeps the name it has.

    Raises EtlError when they are not the contract's, each once, and others beside them.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        line = stream.readline(_MAX_HEADER)
    try:
        given = [name.strip() for name in next(csv.reader([line], delimiter=contract.delimiter, strict=True), [])]
    except csv.Error:
        raise EtlError(
            f"{file.name} has a first line that is no header: a field of it does not end within the line, is longer "
            f"than {csv.field_size_limit()} characters, or goes on after its quotation mark. Mend the header and "
            f"deliver it again. {_EFFECT}"
        ) from None  # the error may quote the line
    names = [contract.headers.get(name, name) for name in given]
    wanted = contract.column_names
    missing = [c for c in wanted if c not in names]
    found = len(wanted) - len(missing)
    if 2 * found < len(wanted):
        raise EtlError(
            f"{file.name} has no header: of the {len(wanted)} columns of contract {contract.name} its first line names "
            f"{found}, in {len(names)} field(s), and looks like data. Deliver the file with its header, separated by "
            f"{_SEPARATORS[contract.delimiter]}. {_EFFECT}"
        )
    # Engines know no case, and the position of a row is beside its columns.
    folded = [name.casefold() for name in names] + list(_POSITION)
    repeated = {n for n in names if folded.count(n.casefold()) > 1}
    if repeated or not all(names):
        known = [c for c in wanted if c in repeated]
        what = (
            f"the column(s) {', '.join(known)} twice"
            if known
            else "a column without a name"
            if "" in names
            else f"{len(repeated)} column(s) unknown to contract {contract.name} twice, or named as admission names "
            f"the position of a row ({', '.join(_POSITION)}),"
        )
        raise EtlError(f"{file.name} has {what} in its header. Mend the header and deliver it again. {_EFFECT}")
    if missing:
        raise EtlError(
            f"{file.name} lacks the column(s) {', '.join(missing)} that contract {contract.name} asks for; it has "
            f"{found} of {len(wanted)}, and {len(names) - found} other(s). Deliver the file with all columns. {_EFFECT}"
        )
    return names
