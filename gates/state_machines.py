"""The definitions of the state machines, against the States Language."""

import json
import subprocess
import tempfile
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
    if run.returncode:
        lines = [line.strip() for line in (run.stdout + run.stderr).splitlines() if line.strip()]
        findings += [Finding("asl-validator", line) for line in lines]
    return Outcome(f"{len(assembly.definitions)} definitions", findings)
