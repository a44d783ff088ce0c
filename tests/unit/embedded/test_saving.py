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
from ministack import app
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
def saves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Saves]:
    adapter.STACKS.get(), adapter.SFN_EXECUTIONS.get()  # imported now: seconds, which `settle` would count
    found = Saves()
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path / "saved"))
    saving.open_folder(tmp_path / "saved")
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


def test_a_costly_save_is_followed_by_a_longer_pause(saves: Saves, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of work is paid with half a minute of rest."""
    monkeypatch.setattr(saving.time, "thread_time", iter(range(100)).__next__)
    saves.saver.saw("POST")
    assert saves.settle(1) == 1
    saves.saver.saw("POST")
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


def test_nothing_is_saved_in_the_middle_of_a_deploy(saves: Saves) -> None:
    stacks = adapter.STACKS.get()
    stacks["s"] = {"StackStatus": "UPDATE_IN_PROGRESS"}
    try:
        saves.saver.saw("POST")
        assert saves.settle() == 0
        stacks["s"] = {"StackStatus": "UPDATE_COMPLETE"}
        assert saves.settle(1) == 1
    finally:
        del stacks["s"]


class Folder:
    """The folder of the saved files, with two services whose state is the number of the save."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.number = folder, 0
        monkeypatch.setattr(persistence, "PERSIST_STATE", True)
        monkeypatch.setattr(persistence, "STATE_DIR", str(folder))
        states = dict.fromkeys(("sns", "sqs"), lambda: {"number": self.number})
        monkeypatch.setattr(app, adapter.SAVED_STATE.name, lambda: states)
        saving.open_folder(folder)

    def save(self) -> None:
        self.number += 1
        saving.save_whole()

    def saved(self) -> dict[str, int]:
        return {path.stem: json.loads(path.read_text())["payload"]["number"] for path in self.folder.glob("*.json")}


def test_all_files_of_a_save_are_put_in_place_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path / "saved", monkeypatch)
    folder.save()
    write = persistence.save_state

    def killed(service: str, data: Any) -> None:
        if service == "sqs":
            raise KeyboardInterrupt  # as a crash: the file of SNS is written, that of SQS is not
        write(service, data)

    monkeypatch.setattr(persistence, "save_state", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.save()
    saving.open_folder(folder.folder)
    assert folder.saved() == {"sns": 1, "sqs": 1}
    monkeypatch.setattr(persistence, "save_state", write)
    folder.save()
    assert folder.saved() == {"sns": 3, "sqs": 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]


def test_a_crash_between_the_two_steps_loses_no_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path / "saved", monkeypatch)
    folder.save()
    folder.folder.rename(tmp_path / "former")
    (tmp_path / "saving").mkdir()
    (tmp_path / "saving" / "sns.json").write_text('{"payload": {"number": 2}}')
    saving.open_folder(folder.folder)
    assert folder.saved() == {"sns": 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]


def test_a_service_that_could_not_be_saved_keeps_its_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path / "saved", monkeypatch)
    folder.save()
    write = persistence.save_state
    monkeypatch.setattr(persistence, "save_state", lambda name, data: name == "sns" and write(name, data))
    folder.save()
    assert folder.saved() == {"sns": 2, "sqs": 1}


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
