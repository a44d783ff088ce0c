"""What is known of CloudFormation itself: CDK's built-in validation and cfn-lint."""

import json
import subprocess
import sys
from pathlib import Path

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome

# W3005, "dependency already enforced by a GetAtt": CDK lists the role beside its policy; the order is right either way.
CFN_LINT_IGNORED = ("W3005",)


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
    """Types, required properties, references, allowed values. Warnings count."""
    tool = str(Path(sys.executable).parent / "cfn-lint")
    command = [tool, "--format", "json", "--ignore-checks", *CFN_LINT_IGNORED, "--template", *map(str, assembly.paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    looked_at = f"{len(assembly.paths)} templates"
    try:
        matches = json.loads(run.stdout or "[]")
    except json.JSONDecodeError:
        return Outcome(looked_at, [Finding("not-run", "cfn-lint", (run.stdout + run.stderr)[-500:])])
    found = [
        Finding(m["Rule"]["Id"], f"{Path(m['Filename']).name}:{m['Location']['Start']['LineNumber']}", m["Message"])
        for m in matches
    ]
    if run.returncode and not found:
        found = [Finding("not-run", "cfn-lint", run.stderr[-500:])]
    return Outcome(looked_at, found)
