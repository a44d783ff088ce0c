"""What is asked of the sources themselves, by ruff, mypy and the tests of the repository."""

import os
import re
import subprocess
import sys

from gates.assembly import ROOT
from gates.outcome import Finding, Outcome

CHECKS: dict[str, tuple[str, ...]] = {
    "ruff": ("ruff", "check", "--output-format", "concise", "."),
    "ruff-format": ("ruff", "format", "--check", "--output-format", "concise", "."),
    "mypy": ("mypy",),
    "repository": ("pytest", "-q", "--tb=no", "-rfE", "tests/repo"),
}
_FINDING = re.compile(r"^(\S+:\d+:|FAILED |ERROR )")


def check(name: str) -> Outcome:
    """Run one of CHECKS on the whole repository."""
    command = [sys.executable, "-m", *CHECKS[name]]
    wide = {**os.environ, "COLUMNS": "400"}  # pytest cuts what a failed test says at the width of the screen
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=wide)
    lines = (run.stdout + run.stderr).splitlines()
    if run.returncode == 0:
        return Outcome(lines[-1])
    findings = [Finding(name, line) for line in lines if _FINDING.match(line)]
    return Outcome("the sources", findings or [Finding("not-run", name, "\n".join(lines[-20:]))])
