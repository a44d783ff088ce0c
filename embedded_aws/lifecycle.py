"""Start, stop and look at the embedded AWS of a folder. Imports neither ministack nor boto3, so it costs nothing."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from embedded_aws import recovery
from embedded_aws.ownership import FILE
from embedded_aws.saving import OUTCOME
from embedded_aws.settings import environment

STORED = ("state", "s3", "tmp", "jobs", "sagemaker", "redshift")
HEALTH = "/_ministack/health"
LOG = "embedded-aws.log"
FORMAT = "2"  # of what a home stores; 2: the warehouse knows who may do what
_STARTS = 5  # how many ports are tried that others take meanwhile
_START_SECONDS = 60
_STOP_SECONDS = 10.0


class LifecycleError(Exception):
    """The embedded AWS could not be started or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class Running:
    """A healthy embedded AWS. `notice` tells the person of another port than asked for, and of what was lost."""

    url: str
    port: int
    pid: int
    log: str
    notice: str = ""


def up(home: Path, port: int = 4566, reset: bool = False) -> Running:
    """Start the embedded AWS whose state lies in `home` and return once it answers; one that runs is returned as it is.

    A taken port is passed over for the next free one; after a crash, or when something ran at the end, it is said what
    was lost: `Running.notice`. `reset` stops a running one and forgets all state first. Raises LifecycleError, with the
    end of the log, when it does not come up.
    """
    home = home.resolve()
    if reset:
        _stop(home)
        _forget(home)
    elif (running := status(home)) is not None:
        return running
    _require_format(home)
    crashed = _reap(home)
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    free = port
    for _ in range(_STARTS):
        free = _free_port(free)
        notice = f"Port {port} is taken by another program; the embedded AWS uses {free}." if free != port else ""
        if running := _start(home, free, notice):
            return replace(running, notice=" ".join(filter(None, [notice, crashed, _interrupted(home)])))
        if _free(free):  # nobody took the port between the look and the start: it failed for a reason of its own
            break
    log = home / LOG
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise LifecycleError(f"The embedded AWS did not come up on port {free}. The end of {log}:\n{tail}")


def _start(home: Path, port: int, notice: str) -> Running | None:
    """Start the process and wait until it answers; None when it ended, or did not answer in time and was ended."""
    log = home / LOG
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "embedded_aws"],
            env=environment(home, port),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its own group: `down` can then end every process it started
        )
    running = Running(f"http://127.0.0.1:{port}", port, process.pid, str(log), notice)
    _record(home, running)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(running.url, home):
            return running
        time.sleep(0.05)
    _kill_group(process.pid, signal.SIGKILL)
    _pid_file(home).unlink(missing_ok=True)
    return None


def down(home: Path) -> bool:
    """Stop the embedded AWS and everything it started; its state is saved first. False when none was running.

    SIGTERM lets it save; after a few seconds, or once it is gone, the whole group is killed. Raises LifecycleError,
    with everything stopped, when some of its state could not be saved.
    """
    home = home.resolve()
    stopped, unsaved = _stop(home)
    if unsaved:
        raise LifecycleError(
            f"The embedded AWS is stopped, but its state is not saved: {unsaved}. The next `solvent up` brings back "
            f"what was saved before; `solvent up --reset` starts empty. The log: {home / LOG}"
        )
    return stopped


def _stop(home: Path) -> tuple[bool, str]:
    """(whether one was running, what could not be saved)."""
    recorded = _recorded(home)
    if recorded is None or not _is_ours(recorded.pid, home):
        _pid_file(home).unlink(missing_ok=True)
        return False, ""
    (home / OUTCOME).unlink(missing_ok=True)
    with contextlib.suppress(ProcessLookupError):
        os.kill(recorded.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline and _alive(recorded.pid):
        time.sleep(0.03)
    _kill_group(recorded.pid, signal.SIGKILL)
    unsaved = _unsaved(home, recorded.pid)
    _pid_file(home).unlink(missing_ok=True)
    shutil.rmtree(home / "tmp", ignore_errors=True)
    return True, unsaved


def _unsaved(home: Path, pid: int) -> str:
    """What the process that ended says it could not save; it says so, or that all is well, after its last save."""
    try:
        outcome = json.loads((home / OUTCOME).read_text())
    except (OSError, ValueError):
        outcome = {}
    (home / OUTCOME).unlink(missing_ok=True)
    if outcome.get("pid") != pid:
        return "it did not come to the end of its last save"
    return "; ".join(outcome["failed"])


def status(home: Path) -> Running | None:
    """The running, answering embedded AWS of a folder, or None."""
    home = home.resolve()
    recorded = _recorded(home)
    if recorded is None or not _is_ours(recorded.pid, home) or not _answers(recorded.url, home):
        return None
    return recorded


def api_url(endpoint: str, api_id: str) -> str:
    """The address of an HTTP API on its `$default` stage, without a trailing slash."""
    return f"{endpoint}/_aws/execute-api/{api_id}/$default"


def _pid_file(home: Path) -> Path:
    return home / FILE


def _record(home: Path, running: Running) -> None:
    """In one step: the process watches the file and would take half of it for another's."""
    partial = home / f"{FILE}.partial"
    partial.write_text(json.dumps(asdict(running)))
    partial.replace(_pid_file(home))


def _recorded(home: Path) -> Running | None:
    try:
        return Running(**json.loads(_pid_file(home).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _reap(home: Path) -> str:
    """Clear away what a crash left, a stale file or a process of ours that no longer answers; says what is lost."""
    recorded = _recorded(home)
    if recorded is not None:
        if _is_ours(recorded.pid, home) and not _stop(home)[1]:
            return ""  # it hung, but it could save
        _pid_file(home).unlink(missing_ok=True)
        # A killed process counts as dead a moment before its sockets are closed.
        deadline = time.monotonic() + 1
        while not _free(recorded.port) and time.monotonic() < deadline:
            time.sleep(0.01)
        return (
            f"The embedded AWS ended without a last save: it is as it was at {_saved_at(home)}. Later calls are lost, "
            "except objects in S3 and committed rows of the warehouse."
        )
    return ""


def _saved_at(home: Path) -> str:
    """When the last whole save was put in place."""
    try:
        moment = datetime.fromtimestamp((home / "state" / "saved").stat().st_mtime, UTC)
    except OSError:
        return "the very beginning"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _interrupted(home: Path) -> str:
    """What ran when the embedded AWS ended."""
    try:
        found = json.loads((home / recovery.FILE).read_text())
    except (OSError, ValueError):
        return ""
    if not found:
        return ""
    return (
        f"Interrupted, and failed now: {', '.join(found)}. Start it again: "
        "`make demo` deploys, `solvent run` repeats a delivery."
    )


def _forget(home: Path) -> None:
    for name in STORED:
        shutil.rmtree(home / name, ignore_errors=True)
    for name in (LOG, "format"):
        (home / name).unlink(missing_ok=True)


def _require_format(home: Path) -> None:
    """Mark a home with the format of what it stores. Raises LifecycleError for one of another format."""
    marker = home / "format"
    before = (
        marker.read_text() if marker.exists() else "1" if any((home / name).exists() for name in STORED) else FORMAT
    )
    if before != FORMAT:
        raise LifecycleError(
            f"What {home} stores is of another version of the embedded AWS (format {before}, this one has {FORMAT}): "
            "its warehouse would refuse its own loads. Nothing was started or changed. `solvent up --reset` starts "
            "empty: what was deployed and delivered there is forgotten; deploy and deliver it again."
        )
    home.mkdir(parents=True, exist_ok=True)
    marker.write_text(FORMAT)


def _free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 50):
        if _free(port):
            return port
    raise LifecycleError(f"Ports {wanted} to {wanted + 49} of 127.0.0.1 are all taken. Name another: solvent up --port")


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _answers(url: str, home: Path) -> bool:
    """Whether the embedded AWS of this very folder answers there (and not another program on the same port)."""
    try:
        with urllib.request.urlopen(url + HEALTH, timeout=2) as answer:  # noqa: S310
            return answer.headers.get("x-solvent-home") == str(home)
    except OSError:
        return False


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # when it is our own child, a zombie must not count as alive
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    """Dead, but not yet collected by its parent; where the first process collects nobody (containers) it stays so."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False  # gone meanwhile, or a system without /proc


def _kill_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _is_ours(pid: int, home: Path) -> bool:
    """Whether the process is the embedded AWS of this folder: a recycled process id must never be killed.

    Group leadership is checked everywhere; the command line where the system shows it without extra tools.
    """
    if not _alive(pid):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) != pid:
            return False
    command = Path(f"/proc/{pid}/cmdline")
    if command.exists():
        return b"embedded_aws" in command.read_bytes()
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return "embedded_aws" in shown.stdout
