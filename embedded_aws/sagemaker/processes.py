"""Processes of jobs and containers: their environment, and /opt/ml in the job's own folder."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded_aws import service

SANDBOX = Path(__file__).parents[1] / "sandbox"
_OPT_ML = "/opt/ml"


def folder(*parts: str) -> Path:
    """A folder of SageMaker's under the embedded AWS' home."""
    return service.home().joinpath("sagemaker", *parts)


def mapped(value: str, opt_ml: Path) -> str:
    """A value with /opt/ml replaced by the folder that stands for it."""
    return value.replace(_OPT_ML, str(opt_ml)) if _OPT_ML in value else value


def environment(role: str, opt_ml: Path, code: Path, variables: Mapping[str, Any], *, isolated: bool) -> dict[str, str]:
    """The environment of a container: no credentials and no network when isolated, else the role's and the loopback.

    The code's folder comes first on Python's path, as /opt/ml/code does in a container.
    """
    return service.child_env(
        None if isolated else role,
        "SageMaker",
        **{name: mapped(str(value), opt_ml) for name, value in variables.items()},
        SOLVENT_NETWORK="none" if isolated else "loopback",
        PYTHONPATH=os.pathsep.join([str(SANDBOX), str(code)]),
        PYTHONDONTWRITEBYTECODE="1",
    )


class Logs:
    """Lines of a container, sent to its CloudWatch log stream about once a second."""

    def __init__(self, group: str, stream: str, role: str) -> None:
        self._group, self._stream, self._role = group, stream, role
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, line: str) -> None:
        """Keep a line until it is sent."""
        with self._lock:
            self._lines.append(line)
            if self._timer is None:
                self._timer = threading.Timer(1.0, self.send)
                self._timer.daemon = True
                self._timer.start()

    def send(self) -> None:
        """Send what has come in; a log that cannot be written must not fail a job."""
        with self._lock:
            lines, self._lines, self._timer = self._lines, [], None
        if lines:
            try:
                service.log_lines(self._group, self._stream, "\n".join(lines), self._role)
            except Exception:
                service.log.warning("log lines of %s were not written", self._stream, exc_info=True)
