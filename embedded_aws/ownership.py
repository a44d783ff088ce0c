"""Whose the folder is: `running.json` names the process that serves it, and who is not named any more must go.

A folder that was deleted (`rm -r .solvent`, `git clean -fdx`) takes the file along, and with it the only way to stop
the process: so the process watches the file, and ends itself and everything it started, without saving.
"""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import NoReturn

FILE = "running.json"
SECONDS = 0.5


class Owner(threading.Thread):
    """Watches the file from the moment it first names this process; `lifecycle.up` writes it after the start."""

    def __init__(self, home: Path) -> None:
        super().__init__(name="owner", daemon=True)
        self._file = home / FILE
        self._named = False

    def abandoned(self) -> bool:
        """Whether the file once named this process and is gone, or names another."""
        try:
            named = json.loads(self._file.read_text())["pid"] == os.getpid()
        except (OSError, ValueError, KeyError, TypeError):
            named = False
        self._named = self._named or named
        return self._named and not named

    def run(self) -> None:
        while not self.abandoned():
            time.sleep(SECONDS)
        end_group()


def end_group() -> NoReturn:
    """Kill this process and, where it leads its group, everything it started."""
    if os.getpgrp() == os.getpid():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
