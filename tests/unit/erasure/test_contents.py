"""A person's rows out of a file: theirs and no others, in every form in which files come."""

import base64
import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.erasure.contents import Stripped, strip
from solvent.erasure.person import Person

PERSON = Person(
    keys={"customer_profile": {"C000001"}, "loan_application": {"L000001"}, "repayment_history": {"1"}},
    columns={"customer_id": "customer_profile", "loan_id": "loan_application", "payment_id": "repayment_history"},
    words={"C000001", "L000001", "Ana Díaz", "ana@example.com"},
)


@pytest.fixture
def stripped(tmp_path: Path) -> Any:
    def of(name: str, body: bytes, delimiter: str = ",") -> tuple[Stripped, bytes]:
        path, out = tmp_path / "in", tmp_path / "out"
        path.write_bytes(body)
        out.unlink(missing_ok=True)
        found = strip(path, out, name, PERSON, delimiter)
        return found, out.read_bytes() if found.rows and found.kept else b""

    return of


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([b"payment_id,loan_id\n", b"1,L000009\n", b"11,L000009\n"], [0, 2]),  # a short key, in its column only
        ([b"a,payment_id\n", b"1,2\n", b"2,1\n"], [0, 1]),
        ([b"customer_id,n\r\n", b"C000001,x\r\n", b"C000010,x\r\n"], [0, 2]),
        ([b"customer_id,n\n", b" c000001 ,x\n", b"C000010,C0000011\n"], [0, 2]),
        ([b"\xef\xbb\xbfcustomer_id,n\n", b'C000001,"a\nb"\n', b'C000002,"c\n\nd"\n'], [0, 2]),
        ([b"customer_id,n\n", b"C000001\n", b"C000002\n"], [0, 2]),  # malformed, theirs and another's
        (
            [b"customer_id,n\n", b"?,Ana D\xc3\xadaz,x\n", b"?,Ana D\xedaz,x\n", b"?,ana,x\n"],
            [0, 2, 3],
        ),  # Latin-1 stays
        ([b"customer_id,n\n", b"C000002,\xff\xfe\n", b"C000001,\xff\n", b"C3,\x00\n"], [0, 1, 3]),
    ],
)
def test_delivered_files_lose_the_persons_records_and_no_other_byte(
    stripped: Any, lines: list[bytes], left: list[int]
) -> None:
    found, body = stripped("customer_profile.csv", b"".join(lines))
    assert body == b"".join(lines[i] for i in left)
    assert found.rows == len(lines) - len(left)


def test_other_delimiters_are_read_too(stripped: Any) -> None:
    found, body = stripped("customer_profile.txt", b"payment_id\tn,m\n1\tx\n2\ty,1\n", "\t")
    assert (found.rows, body) == (1, b"payment_id\tn,m\n2\ty,1\n")


def test_fields_are_read_that_are_longer_than_python_takes_unasked(stripped: Any) -> None:
    long = b"9," + b"x" * (csv.field_size_limit() + 1) + b"\n"
    found, left = stripped("x.csv", b"payment_id,text\n1,mine\n" + long)
    assert (found.rows, left) == (1, b"payment_id,text\n" + long)


def test_a_quotation_mark_that_never_closes_takes_nobody_elses_lines(stripped: Any) -> None:
    """Where the record ends is not known: only lines that name the person go."""
    body = b'customer_id,n\nC000002,"x\nC000001,y\nC000003,z\n'
    assert stripped("customer_profile.csv", body)[1] == b'customer_id,n\nC000002,"x\nC000003,z\n'


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs",)), max_size=30), max_size=8))
def test_hostile_files_keep_what_is_not_the_persons(lines: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "in", Path(folder) / "out"
        text = "customer_id,n\n" + "\n".join([*lines, "C000001,x"]) + "\n"
        path.write_bytes(text.encode())
        assert strip(path, out, "f.csv", PERSON).rows >= 1
        left = out.read_bytes().decode()
        assert not PERSON.in_text(left)
        kept = [line for line in "\n".join(lines).splitlines() if line.isalnum() and not PERSON.in_text(line)]
        assert [line for line in left.splitlines() if line in kept][: len(kept)] == kept


def test_json_lines_lose_lines_also_where_the_text_is_encoded(stripped: Any) -> None:
    hidden = base64.b64encode(b'{"loan_id": "L000001').decode()
    lines = [
        {"loan_id": "L000009"},
        {"loan_id": "L000001"},
        {"payload_base64": hidden},
        {"name": "Ana Díaz"},
        {"nested": {"of": ["C000001"]}},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    found, left = stripped("stream/x.jsonl", body)
    assert (found.rows, left) == (4, b'{"loan_id": "L000009"}\n')
    assert stripped("x.jsonl.out", b'{"loan_id": "L000001"}\n')[0] == Stripped(1, 0)


def test_reports_lose_the_word_not_the_report(stripped: Any) -> None:
    found, left = stripped("runs/x.json", b'{"rows": 3, "of": [{"worst": "loan L000001"}]}')
    assert json.loads(left) == {"rows": 3, "of": [{"worst": "(erased)"}]}
    assert found.rows == 1


def test_tables_lose_rows_by_key_word_and_record_key(stripped: Any, tmp_path: Path) -> None:
    rows = [
        {"source": "repayment_history", "record_key": "1", "payload": None},
        {"source": "application_event", "record_key": "1", "payload": None},
        {"source": "repayment_history", "record_key": "2", "payload": '{"loan_id":"L000001"}'},
        {"source": "x", "record_key": None, "payload": "L0000012"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t")
    found, left = stripped("t.parquet", (tmp_path / "t").read_bytes())
    assert found == Stripped(2, 2)
    assert pq.read_table(pa.BufferReader(left)).to_pylist() == [rows[1], rows[3]]


def test_an_emptied_table_stays_a_table(stripped: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"loan_id": ["L000001"], "n": [1]}), tmp_path / "t")
    found, left = stripped("t.parquet", (tmp_path / "t").read_bytes())
    assert found.kept
    table = pq.read_table(pa.BufferReader(left))
    assert (table.num_rows, table.column_names) == (0, ["loan_id", "n"])


def test_a_file_of_unknown_form_goes_whole(stripped: Any) -> None:
    assert stripped("glue-temporary/spill", b"\x00C000001\x01")[0] == Stripped(1, 0)
    assert stripped("glue-temporary/spill", b"\x00C0000012\x01")[0].rows == 0


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.bin"])
def test_files_without_the_person_are_left_alone(stripped: Any, name: str) -> None:
    assert stripped(name, b'{"a": "C000002"}\n')[0].rows == 0
