"""What is known of CloudFormation itself: CDK's built-in validation and cfn-lint."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome


def built_in(assembly: Assembly) -> Outcome:
    """CDK's own template validation and annotations, as the CLI's synth reported them."""
    plugins = json.loads((assembly.folder / "validation-report.json").read_text())["pluginReports"]
    findings = []
    if not any(plugin["pluginName"] == "CloudFormation Validate" for plugin in plugins):
        findings.append(Finding("not-run", "validation-report.json", "the validation did not run"))
    for plugin in plugins:
        for violation in plugin["violations"]:
            where = ", ".join(construct["constructPath"] for construct in violation["violatingConstructs"])
            findings.append(Finding(f"{plugin['pluginName']} {violation['ruleName']}", where, violation["description"]))
    return Outcome(f"{len(assembly.paths)} templates", findings)


def cfn_lint(assembly: Assembly) -> Outcome:
    """Types, properties, references, values, for the environment's region. Warnings count, and so does information."""
    tool = str(Path(sys.executable).parent / "cfn-lint")
    command = [tool, "--format", "json", "--include-checks", "I", "--regions", assembly.region, "--template"]
    run = subprocess.run([*command, *map(str, assembly.paths)], capture_output=True, text=True, check=False)
    looked_at = f"{len(assembly.paths)} templates"
    try:
        matches = json.loads(run.stdout or "[]")
    except json.JSONDecodeError:
        return Outcome(looked_at, [Finding("not-run", "cfn-lint", (run.stdout + run.stderr)[-500:])])
    found = [Finding(match["Rule"]["Id"], _where(match), match["Message"]) for match in matches]
    if run.returncode and not found:
        found = [Finding("not-run", "cfn-lint", run.stderr[-500:])]
    return Outcome(looked_at, found)


def _where(match: dict[str, Any]) -> str:
    """`<template>/<logical id>`; the template alone where no resource is concerned."""
    section, *inside = match["Location"]["Path"] or [""]
    template = Path(match["Filename"]).name
    return f"{template}/{inside[0]}" if section == "Resources" and inside else template
