"""The gates of the templates: `python -m scripts.gates`, after `make synth`. One line each; any finding is an error.

A warning counts as a finding. What is acknowledged is acknowledged in the stacks, on one resource, with a reason.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scripts import assemblies, node

# W3005, "dependency already enforced by a GetAtt": CDK lists the role beside its policy; the order is right either way.
CFN_LINT_IGNORED = ("W3005",)


@dataclass
class Outcome:
    """What a gate looked at and what it found."""

    looked_at: str
    findings: list[str] = field(default_factory=list)


def cdk_nag(environment: str) -> Outcome:
    """AwsSolutions, through a synth in this process."""
    from scripts import nag  # not above: importing CDK starts Node, and `main` says first which one

    return Outcome(*nag.check(environment))


def built_in(environment: str) -> Outcome:
    """CDK's own template validation and annotations, as the CLI's synth reported them."""
    report = json.loads((assemblies.folder(environment) / "validation-report.json").read_text())
    plugins = report["pluginReports"]
    findings = (
        [] if any(p["pluginName"] == "CloudFormation Validate" for p in plugins) else ["the validation did not run"]
    )
    for plugin in plugins:
        for violation in plugin["violations"]:
            where = ", ".join(c["constructPath"] for c in violation["violatingConstructs"])
            findings.append(f"{plugin['pluginName']} {violation['ruleName']} {violation['description']}: {where}")
    return Outcome(f"{len(assemblies.templates(assemblies.folder(environment)))} templates", findings)


def cfn_lint(environment: str) -> Outcome:
    files = sorted(assemblies.folder(environment).glob("*.template.json"))
    ignored = ["--ignore-checks", *CFN_LINT_IGNORED]
    command = [
        str(Path(sys.executable).parent / "cfn-lint"),
        "--format",
        "json",
        *ignored,
        "--template",
        *map(str, files),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        matches = json.loads(run.stdout or "[]")
    except json.JSONDecodeError:
        return Outcome(f"{len(files)} templates", [f"cfn-lint did not run: {(run.stdout + run.stderr)[-500:]}"])
    found = [
        f"{m['Rule']['Id']} {Path(m['Filename']).name}:{m['Location']['Start']['LineNumber']} {m['Message']}"
        for m in matches
    ]
    if run.returncode and not found:
        found = [f"cfn-lint did not run: {run.stderr[-500:]}"]
    return Outcome(f"{len(files)} templates", found)


def state_machines(environment: str) -> Outcome:
    """asl-validator on every definition."""
    definitions = assemblies.definitions(assemblies.folder(environment))
    findings = [] if definitions else ["there is no state machine to validate"]
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for name, definition in definitions.items():
            path = Path(scratch) / f"{name}.asl.json"
            path.write_text(json.dumps(definition))
            paths += ["--json-path", str(path)]
        run = subprocess.run(
            node.command("asl-validator", *paths), capture_output=True, text=True, env=node.environment(), check=False
        )
    if run.returncode:
        findings += [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    return Outcome(f"{len(definitions)} definitions", findings)


GATES: dict[str, Callable[[str], Outcome]] = {
    "cdk-nag": cdk_nag,
    "built-in": built_in,
    "cfn-lint": cfn_lint,
    "asl-validator": state_machines,
}


def main() -> int:
    os.environ.update(node.environment())
    failed = False
    for environment in assemblies.ENVIRONMENTS:
        for name, gate in GATES.items():
            start = time.perf_counter()
            try:
                outcome = gate(environment)
            except FileNotFoundError as error:
                outcome = Outcome("nothing", [str(error)])
            failed |= bool(outcome.findings)
            mark = "FAIL" if outcome.findings else "ok"
            seconds = time.perf_counter() - start
            count = f"{len(outcome.findings)} findings"
            print(f"{mark:4} {name:14} {environment:5} {count:>12}  {seconds:4.1f} s  {outcome.looked_at}")
            for finding in outcome.findings:
                print(f"     {finding}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
