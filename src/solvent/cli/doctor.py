"""`solvent doctor`: is this machine fit, and if not, what to do."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console

from solvent.target import checkout, home

Check = tuple[bool, str]


def diagnose(console: Console) -> int:
    """Print one line per check; returns the number of failures (0 = fit)."""
    failures = 0
    for check in CHECKS:
        try:
            good, message = check()
        except Exception as error:  # a check that breaks is itself a finding
            good, message = False, f"{check.__name__.lstrip('_')}: {error}"
        failures += not good
        console.print(f"{'[green]ok[/]  ' if good else '[red]FAIL[/]'} {message}", highlight=False)
    return failures


def _python() -> Check:
    return sys.version_info[:2] == (3, 11), f"Python {sys.version.split()[0]} (3.11 is wanted) at {sys.executable}"


def _packages() -> Check:
    pins = (
        line.split(";")[0].strip().split("==") for line in (checkout() / "requirements.txt").read_text().splitlines()
    )
    wrong = []
    for name, pinned in (pin for pin in pins if len(pin) == 2):
        try:
            installed = version(name.split("[")[0])
        except PackageNotFoundError:
            installed = "missing"
        if installed != pinned:
            wrong.append(f"{name} {installed} (pinned {pinned})")
    return not wrong, "packages as pinned" if not wrong else f"run `make setup`: {', '.join(wrong[:5])}"


def _node() -> Check:
    run = subprocess.run(
        [sys.executable, "-m", "scripts.cdk", "--version"], cwd=checkout(), capture_output=True, text=True
    )  # noqa: S603
    return run.returncode == 0, f"CDK CLI {run.stdout.strip() or run.stderr.strip()[-200:]}"


def _cores_and_memory() -> Check:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return memory >= 3.5, f"{os.cpu_count()} cores, {memory:.0f} GiB of memory (4 GiB are enough)"


def _disk() -> Check:
    free = shutil.disk_usage(checkout()).free / 2**30
    return free >= 3, f"{free:.0f} GiB free on disk (3 GiB are enough)"


def _loopback() -> Check:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return True, f"loopback ports can be opened (tried {port})"


def _embedded() -> Check:
    from embedded_aws import lifecycle

    running = lifecycle.status(home())
    return True, f"the embedded AWS runs at {running.url}" if running else "the embedded AWS is stopped (`solvent up`)"


def _data() -> Check:
    folder = os.environ.get("SOLVENT_DATA", "")
    there = bool(folder) and Path(folder).is_dir()
    return True, f"SOLVENT_DATA={folder}" if there else "no SOLVENT_DATA folder: only `demo --source synthetic` can run"


CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _packages,
    _node,
    _cores_and_memory,
    _disk,
    _loopback,
    _embedded,
    _data,
)
