"""State is saved while something happens, and not otherwise."""

import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ministack")
from ministack.core import persistence

from embedded_aws import adapter, ownership, saving


class Saves:
    """What was saved, and a saver that looks every few milliseconds."""

    def __init__(self) -> None:
        self.saved: list[list[str]] = []
        self.owned = True
        self.saver = saving.Saver(lambda: self.owned)

    def save_all(self, services: dict[str, Any]) -> None:
        self.saved.append(list(services))

    def settle(self, expected: int = 0) -> int:
        """How often it saved: after a while, or longer when that is less often than expected."""
        deadline = time.monotonic() + 5
        time.sleep(0.1)
        while len(self.saved) < expected and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self.saved)


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch) -> Iterator[Saves]:
    found = Saves()
    monkeypatch.setattr(saving, "SECONDS", 0.01)
    monkeypatch.setattr(persistence, "save_all", found.save_all)
    found.saver.start()
    yield found
    found.saver.stop()
    assert not found.saver.is_alive()


def test_a_call_is_saved_once_and_reading_is_not(saves: Saves) -> None:
    saves.saver.saw("GET")
    assert saves.settle() == 0
    saves.saver.saw("POST")
    assert saves.settle(1) == 1
    assert saves.settle() == 1


def test_a_running_execution_is_saved_until_it_has_ended(saves: Saves) -> None:
    executions = adapter.SFN_EXECUTIONS.get()
    executions["long"] = {"status": "RUNNING"}
    try:
        saves.saver.saw("POST")
        assert saves.settle(3) > 2
        executions["long"] = {"status": "SUCCEEDED"}
        ended = saves.settle(len(saves.saved) + 1)
        assert saves.settle() == ended
    finally:
        del executions["long"]


def test_state_that_grows_while_it_is_copied_is_copied_again() -> None:
    attempts = iter([RuntimeError("dictionary changed size during iteration"), {"a": 1}])

    def state() -> Any:
        answer = next(attempts)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert saving._patient(state)() == {"a": 1}


def test_nothing_is_saved_into_a_folder_that_is_anothers(saves: Saves) -> None:
    saves.owned = False
    saves.saver.saw("POST")
    assert saves.settle() == 0


def test_a_failure_of_the_last_save_is_reported_and_one_before_is_not(tmp_path: Path) -> None:
    saver, log = saving.Saver(), logging.getLogger("persistence")
    try:
        log.error("failed to save %s", "before")  # saved again by the last save
        saver.stop()
        log.error("failed to save %s", "sqs")
        log.info("saved %s", "sns")
        saver.report(tmp_path)
    finally:
        log.removeHandler(saver._failures)
    assert json.loads((tmp_path / saving.OUTCOME).read_text()) == {"pid": os.getpid(), "failed": ["failed to save sqs"]}


@pytest.mark.parametrize("then", ["", "{", "[]", '{"pid": 1}'])
def test_a_folder_is_abandoned_when_it_no_longer_names_us(tmp_path: Path, then: str) -> None:
    file, owner = tmp_path / ownership.FILE, ownership.Owner(tmp_path)
    assert not owner.abandoned()  # not named yet
    file.write_text(json.dumps({"pid": os.getpid()}))
    assert not owner.abandoned()
    if then:
        file.write_text(then)
    else:
        file.unlink()
    assert owner.abandoned()
