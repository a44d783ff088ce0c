"""Save the state every few seconds while something happens, so that a crash loses seconds and not the day.

ministack saves when it shuts down. Here the files of all services are replaced in one step, after all were copied, so
that what a crash leaves is one moment's state and not a mixture. Objects in S3 and rows in the warehouse are on disk in
any case.
"""

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from embedded_aws import adapter

SECONDS = 3.0
OUTCOME = "saved.json"  # in the home: what the process that ended saved, for `lifecycle.down`
_SHARE = 0.03  # of one core at most goes into saving: the larger the state, the longer the pauses
# While a stack changes, a save would hold resources that no stack knows of yet, in the way of the next deploy for good.
# A change that takes longer than this is saved all the same.
_DEPLOY_SECONDS = 60.0
_LOOKING_SECONDS = 0.5
_READING = ("GET", "HEAD", "OPTIONS")


class Failures(logging.Handler):
    """What could not be saved: ministack logs it as an error and goes on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class Saver(threading.Thread):
    """Saves in the background until it is stopped; not while `allowed` says that the folder is not ours any more."""

    def __init__(self, allowed: Callable[[], bool] = lambda: True) -> None:
        super().__init__(name="saver", daemon=True)
        self._asked, self._stopped = threading.Event(), threading.Event()
        self._allowed, self._working, self._cost = allowed, False, 0.0
        self._failures = Failures()

    def saw(self, method: str) -> None:
        """A request was received: it may change something (the JSON protocols post even what only reads)."""
        if method not in _READING:
            self._asked.set()

    def run(self) -> None:
        # One line per service and save would bury everything else; errors still show.
        logging.getLogger("persistence").setLevel(logging.WARNING)
        saved = quiet = time.monotonic()  # when we last saved, and when we last saw no stack change
        while not self._stopped.wait(min(SECONDS, _LOOKING_SECONDS)):
            now = time.monotonic()
            if not _stacks_change():
                quiet = now
            due = now - saved >= max(SECONDS, self._cost / _SHARE) and (now == quiet or now - quiet >= _DEPLOY_SECONDS)
            if due and (self._asked.is_set() or self._working) and self._allowed():
                self._asked.clear()
                self._working = _executions_run()
                begun = time.thread_time()
                save_whole()
                saved, self._cost = now, time.thread_time() - begun

    def stop(self) -> None:
        """Return once no save is under way: two at a time would write the same temporary files."""
        self._stopped.set()
        if self.is_alive():
            self.join()
        logging.getLogger("persistence").addHandler(self._failures)

    def report(self, home: Path) -> None:
        """After the last save: leave word of what could not be saved since `stop`."""
        outcome = home / OUTCOME
        outcome.write_text(json.dumps({"pid": os.getpid(), "failed": self._failures.messages}))


def open_folder(folder: Path) -> None:
    """Keep the services' files in `folder` from now on, whole even when the last save was interrupted."""
    fresh, former = folder.with_name("saving"), folder.with_name("former")
    if not folder.exists() and fresh.exists():  # interrupted between the two steps of _exchange
        fresh.rename(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in (fresh, former):
        shutil.rmtree(leftover, ignore_errors=True)
    adapter.STATE_FOLDER.replace(str(folder))
    quick = ModuleType("json")
    vars(quick).update({**vars(json), "dump": _dump})
    adapter.STATE_JSON.replace(quick)


def _dump(value: Any, file: TextIO, default: Callable[[Any], Any]) -> None:
    file.write(json.dumps(value, default=default))


def save_whole() -> None:
    """Write what every service holds at this moment into a new folder, and put that in the place of the old one."""
    from ministack.core.persistence import save_all  # not before the version of ministack was checked

    folder = Path(adapter.STATE_FOLDER.get())
    fresh = folder.with_name("saving")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    copies = {name: _copied(state) for name, state in adapter.SAVED_STATE.get()().items()}
    adapter.STATE_FOLDER.replace(str(fresh))
    try:
        save_all(copies)
    finally:
        adapter.STATE_FOLDER.replace(str(folder))
    _exchange(folder, fresh)


def _exchange(folder: Path, fresh: Path) -> None:
    """Two steps, between which a crash leaves no `folder`; `open_folder` then takes the complete new one."""
    for file in folder.glob("*.json"):
        if not (fresh / file.name).exists():  # a service that was not asked yet, or could not be saved
            shutil.copy2(file, fresh)
    former = folder.with_name("former")
    folder.rename(former)
    fresh.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def _copied(state: Callable[[], Any]) -> Callable[[], Any]:
    try:
        copy = _patient(state)()
    except Exception:
        return state  # save_all calls it once more and reports why it cannot be copied
    return lambda: copy


def _executions_run() -> bool:
    """Whether an execution is running: it changes state although nobody asks."""
    found = _patient(lambda: list(adapter.SFN_EXECUTIONS.get().all_values()))()
    return any(execution.get("status") == "RUNNING" for execution in found)


def _stacks_change() -> bool:
    found = _patient(lambda: list(adapter.STACKS.get().all_values()))()
    return any(str(stack.get("StackStatus")).endswith("_IN_PROGRESS") for stack in found)


def _patient(state: Callable[[], Any]) -> Callable[[], Any]:
    """The function, called again when what it copies grew under its hands: requests go on while we save."""

    def copied() -> Any:
        for _ in range(5):
            try:
                return state()
            except RuntimeError:
                time.sleep(0.02)
        return state()

    return copied
