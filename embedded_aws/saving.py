"""Save the state every few seconds while something happens, so that a crash loses seconds and not the day.

ministack saves when it shuts down. Each service's file is replaced in one step; files of different services may be
some moments apart. Objects in S3 and rows in the warehouse are on disk in any case.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded_aws import adapter

SECONDS = 3.0
OUTCOME = "saved.json"  # in the home: what the process that ended saved, for `lifecycle.down`
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
        self._allowed, self._working = allowed, False
        self._failures = Failures()

    def saw(self, method: str) -> None:
        """A request was received: it may change something (the JSON protocols post even what only reads)."""
        if method not in _READING:
            self._asked.set()

    def run(self) -> None:
        from ministack.core.persistence import save_all  # not before the version of ministack was checked

        # One line per service and save would bury everything else; errors still show.
        logging.getLogger("persistence").setLevel(logging.WARNING)
        while not self._stopped.wait(SECONDS):
            if (self._asked.is_set() or self._working) and self._allowed():
                self._asked.clear()
                self._working = _executions_run()
                save_all({name: _patient(state) for name, state in adapter.SAVED_STATE.get()().items()})

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


def _executions_run() -> bool:
    """Whether an execution is running: it changes state although nobody asks."""
    found = _patient(lambda: list(adapter.SFN_EXECUTIONS.get().all_values()))()
    return any(execution.get("status") == "RUNNING" for execution in found)


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
