"""The demo tells which step failed and why, and writes its report either way."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from solvent import datasets, naming, specification
from solvent.cli.demo import Demo
from solvent.cli.showcases import SHOWCASES
from solvent.client import PlatformError
from solvent.target import checkout
from solvent.warehouse import queries


def demo(out: Path, console: Console) -> Demo:
    return Demo(console=console, source="synthetic", size=100, seed=0, reset=False, out=out)


def test_a_failed_step_ends_the_demo_with_its_name_its_reason_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(self: Demo) -> str:
        raise PlatformError("no room on this machine")

    monkeypatch.setattr(Demo, "_up", lambda self: "up")
    monkeypatch.setattr(Demo, "_synthesize", refuses)
    monkeypatch.setattr(Demo, "_bootstrap", lambda self: pytest.fail("a step ran after the one that failed"))
    console = Console(record=True, width=200)
    assert demo(tmp_path, console).run() == 1
    said = console.export_text()
    assert "no room on this machine" in said
    assert "failed at 'synthesize dev'" in said
    steps: list[dict[str, Any]] = json.loads((tmp_path / "demo.json").read_text())["steps"]
    assert [(s["name"], s["status"]) for s in steps] == [
        ("write the synthetic data", "ok"),
        ("write the bankruptcy data", "ok"),
        ("start the embedded AWS", "ok"),
        ("synthesize dev", "failed"),
    ]


@pytest.mark.parametrize("source", ["german", "polish"])
def test_a_missing_data_folder_is_said_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.delenv("SOLVENT_DATA", raising=False)
    monkeypatch.setattr(Demo, "_up", lambda self: pytest.fail("it was started"))
    console = Console(record=True, width=200)
    real = Demo(console=console, source=source, size=100, seed=0, reset=False, out=tmp_path)
    assert real.run() == 1
    assert "SOLVENT_DATA=FOLDER" in console.export_text()


def test_rows_that_do_not_add_up_fail_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = ["rows_in", "good", "quarantined", "duplicates"]
    monkeypatch.setattr("solvent.cli.demo.saved_query", lambda *_, **__: (columns, [[10, 7, 1, 1]]))
    shown = demo(tmp_path, Console())
    shown.target = None  # type: ignore[assignment]
    (lending, _) = SHOWCASES["synthetic"]
    shown._of(lending)["run_id"] = "0" * 16
    with pytest.raises(PlatformError, match="not accounted for"):
        shown._read_back(lending)


def test_every_portfolio_is_shown_and_what_it_shows_exists() -> None:
    assert {show.portfolio for show in SHOWCASES["synthetic"]} == set(naming.PORTFOLIOS)
    for show in (show for shows in SHOWCASES.values() for show in shows):
        assert show.dataset in datasets.SOURCES
        assert (checkout() / show.example).is_file() and show.question in queries.read()
        given = json.loads((checkout() / show.example).read_text())
        assert {f.name for f in specification.load(show.portfolio).features} <= set(given)
