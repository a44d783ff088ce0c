"""Loaded at the start of every job's process: no way out to a real AWS, or to anything else, no sight of the
checkout, and no life of its own.

SOLVENT_NETWORK=loopback lets a job talk to this machine only (the embedded AWS, a database); SOLVENT_NETWORK=none
refuses every connection, as AWS does for a network-isolated job. An audit hook sees each connection that Python makes
and cannot be removed.
A process ends with the one that started it (SOLVENT_PARENT, else its parent). SOLVENT_FAULT names a file that takes the
exception a script ends with.
"""

import os
import sys
import threading
import time
from types import TracebackType

_ALLOWED = os.environ.get("SOLVENT_NETWORK", "none")
_LOOPBACK = ("127.", "::1", "localhost")
_PARENT_SECONDS = 0.5
# Drivers of databases that open connections in C, where no hook sees them.
_UNSEEN = ("pymssql", "ibm_db", "psycopg2", "psycopg_c", "psycopg_binary", "MySQLdb")


def _refuse_outside(event: str, arguments: tuple) -> None:
    if event == "import" and arguments[0].partition(".")[0] in _UNSEEN:
        raise PermissionError(f"{arguments[0]} refused: it connects past all checks, so it runs on AWS only.")
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if not isinstance(address, tuple):  # a Unix socket stays on the machine
            return
        host = address[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if _ALLOWED == "loopback" and host.startswith(_LOOPBACK):
        return
    if event == "socket.getaddrinfo" and host.startswith(_LOOPBACK):
        return  # resolving the loopback connects to nothing
    why = "runs with network isolation" if _ALLOWED == "none" else "may reach the embedded AWS only"
    raise PermissionError(f"Connection to {host} refused: this job {why}.")


def _hide_the_checkout() -> None:
    """The packages of an editable install (`solvent`) are in no image: a job must bring what it imports."""
    sys.meta_path[:] = [f for f in sys.meta_path if not getattr(f, "__module__", "").startswith("__editable__")]


def _end_with(parent: int) -> None:
    """An orphan gets another parent, on every Unix; who was killed cannot end its children itself."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(1)


def _record(path: str) -> None:
    """Write the exception that ends the script to a file, beside the traceback that goes to the log."""
    show = sys.excepthook

    def record(kind: type, error: BaseException, trace: TracebackType | None) -> None:
        with open(path, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 (imports little)
            file.write(f"{kind.__name__}: {error}")
        show(kind, error, trace)

    sys.excepthook = record


sys.addaudithook(_refuse_outside)
_hide_the_checkout()
# Taken out of the environment, because a child of this process has this process as its parent.
_parent = int(os.environ.pop("SOLVENT_PARENT", 0)) or os.getppid()
threading.Thread(target=_end_with, args=(_parent,), daemon=True, name="ends-with-its-parent").start()
if _fault := os.environ.pop("SOLVENT_FAULT", ""):
    _record(_fault)
