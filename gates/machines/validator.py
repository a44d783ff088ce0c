"""The definitions of the state machines, against the States Language."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome
from scripts import node


def asl_validator(assembly: Assembly) -> Outcome:
    """asl-validator on every definition."""
    findings = [] if assembly.definitions else [Finding("nothing", "state machines", "there is none to validate")]
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for name, definition in assembly.definitions.items():
            path = Path(scratch) / f"{name}.asl.json"
            path.write_text(json.dumps(definition))
            paths += ["--json-path", str(path)]
        run = subprocess.run(
            node.command("asl-validator", *paths), capture_output=True, text=True, env=node.environment(), check=False
        )
    findings += _objections(run.stdout + run.stderr)
    if run.returncode and not findings:
        findings.append(Finding("not-run", "asl-validator", (run.stdout + run.stderr)[-500:]))
    return Outcome(f"{len(assembly.definitions)} definitions", findings)


def _objections(printed: str) -> Iterator[Finding]:
    """asl-validator prints a line for each definition, with its path, and below it a line for each objection."""
    machine = ""
    for line in printed.splitlines():
        if path := re.search(r'"(.+)\.asl\.json" is (in)?valid', line):
            machine = Path(path[1]).name
        elif objection := re.match(r"\s*([A-Z_]+): (.+)", line):
            yield Finding(objection[1], machine, objection[2])
