"""Rows in quarantine: what is shown of a person, and which corrections are taken."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from solvent import contracts, delivery, quarantine
from solvent.quarantine import MASK, QuarantineError, Row

CUSTOMERS = contracts.load()["customer_profile"]
ORIGINAL = delivery.Manifest("lending", "bank", "2026-06-30-0123456789ab", "2026-06-30", ())


def row(number: int = 5, kind: str = "rejected", **fields: str) -> Row:
    payload = json.dumps(dict.fromkeys(CUSTOMERS.column_names, "") | fields) if kind == "rejected" else fields["text"]
    return Row("r" * 16, "customer_profile", "customer_profile.csv", number, kind, "why", "C000001", payload)


def test_nothing_that_may_concern_a_person_is_shown() -> None:
    every = {c.name: f"value-of-{c.name}" for c in CUSTOMERS.columns}
    plain = quarantine.shown(row(**every), CUSTOMERS, reveal=False)
    for column in CUSTOMERS.columns:
        assert plain["payload"][column.name] == (every[column.name] if column.pii == "none" else MASK), column.name
    assert {c.pii for c in CUSTOMERS.columns} >= {"none", "direct", "indirect", "protected"}
    assert (plain["record_key"] == MASK) == (CUSTOMERS.column("customer_id").pii != "none")
    assert quarantine.shown(row(**every), CUSTOMERS, reveal=True)["payload"] == every


def test_a_malformed_line_is_nobodys_to_see() -> None:
    line = row(kind="malformed", text="C000001,Ann Lee,ann@example.com")
    assert quarantine.shown(line, CUSTOMERS, reveal=False)["payload"] == f"{MASK} (31 characters)"
    assert quarantine.shown(line, CUSTOMERS, reveal=True)["payload"] == "C000001,Ann Lee,ann@example.com"


def test_an_empty_field_shows_that_it_is_empty() -> None:
    assert quarantine.shown(row(), CUSTOMERS, reveal=False)["payload"]["full_name"] == ""


def test_corrections_name_a_row_and_leave_empty_cells_alone() -> None:
    text = '\ufeffsource_file,row_number,full_name,region\ncustomer_profile.csv,5,"Lee, Ann",\nother.csv,6,n/a,West\n'
    assert quarantine.corrections(text) == {
        ("customer_profile.csv", 5): {"full_name": "Lee, Ann"},
        ("other.csv", 6): {"full_name": "n/a", "region": "West"},
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("row_number,region\n5,West\n", "lack the column(s) source_file"),
        ("source_file,row_number,region\nc.csv,five,West\n", "Record 2"),
        ("source_file,row_number,region\nc.csv,5\n", "Record 2"),
        ("source_file,row_number,region\nc.csv,5,West,more\n", "Record 2"),
        ("source_file,row_number,region\nc.csv,5,West\nc.csv,5,East\n", "row 5 of c.csv twice"),
    ],
)
def test_corrections_that_cannot_be_read_are_refused(text: str, says: str) -> None:
    with pytest.raises(QuarantineError) as refused:
        quarantine.corrections(text)
    assert says in str(refused.value) and "West" not in str(refused.value)


def deliver(folder: Path, rows: list[Row], fixes: Any = None) -> None:
    sources = {"customer_profile": CUSTOMERS}
    more: dict[str, Any] = {"original": ORIGINAL, "run_id": "0" * 16, "as_of": "2026-06-30"}
    quarantine.delivery_of(rows, sources, fixes or {}, folder, **more)


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=CUSTOMERS.delimiter))


def test_fields_go_back_as_they_came(tmp_path: Path) -> None:
    hostile = {"full_name": 'a,"b"\nc\r;d\te', "region": " West ", "email": "\u00e4@\u4f60"}
    deliver(tmp_path, [row(**hostile, **{delivery.DELETED: "true"})])
    [found] = records(tmp_path / "customer_profile-1.csv")
    assert {name: found[name] for name in hostile} == hostile
    assert found[delivery.DELETED] == "true" and found["customer_id"] == ""
    assert delivery.build(tmp_path).replay_of == "0" * 16


def test_a_corrected_line_becomes_a_record_and_another_stays_a_line(tmp_path: Path) -> None:
    lines = [row(7, "malformed", text='broken "line'), row(8, "malformed", text="x,y")]
    deliver(tmp_path, lines, {("customer_profile.csv", 8): {"customer_id": "C000008"}})
    assert [r["customer_id"] for r in records(tmp_path / "customer_profile-1.csv")] == ["C000008"]
    assert (tmp_path / "customer_profile-2.csv").read_text().splitlines()[1:] == ['broken "line']


@pytest.mark.parametrize(
    ("fixes", "says"),
    [
        ({("customer_profile.csv", 99): {"region": "West"}}, "the first for row 99 of customer_profile.csv"),
        ({("customer_profile.csv", 5): {"colour": "red"}}, "1 column(s) that customer_profile has not"),
    ],
)
def test_corrections_that_fit_nothing_are_refused(tmp_path: Path, fixes: Any, says: str) -> None:
    with pytest.raises(QuarantineError) as refused:
        deliver(tmp_path, [row()], fixes)
    assert says in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_of_a_replay_names_a_run() -> None:
    manifest = json.loads(delivery.Manifest("lending", "bank", "2026-06-30-0123456789ab", "2026-06-30",
        (delivery.DeliveredFile("customer_profile", "customer_profile.csv", 1, "0" * 64),)).to_bytes())  # fmt: skip
    assert "replay_of" not in manifest  # manifests of other deliveries stay as they were, and so do their runs
    assert delivery.parse(json.dumps(manifest | {"replay_of": "0" * 16}).encode()).replay_of == "0" * 16
    with pytest.raises(delivery.DeliveryError, match="replay_of is 'yes', no run's id"):
        delivery.parse(json.dumps(manifest | {"replay_of": "yes"}).encode())
