"""Whatever is in a file, no record is lost and none invented."""

import csv
import io
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent import contracts
from solvent.contracts import glue
from solvent.delivery import DeliveredFile
from solvent.etl import admission, statements
from solvent.etl.duckdb_engine import DuckDbEngine

CONTRACT = contracts.load()["customer_profile"]
WIDTH = len(CONTRACT.columns)

# Any text that UTF-8 can hold: quotation marks, separators, line ends, NUL, look-alikes.
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['"', ",", "\n", "\r\n", "\x00", "''", "\ufeff"]
)
FITTING = st.lists(TEXT, min_size=WIDTH, max_size=WIDTH)
ODD = st.lists(TEXT, min_size=2, max_size=WIDTH + 3).filter(lambda fields: len(fields) != WIDTH)
RECORDS = st.lists(FITTING | ODD, min_size=1, max_size=12)


def admitted(records: list[list[str]], folder: Path, line_end: str) -> tuple[list[dict], list[dict]]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([list(CONTRACT.column_names), *records])
    path = folder / "customer_profile.csv"
    path.write_bytes(buffer.getvalue().encode())
    import hashlib

    body = path.read_bytes()
    file = DeliveredFile("customer_profile", path.name, len(body), hashlib.sha256(body).hexdigest())
    for part in ("raw", "malformed"):
        (folder / part).mkdir()
    admission.admit(
        path, file, CONTRACT, raw=folder / "raw" / "x.parquet", malformed=folder / "malformed" / "x.parquet"
    )
    return (
        pq.read_table(folder / "raw").to_pylist(),
        pq.read_table(folder / "malformed").to_pylist(),
    )


@settings(max_examples=60, deadline=None)
@given(records=RECORDS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_each_record_is_raw_or_malformed_under_its_own_number(records: list[list[str]], line_end: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        raw, malformed = admitted(records, Path(folder), line_end)
    by_number = {row["_row_number"]: [row[c] for c in CONTRACT.column_names] for row in raw}
    expected = {number: fields for number, fields in enumerate(records, 2) if len(fields) == WIDTH}
    assert by_number == expected
    assert [row["_row_number"] for row in malformed] == [n for n, f in enumerate(records, 2) if len(f) != WIDTH]


@settings(max_examples=15, deadline=None)
@given(records=RECORDS, copies=st.integers(0, 3))
def test_each_record_ends_in_exactly_one_place(records: list[list[str]], copies: int) -> None:
    good = [c.values[0] if c.values else {"C": "C000001"}.get(c.name[:1].upper(), "") for c in CONTRACT.columns]
    fixed = {"customer_id": "C000001", "email": "a@b", "signup_date": "2020-01-01", "updated_at": "2020-01-01"}
    fixed |= {"annual_income": "1", "credit_score": "600", "residence_since": "1", "dependents": "0"}
    good = [fixed.get(c.name, value) for c, value in zip(CONTRACT.columns, good, strict=True)]
    records = [*records, *[good] * copies]
    parts = ("checked", "copies", "accepted", "kept", "quarantine", "duplicates")
    wanted = {f"{part}_customer_profile" for part in parts} | {"customers"}
    with tempfile.TemporaryDirectory() as folder:
        admitted(records, Path(folder), "\n")
        engine = DuckDbEngine(work=Path(folder))
        engine.parameters({"run_id": "r", "keeps": ","}, {"as_of": "2026-06-30"}, {})
        engine.read("raw_customer_profile", f"{folder}/raw")
        engine.read("malformed_customer_profile", f"{folder}/malformed")
        engine.read("base_customers", None, {c.name: glue.type_of(c) for c in CONTRACT.columns})
        sizes = {}
        for statement in statements.derive("lending", "duckdb"):
            if statement.table in wanted:
                engine.fill(statement.table, statement.sql)
                out = f"{folder}/{statement.table}"
                engine.write(statement.table, out, form="parquet", order=["1"])
                sizes[statement.table] = engine.count(out)
        engine.close()
    assert len(records) == sum(
        sizes[t] for t in ("customers", "quarantine_customer_profile", "duplicates_customer_profile")
    )
    assert sizes["customers"] >= (1 if copies else 0)
    assert sizes["duplicates_customer_profile"] >= max(copies - 1, 0)
