"""A delivery is named by its contents; a manifest that is not right is refused with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from solvent import delivery
from solvent.delivery import DeliveryError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loan_application.csv").write_text("loan_id\nL000001\n")
    (tmp_path / "customer_profile.csv").write_text("customer_id\nC000001\n")
    (tmp_path / "notes.txt").write_text("not delivered")
    provenance = {"customer_profile": {"annual_income": "generated"}}
    settings = {"as_of": "2026-06-30", "dataset": "german", "provenance": provenance}
    (tmp_path / "delivery.json").write_text(json.dumps(settings))
    return tmp_path


def test_the_same_folder_gives_the_same_bytes(folder: Path) -> None:
    assert delivery.build(folder).to_bytes() == delivery.build(folder).to_bytes()


def test_a_changed_file_is_another_delivery(folder: Path) -> None:
    before = delivery.build(folder)
    (folder / "loan_application.csv").write_text("loan_id\nL000002\n")
    after = delivery.build(folder)
    assert before.delivery_id != after.delivery_id
    assert before.delivery_id.startswith("2026-06-30-")


def test_a_manifest_survives_the_way_through_bytes(folder: Path) -> None:
    manifest = delivery.build(folder)
    assert delivery.parse(manifest.to_bytes()) == manifest
    assert [f.name for f in manifest.files] == ["customer_profile.csv", "loan_application.csv"]
    assert manifest.files[1].bytes == 16
    assert manifest.is_generated("customer_profile", "annual_income")
    assert not manifest.is_generated("customer_profile", "region")


def test_a_source_may_come_in_parts(folder: Path) -> None:
    (folder / "loan_application-2.csv").write_text("loan_id\n")
    assert [f.name for f in delivery.build(folder).files_of("loan_application")] == [
        "loan_application-2.csv",
        "loan_application.csv",
    ]


def test_the_run_is_that_of_delivery_and_code(folder: Path) -> None:
    body = delivery.build(folder).to_bytes()
    assert delivery.run_id(body, "a") == delivery.run_id(body, "a")
    assert len({delivery.run_id(body, "a"), delivery.run_id(body, "b"), delivery.run_id(body + b" ", "a")}) == 3
    assert len(delivery.run_id(body, "a")) == 16


def test_a_folder_without_files_or_date_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"holds no <source>\.csv"):
        delivery.build(tmp_path)
    (tmp_path / "loan_application.csv").write_text("loan_id\n")
    with pytest.raises(DeliveryError, match=r"Add delivery\.json"):
        delivery.build(tmp_path)
    assert delivery.build(tmp_path, as_of="2026-01-31").as_of == "2026-01-31"
    with pytest.raises(DeliveryError, match="not a folder"):
        delivery.build(tmp_path / "absent")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version is 2"),
        ({"portfolio": 3}, "portfolio is 3"),
        ({"as_of": "30.06.2026"}, "as_of is '30.06.2026'"),
        ({"delivery_id": "../../etc"}, "delivery_id"),
        ({"files": []}, "lists no files"),
        ({"files": [{"source": "x"}]}, "wrong file entry"),
        ({"provenance": []}, "wrong provenance"),
    ],
)
def test_a_wrong_manifest_is_refused(folder: Path, change: dict[str, Any], message: str) -> None:
    data = json.loads(delivery.build(folder).to_bytes()) | change
    with pytest.raises(DeliveryError, match=message.replace("(", r"\(")):
        delivery.parse(json.dumps(data).encode())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../secrets.csv"}, "not named after"),
        ({"source": "customer_profile"}, "not named after"),
        ({"bytes": -1}, "bytes of"),
        ({"sha256": "abc"}, "sha256 of"),
    ],
)
def test_a_wrong_file_entry_is_refused(folder: Path, change: dict[str, Any], message: str) -> None:
    data = json.loads(delivery.build(folder).to_bytes())
    data["files"][1] |= change
    with pytest.raises(DeliveryError, match=message):
        delivery.parse(json.dumps(data).encode())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b"{"])
def test_what_is_no_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(DeliveryError, match=r"manifest\.json"):
        delivery.parse(body)


@pytest.mark.parametrize("key", ["version", "portfolio", "as_of", "delivery_id", "files", "provenance"])
@pytest.mark.parametrize("given", ["Ann Lee, ann@example.com", ["Ann Lee"], {"full_name": "Ann Lee"}])
def test_a_refusal_does_not_repeat_what_is_no_manifest(folder: Path, key: str, given: Any) -> None:
    """Whatever was uploaded as manifest.json: the text of the error goes to the state machine's history."""
    data = json.loads(delivery.build(folder).to_bytes()) | {key: given}
    with pytest.raises(DeliveryError) as failure:
        delivery.parse(json.dumps(data).encode())
    assert "Ann" not in str(failure.value)
