"""Whatever is in a file: it is refused by name, or each of its records is admitted or kept aside, once, unchanged.

What a record is, `reference` says: a state machine of RFC 4180, written for this test, character by character.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lakehouse import Lakehouse

from solvent.contracts import Column, Contract
from solvent.datasets import synthetic
from solvent.delivery import DELETED, DeliveredFile
from solvent.etl import EtlError, admission
from solvent.etl.records import MAX_RECORD_BYTES

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


def contract(width: int, delimiter: str = ",") -> Contract:
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
        delimiter=delimiter,
    )


@dataclass(frozen=True)
class Outcome:
    """`good`: record number -> fields; `aside`: record number -> text and reason."""

    good: dict[int, list[str]]
    aside: dict[int, tuple[str, str]]


def admitted(body: bytes, agreed: Contract, block_bytes: int = MAX_RECORD_BYTES) -> Outcome:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / NAME).write_bytes(body)
        file = DeliveredFile("ratios", NAME, len(body), hashlib.sha256(body).hexdigest())
        raw, malformed = folder / "raw.parquet", folder / "malformed.parquet"
        counts = admission.admit(folder / NAME, file, agreed, raw=raw, malformed=malformed, block_bytes=block_bytes)
        rows, aside = pq.read_table(raw).to_pylist(), pq.read_table(malformed).to_pylist()
    assert {row.pop("_source_file") for row in [*rows, *aside]} <= {NAME}
    assert all(row.pop(DELETED) == "" for row in rows)
    found = Outcome(
        {row.pop("_row_number"): list(row.values()) for row in rows},
        {row["_row_number"]: (row["_payload"], row["_reason"]) for row in aside},
    )
    assert (counts.rows, counts.malformed) == (len(rows), len(aside)) == (len(found.good), len(found.aside))
    return found


def check(body: bytes, agreed: Contract, block_bytes: int = MAX_RECORD_BYTES) -> None:
    """The property. `body` has a good header."""
    header, *records = reference(body.decode("utf-8-sig"), agreed.delimiter)
    assert tuple(header.fields) == agreed.column_names
    longest = max(len(r.text.encode()) for r in [header, *records])
    width = len(header.fields)
    try:
        found = admitted(body, agreed, block_bytes)
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


def refusal(body: bytes, agreed: Contract, block_bytes: int = MAX_RECORD_BYTES) -> str:
    with pytest.raises(EtlError) as raised:
        admitted(body, agreed, block_bytes)
    assert str(raised.value).startswith(f"{NAME} ")
    return str(raised.value)


# What breaks readers: quotation marks, delimiters of all kinds, line ends, NUL, marks of byte order, what looks like a
# comment, an escape or an end of file, line ends that only Unicode knows, characters of two to four bytes.
PIECES = ('"', '""', ",", ";", "\t", "\n", "\r\n", "\r", "\x00", "\ufeff", "#", "\\", '\\"', "'", " ", "a", "1")
ODD = ("\x1a", "\x0b", "\x0c", "\x85", "\u2028", "é", "你", "😀", "\ufffe", "c0", "\x1aend of file\x1a", "x" * 40)
SOUP = st.lists(st.sampled_from(PIECES) | st.sampled_from(PIECES + ODD), max_size=40).map("".join)
# Nearly a table: fields of any text, each quoted or bare, in lines of nearly the right width.
TEXT = st.text(st.sampled_from('",;\t\n\r\x00\ufeff #\\a1é'), max_size=6) | st.text(max_size=3)
FIELD = TEXT.map(lambda t: '"' + t.replace('"', '""') + '"') | TEXT.filter(lambda t: not set(t) & set(',;\t"\r\n'))
LINE = st.lists(FIELD, min_size=1, max_size=4)
END = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n", ""])
TABLE = st.lists(st.tuples(LINE, END), max_size=10)
DELIMITER = st.sampled_from([",", ";", "\t"])


@settings(max_examples=300, deadline=None)
@given(
    body=SOUP | TABLE,
    delimiter=DELIMITER,
    mark=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    block=st.integers(30, 120) | st.just(MAX_RECORD_BYTES),
)
def test_each_record_is_admitted_or_kept_aside_under_its_number(
    body: str | list[tuple[list[str], str]], delimiter: str, mark: bool, end: str, block: int
) -> None:
    text = body if isinstance(body, str) else "".join(delimiter.join(line) + e for line, e in body)
    header = delimiter.join(["c0", "c1", "c2"]) + end
    check(b"\xef\xbb\xbf" * mark + (header + text).encode("utf-8", "replace"), contract(3, delimiter), block)


# Longer than a block many times, with fields so long that Arrow looks for their ends 16 bytes at a time.
LONG = st.lists(st.sampled_from(["\x00", "\r\n", '""', ",", "é", "x" * 15, "x" * 16, "x" * 17]), max_size=5)
WIDE = LONG.map(lambda pieces: '"' + "".join(pieces) + '"') | st.sampled_from(["\x00" * 3, "y" * 40, "y\x00" * 9])


@settings(max_examples=60, deadline=None)
@given(
    fields=st.lists(WIDE, min_size=1, max_size=9),
    times=st.integers(20, 60),
    block=st.integers(300, 900),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_no_boundary_of_blocks_and_no_nul_merges_or_changes_records(
    fields: list[str], times: int, block: int, end: str
) -> None:
    pairs = [f"{a},{b}" for a, b in zip(fields, fields[1:] + fields[:1], strict=True)]
    lines = [*pairs, fields[0]] * times
    check(end.join(["c0,c1", *lines, ""]).encode(), contract(2), block)
    if len(fields) == 1:
        assert admitted(f"c0,c1\n{lines[0]}\n".encode(), contract(2)).good.keys() == {2}


HEADER = "c0,c1\n"


@pytest.mark.parametrize("block", [200, 201, 202, MAX_RECORD_BYTES])
@pytest.mark.parametrize("spare", [-40, -3, 0, 40, 400])
def test_a_record_about_as_long_as_a_block_is_whole_or_refused(block: int, spare: int) -> None:
    long = "é" * ((min(block, 10_000) + spare) // 2)
    check(f'{HEADER}1,2\n"{long}",3\n4,5\n'.encode(), contract(2), min(block, 10_000))


def test_a_record_of_sixteen_megabytes_is_refused_and_one_below_is_taken() -> None:
    fits = admitted(f"{HEADER}{'x' * (MAX_RECORD_BYTES - 100)},2\n3,4\n".encode(), contract(2))
    assert {n: len(fields[0]) for n, fields in fits.good.items()} == {2: MAX_RECORD_BYTES - 100, 3: 1}
    message = refusal(f"{HEADER}1,2\n{'x' * (2 * MAX_RECORD_BYTES)},2\n3,4\n".encode(), contract(2))
    assert "has a record longer than 16 MB" in message


@pytest.mark.parametrize("tail", ["", "5,6\n7,8\n", "5,6\r", ',""', "\r\n\r\n"])
def test_a_quotation_mark_that_never_closes_is_refused_not_one_long_record(tail: str) -> None:
    message = refusal(f'{HEADER}1,2\n3\n"secret{tail}'.encode(), contract(2))
    assert "one that opens in record 4 never closes" in message
    assert "secret" not in message


def test_the_line_that_ends_a_file_for_us_is_a_record_like_any_other() -> None:
    mark = "\x1aend of file\x1a,,"
    for body in (f"{mark}\n1,2\n{mark}", f"1,2\n{mark}\n", f'{mark}\n"1",2'):
        check((HEADER + body).encode(), contract(2))
    assert "record 3 never closes" in refusal(f'{HEADER}{mark}\n"1'.encode(), contract(2))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"{HEADER}1,2\n".encode("utf-16"), "is not UTF-8: line 1 has the byte 0xff"),
        (f"{HEADER}1,2\n".encode("utf-16-le"), "has no header"),
        (f"{HEADER}1,2\n3,Zoë\n".encode("latin-1"), "is not UTF-8: line 3 has the byte 0xeb"),
        (HEADER.encode() + b"1,\xf0\x9f\x98\n", "is not UTF-8: line 2"),
        (HEADER.encode() + b"1,\xe4\xbd", "is not UTF-8: line 2"),
        (HEADER.encode() + "1,\ud800\n".encode("utf-8", "surrogatepass"), "is not UTF-8: line 2 has the byte 0xed"),
        (HEADER.encode() + b"1,\xc0\x80\n", "is not UTF-8: line 2 has the byte 0xc0"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "has no header"),
        (b"\n\n", "has no header"),
        (b"\nc0,c1\n1,2\n", "has no header"),
        (b"1,2\n3,4\n", "has no header"),
        (b"c0;c1\n1;2\n", "has no header"),
        (b"# comment\nc0,c1\n1,2\n", "has no header"),
        (b"c0,c1,c0\n1,2,3\n", "has the column(s) c0 twice"),
        (b"c0,c1,x,x\n1,2,3,4\n", "has 1 column(s) unknown to contract ratios twice"),
        (b"c0,c1,C1\n1,2,3\n", "has the column(s) c1 twice"),
        (b"c0,c1,_row_number\n1,2,3\n", "has 1 column(s) unknown to contract ratios twice, or named as"),
        (b"c0,c1,\n1,2,\n", "has a column without a name"),
        (b"c0\n1\n", "lacks the column(s) c1"),
        (b'c0,c1,"x\ny"\n1,2,3\n', "has a first line that is no header"),
        (b'c0,c1,"x\n1,2,3\n', "has a first line that is no header"),
        (b"c0,c1," + b"x" * 200_000 + b"\n1,2,3\n", "has a first line that is no header"),
        (HEADER.encode() + bytes(range(32)) + b",2\n", "is not text"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_cause(body: bytes, said: str) -> None:
    assert said in refusal(body, contract(2))


def test_a_header_alone_has_no_records() -> None:
    for body in (b"c0,c1", b"c0,c1\n", b"c0,c1\r\n\r\n", b"\xef\xbb\xbfc0,c1\r"):
        assert admitted(body, contract(2)) == Outcome({}, {})
        assert "has no record below its header" in refusal(body, replace(contract(2), minimum_rows=1))


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(["c0", "c1", "C0", "x", "", " c0 ", '"c1"', '"x\ny"', "\ufeffc0", "_row_number"]))
)
def test_any_header_is_taken_with_all_its_columns_or_refused(names: list[str]) -> None:
    """A line of its own below: a header that is read as more or less than one line moves it."""
    body = ",".join(names) + "\n" + ",".join("v" for _ in names) + "\n"
    try:
        found = admitted(body.encode(), contract(2))
    except EtlError:
        return
    assert found.good == {2: ["v"] * len(names)}


@settings(max_examples=20, deadline=None)
@given(body=SOUP, secret=st.sampled_from(["4111-1111", "Zoe Canary"]))
def test_no_refusal_repeats_what_a_file_holds(body: str, secret: str) -> None:
    for text in (f"{HEADER}{body}{secret}{body}", f"{secret},{body}\n{body}", f'c0,c1,"{secret}\n{body}'):
        try:
            admitted(text.encode(), contract(2), 60)
        except EtlError as error:
            assert secret not in str(error)
            assert error.__cause__ is None
            assert error.__suppress_context__ or error.__context__ is None


def test_the_same_bytes_are_read_the_same_again_whatever_the_blocks() -> None:
    body = (HEADER + '"a\r\nb",\x00\n1\n"",""""\r\n\r\n2,3,4\r' * 50).encode()
    once = admitted(body, contract(2))
    assert len(once.good) == 100
    assert len(once.aside) == 100
    assert all(admitted(body, contract(2), block) == once for block in range(60, 130))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(SOUP | st.lists(WIDE, min_size=1, max_size=30).map(",".join), min_size=4, max_size=4))
def test_whatever_is_delivered_each_record_ends_in_one_place(lakehouse: Lakehouse, bodies: list[str]) -> None:
    """Through the whole ETL: what no reference counts is in no table, what it counts is in one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic.generate(folder, customers=20, loans=20, seed=1, mess=0)
        counted = {}
        for path, body in zip(sorted(folder.glob("*.csv")), bodies, strict=True):
            text = path.read_text()
            again = text.split("\n", 2)[1]
            path.write_bytes((text + body + "\n" + again).encode("utf-8", "replace"))
            counted[path.stem] = list(reference(path.read_bytes().decode(), ","))[1:]
        job = lakehouse.deliver(folder)
    readable = {source: records for source, records in counted.items() if records[-1].closed}
    if "customer_profile" not in readable or len(readable) == 1:
        return  # all that refers to it would have to wait
    report = lakehouse.run(job)
    assert set(report["stopped"].get("sources", ())) == set(counted) - set(readable)
    for source, rows in report["sources"].items():
        assert rows["in"] == len(readable[source])
        assert rows["in"] == rows["good"] + rows["quarantined"] + rows["duplicates"]
        quarantined = lakehouse.table(job, "quarantine", source).to_pylist()
        assert all(row["reason"] for row in quarantined)
        for row in quarantined:
            if row["kind"] == "malformed":
                assert row["payload"] == readable[source][row["row_number"] - 2].text
