"""Whatever is in a file: it is refused by name, or each of its records is admitted or kept aside, once, unchanged.

What a record is, `reference` says: a state machine of RFC 4180, written for this test, character by character.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from solvent.contracts import Column, Contract
from solvent.delivery import DELETED, DeliveredFile
from solvent.etl import EtlError, admission

NAME = "ratios.csv"


@dataclass(frozen=True)
class Record:
    """`text` as delivered, without its line end; `closed`: not ended by the file within quotation marks."""

    text: str
    fields: list[str]
    closed: bool = True


def reference(text: str, delimiter: str) -> Iterator[Record]:
    """Records of a file. A quotation mark quotes at the beginning of a field only; a doubled one within stands for one.

    A line ends with LF, CR LF or CR; an empty line is no record.
    """
    start, fields, field, state = 0, list[str](), "", "start"  # of a field; else plain, quoted, or after a quote
    at = 0
    while at < len(text):
        c = text[at]
        if state == "after" and c == '"':
            field, state = field + '"', "quoted"
        elif state == "quoted":
            state = "after" if c == '"' else state
            field += "" if c == '"' else c
        elif c == '"' and state == "start":
            state = "quoted"
        elif c == delimiter:
            fields, field, state = [*fields, field], "", "start"
        elif c in "\r\n":
            if at > start:
                yield Record(text[start:at], [*fields, field])
            at += text[at : at + 2] == "\r\n"
            start, fields, field, state = at + 1, [], "", "start"
        else:
            field, state = field + c, "plain"
        at += 1
    if at > start:
        yield Record(text[start:], [*fields, field], closed=state != "quoted")


def contract(width: int) -> Contract:
    columns = tuple(Column(name=f"c{n}", type="string", physical="VARCHAR(100)") for n in range(width))
    return Contract(
        name="ratios",
        portfolio="p",
        kind="source",
        schema="p",
        zone="raw",
        description="",
        columns=columns,
        key=("c0",),
    )


@dataclass(frozen=True)
class Outcome:
    """`good`: record number -> fields; `aside`: record number -> text and reason."""

    good: dict[int, list[str]]
    aside: dict[int, tuple[str, str]]


def admitted(body: bytes, width: int, block_bytes: int = admission.MAX_RECORD_BYTES) -> Outcome:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / NAME).write_bytes(body)
        file = DeliveredFile("ratios", NAME, len(body), hashlib.sha256(body).hexdigest())
        raw, malformed = folder / "raw.parquet", folder / "malformed.parquet"
        counts = admission.admit(
            folder / NAME, file, contract(width), raw=raw, malformed=malformed, block_bytes=block_bytes
        )
        rows, aside = pq.read_table(raw).to_pylist(), pq.read_table(malformed).to_pylist()
    assert {row.pop("_source_file") for row in [*rows, *aside]} <= {NAME}
    assert all(row.pop(DELETED) == "" for row in rows)
    found = Outcome(
        {row.pop("_row_number"): list(row.values()) for row in rows},
        {row["_row_number"]: (row["_payload"], row["_reason"]) for row in aside},
    )
    assert (counts.rows, counts.malformed) == (len(rows), len(aside)) == (len(found.good), len(found.aside))
    return found


def check(body: bytes, width: int, block_bytes: int = admission.MAX_RECORD_BYTES) -> None:
    """The property. `body` has a good header."""
    header, *records = reference(body.decode("utf-8-sig"), ",")
    assert header.fields == [f"c{n}" for n in range(width)]
    longest = max((len(r.text.encode()) for r in [header, *records]), default=0)
    try:
        found = admitted(body, width, block_bytes)
    except EtlError as error:
        assert str(error).startswith(f"{NAME} ")
        assert longest + 3 >= block_bytes or not all(r.closed for r in records), error
        return
    assert all(r.closed for r in records)
    assert found.good == {n: r.fields for n, r in enumerate(records, 2) if len(r.fields) == width}
    assert found.aside == {
        n: (r.text, f"record - {len(r.fields)} fields instead of {width}")
        for n, r in enumerate(records, 2)
        if len(r.fields) != width
    }


# What breaks readers: quotation marks, delimiters of all kinds, line ends, NUL, marks of byte order, what looks like a
# comment, an escape or an end of file, line ends that only Unicode knows, characters of two to four bytes.
PIECES = ('"', '""', ",", ";", "\t", "\n", "\r\n", "\r", "\x00", "\ufeff", "#", "\\", '\\"', "'", " ", "a", "1")
ODD = ("\x1a", "\x0b", "\x0c", "\x85", "\u2028", "é", "你", "😀", "\ufffe", "c0", "\x1aend of file\x1a", "x" * 40)
SOUP = st.lists(st.sampled_from(PIECES) | st.sampled_from(PIECES + ODD), max_size=40).map("".join)
# Nearly a table: fields of any text, each quoted or bare, in lines of nearly the right width.
TEXT = st.text(st.sampled_from('",;\t\n\r\x00\ufeff #\\a1é'), max_size=6) | st.text(max_size=3)
FIELD = TEXT.map(lambda t: '"' + t.replace('"', '""') + '"') | TEXT.filter(lambda t: not set(t) & set(',"\r\n'))
LINE = st.lists(FIELD, min_size=1, max_size=4).map(",".join)
END = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n", ""])
TABLE = st.lists(st.tuples(LINE, END), max_size=10).map(lambda lines: "".join(line + end for line, end in lines))
BLOCKS = st.integers(30, 120) | st.just(admission.MAX_RECORD_BYTES)


@settings(max_examples=400, deadline=None)
@given(body=SOUP | TABLE, mark=st.booleans(), end=st.sampled_from(["\n", "\r\n", "\r"]), block=BLOCKS)
def test_each_record_is_admitted_or_kept_aside_under_its_number(body: str, mark: bool, end: str, block: int) -> None:
    encoded = f"c0,c1,c2{end}{body}".encode("utf-8", "replace")
    check(b"\xef\xbb\xbf" * mark + encoded, 3, block)
