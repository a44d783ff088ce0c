"""Loaded at the start of every job's process: no way out to a real AWS, or to anything else.

SOLVENT_NETWORK=loopback lets a job talk to the embedded AWS only; SOLVENT_NETWORK=none refuses every connection, as AWS
does for a network-isolated job. An audit hook sees each connection that Python makes and cannot be removed.
"""

import os
import sys

_ALLOWED = os.environ.get("SOLVENT_NETWORK", "none")
_LOOPBACK = ("127.", "::1", "localhost")


def _refuse_outside(event: str, arguments: tuple) -> None:
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


sys.addaudithook(_refuse_outside)
