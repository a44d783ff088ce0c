"""What a new release would take away from the last one. Nothing of it happens unless it is acknowledged by name.

Compared are two assemblies of one environment: outputs that others read, and resources that hold data.
Run as `python -m gates.delivery` (`make check-release`), after `make synth`.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from gates.assembly import ROOT, SUFFIX, Assembly
from gates.delivery import replacement
from gates.delivery.last_release import NoComparison, last_release
from gates.outcome import SHORTEST_REASON, Finding

ACKNOWLEDGED = ROOT / "docs" / "releases" / "next.yaml"
# How much of a resource survives its removal from the stack. A policy that is not written is Delete.
STRENGTH = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}


class Acknowledgment(BaseModel):
    """One finding that is meant to happen: `<rule> <where>`, as the gate prints it, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    finding: str
    reason: Annotated[str, Field(min_length=SHORTEST_REASON)]


class _Acknowledgments(BaseModel):
    model_config = ConfigDict(extra="forbid")
    acknowledged: list[Acknowledgment]


def compare(old: Assembly, new: Assembly) -> list[Finding]:
    """Every output and every resource with data that `old` has and `new` removes, replaces or protects less."""
    findings: list[Finding] = []
    for name in old.templates:
        if name not in new.templates:
            text = "the stack is gone: it stays in the account and nobody updates it. Destroy it by hand, or keep it"
            findings.append(Finding("stack-removed", old.part(name), text))
            continue
        findings += _outputs(old, new, name)
        findings += _removed(old, new, name)
        findings += _weakened(old, new, name)
        if old.protected[name.removesuffix(SUFFIX)] and not new.protected[name.removesuffix(SUFFIX)]:
            text = "termination protection is off: one command deletes the stack. Switch it on again"
            findings.append(Finding("protection-dropped", old.part(name), text))
    for where, cause in replacement.replaced(old, new).items():
        name, _, logical_id = where.partition("/")
        if lost := replacement.holds(old.templates[name]["Resources"][logical_id]["Type"]):
            kept = _fate(old, name, logical_id, "UpdateReplacePolicy")
            text = (
                f"{cause}, so CloudFormation makes a new one; the old one {kept}, with {lost}. "
                "Undo the change, or move what it holds first"
            )
            findings.append(Finding("resource-replaced", f"{old.part(name)}/{logical_id}", text))
    return sorted(findings)


def _outputs(old: Assembly, new: Assembly, name: str) -> Iterator[Finding]:
    after = new.templates[name].get("Outputs", {})
    for output, before in old.templates[name].get("Outputs", {}).items():
        where = f"{old.part(name)}/{output}"
        export = before.get("Export", {}).get("Name")
        if output not in after:
            readers = sorted(_readers(old, name, output))
            text = (
                f"the last release's stack {', '.join(readers)} reads this output: until it is deployed itself, it can "
                "be neither updated nor rolled back. Keep the output for one release, remove it in the next"
                if readers
                else "people and programs may read this output. Keep it, or tell them"
            )
            yield Finding("output-removed", where, text)
        elif export is not None and after[output].get("Export", {}).get("Name") != export:
            text = f"the export {export} is gone: a stack that imports it stops the deploy. Keep its name"
            yield Finding("export-removed", where, text)


def _readers(assembly: Assembly, name: str, output: str) -> Iterator[str]:
    """The stacks that refer to an output of another one."""
    wanted = {"StackName": name.removesuffix(SUFFIX), "OutputName": output}
    for other, template in assembly.templates.items():
        if any(wanted.items() <= reference.items() for reference in replacement.stack_outputs(template)):
            yield assembly.part(other)


def _removed(old: Assembly, new: Assembly, name: str) -> Iterator[Finding]:
    for logical_id, resource in old.templates[name]["Resources"].items():
        lost = replacement.holds(resource["Type"])
        if lost and logical_id not in new.templates[name]["Resources"]:
            kept = _fate(old, name, logical_id, "DeletionPolicy")
            text = (
                f"{resource['Type']} has no such logical id any more: what is deployed {kept}, with {lost}. "
                "Give the construct its old id and place back (or its logical id: override_logical_id)"
            )
            yield Finding("resource-removed", f"{old.part(name)}/{logical_id}", text)


def _weakened(old: Assembly, new: Assembly, name: str) -> Iterator[Finding]:
    for logical_id, before in old.templates[name]["Resources"].items():
        after = new.templates[name]["Resources"].get(logical_id)
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            was = before.get(policy, "Delete")
            now = (after or before).get(policy, "Delete")
            if STRENGTH[now] < STRENGTH[was]:
                text = f"{policy} was {was} and is {now}: what it holds goes with it. Set it back"
                yield Finding("policy-weakened", f"{old.part(name)}/{logical_id}", text)


def _fate(assembly: Assembly, name: str, logical_id: str, policy: str) -> str:
    strength = STRENGTH[assembly.templates[name]["Resources"][logical_id].get(policy, "Delete")]
    return ("is deleted", "is deleted after a snapshot", "stays in the account, outside the platform")[strength]


def acknowledgments(path: Path = ACKNOWLEDGED) -> list[Acknowledgment]:
    """What the next release does on purpose; raises ValidationError that names what is wrong in the file."""
    return _Acknowledgments.model_validate(yaml.safe_load(path.read_text())).acknowledged


def unexplained(
    found: Mapping[str, list[Finding]], accepted: list[Acknowledgment]
) -> tuple[dict[str, list[Finding]], list[Finding]]:
    """By environment, the findings that nobody acknowledged; and the acknowledgments that no finding needs."""
    names = {acknowledgment.finding for acknowledgment in accepted}
    left = {env: [f for f in findings if _name(f) not in names] for env, findings in found.items()}
    needed = {_name(finding) for findings in found.values() for finding in findings}
    stale = [
        Finding("stale-acknowledgment", name, f"nothing of this kind is found. Remove it from {ACKNOWLEDGED.name}")
        for name in sorted(names - needed)
    ]
    return left, stale


def _name(finding: Finding) -> str:
    return f"{finding.rule} {finding.where}"


def main(arguments: list[str]) -> int:
    """Compare both environments with the last release; 1 when something is lost that nobody acknowledged."""
    parser = argparse.ArgumentParser(prog="python -m gates.delivery", description=__doc__)
    parser.add_argument(
        "--against", default="", help="a git ref, or a folder with dev/ and prod/; default: last tag v*"
    )
    parser.add_argument("--acknowledged", type=Path, default=ACKNOWLEDGED, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    found: dict[str, list[Finding]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        try:
            released = last_release(given.against, Path(scratch))
            for environment, old in (released.assemblies if released else {}).items():
                found[environment] = compare(old, Assembly.synthesized(environment))
        except (NoComparison, FileNotFoundError) as error:
            print(error)
            return 1
    print(f"· compared with {released.name}" if released else "· no release yet (no tag v*): nothing to compare")
    left, stale = unexplained(found, acknowledgments(given.acknowledged))
    for environment, findings in left.items():
        accepted = len(found[environment]) - len(findings)
        mark = "FAIL" if findings else "ok"
        print(f"{mark:4} release          {environment:5} {len(findings)} findings, {accepted} acknowledged")
        for finding in findings:
            print(f"     {finding}")
    for finding in stale:
        print(f"FAIL {finding}")
    if any(left.values()):
        print(f"What is meant to happen is acknowledged by name, with its reason, in {given.acknowledged.name}.")
    return int(bool(stale) or any(left.values()))
