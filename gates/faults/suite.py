"""Seeding every fault, asking the gate that must name it, and saying whether it does.

What the clean assembly shows already names no fault. When a fault is missed, all gates are asked, to say who names it.
"""

import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from gates.assembly import Assembly
from gates.delivery.release import compare
from gates.faults.fault import Fault, copy
from gates.outcome import Finding, Gate, Outcome
from gates.registry import GATES, IN_CDK
from gates.templates import guard

# The first objects to any change of the assembly, whatever it is; the second reads what the synth has reported; the
# third never fails.
NOT_ASKED = ("up-to-date", "built-in", "nist-800-53-r5")
# These judge one template, or one definition, at a time: all damaged ones are put before them at once.
ONE_BY_ONE = ("cdk-nag-aws-solutions", "cdk-nag-serverless", "cfn-lint", "checkov", "cfn-guard", "asl-validator")
Known = Mapping[str, list[Finding]]  # gate -> what it objects to in the clean assembly
T = TypeVar("T")
_NUMBER = re.compile(r"\bF(\d{3})-")


@dataclass
class Caught:
    """What the gates found of one fault that is not in the clean assembly, and which of them broke on it."""

    fault: Fault
    findings: dict[str, set[Finding]] = field(default_factory=lambda: defaultdict(set))
    broken: list[str] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """`<gate> <rule>` of everything that was found."""
        return {f"{gate} {finding.rule}" for gate, found in self.findings.items() for finding in found}

    @property
    def missed(self) -> str:
        """What to tell a person when the gate that should name the fault does not; empty when it does."""
        if self.fault.caught_by in self.names:
            return ""
        others = ", ".join(sorted(self.names)) or "nobody does"
        broken = f"; broken on it: {', '.join(self.broken)}" if self.broken else ""
        return f"{self.fault.name} ({self.fault.target}): {self.fault.caught_by} does not name it; {others}{broken}"


def clean_findings(assembly: Assembly) -> dict[str, list[Finding]]:
    """What each gate objects to in an assembly as it is."""
    gates = _gates(assembly)
    return _at_once(gates, lambda name: gates[name](assembly).findings)


def nothing_found(assembly: Assembly) -> dict[str, list[Finding]]:
    """`clean_findings` of an assembly that `make check` has found clean, without asking again."""
    return {name: [] for name in _gates(assembly)}


def run_all(
    faults: Sequence[Fault], clean: Mapping[str, Assembly], known: Mapping[str, Known], scratch: Path
) -> list[Caught]:
    """All faults, each in its environment (`clean` and `known` by environment), in their order."""
    caught: dict[str, Caught] = {}
    for environment in sorted({fault.environment for fault in faults}):
        here = [fault for fault in faults if fault.environment == environment]
        (folder := scratch / environment).mkdir()
        caught |= {one.fault.name: one for one in run(here, clean[environment], known[environment], folder)}
    return [caught[fault.name] for fault in faults]


def run(faults: Sequence[Fault], clean: Assembly, known: Known, scratch: Path) -> list[Caught]:
    """Seed faults of one environment, each by itself. `known` is `clean_findings(clean)`."""
    seeded = [
        _Seeded(number, Caught(fault), copy(clean, fault, scratch / f"F{number:03}"))
        for number, fault in enumerate(faults)
    ]
    by_gate = defaultdict(list)
    for one in seeded:
        by_gate[one.caught.fault.gate].append(one)
    _ask(by_gate, clean, known, scratch / "own", own=True)
    if missed := [one for one in seeded if one.caught.missed]:
        _ask(dict.fromkeys(known, missed), clean, known, scratch / "all")
    return [one.caught for one in seeded]


@dataclass
class _Seeded:
    number: int
    caught: Caught
    damaged: Assembly


def _ask(
    asked: Mapping[str, Sequence[_Seeded]], clean: Assembly, known: Known, scratch: Path, *, own: bool = False
) -> None:
    """Put before each gate what was seeded for it, and write down what it finds. Nobody asks a gate that is not.

    `own`: each fault is put to the gate that must name it, so of cfn-guard's rules those in the file of its rule do.
    """
    gates = {name: gate for name, gate in _gates(clean).items() if name in asked}
    seen = {name: {(finding.rule, finding.where) for finding in known[name]} for name in gates}

    def answers(name: str) -> list[tuple[_Seeded, Finding]]:
        if name not in ONE_BY_ONE:
            return list(_each(name, gates[name], asked[name]))
        found: list[tuple[_Seeded, Finding]] = []
        parts = _by_file(asked[name]) if own and name == "cfn-guard" else [(gates[name], asked[name])]
        for number, (gate, part) in enumerate(parts):
            found += _batch(gate, _together(clean, part, scratch / f"{name}-{number}"), part, seen[name])
        return found

    for name, found in _at_once(gates, answers).items():
        for one, finding in found:
            if (finding.rule, finding.where) not in seen[name]:
                one.caught.findings[name].add(finding)


def _by_file(seeded: Sequence[_Seeded]) -> list[tuple[Gate, list[_Seeded]]]:
    """cfn-guard with one file of rules, and the faults that a rule in it must name: all rules take ten times longer."""
    files = {rule.id: rule.file for rule in guard.rules()}
    parts = defaultdict(list)
    for one in seeded:
        parts[files.get(one.caught.fault.rule)].append(one)
    return [(partial(guard.cfn_guard, file=file), part) for file, part in parts.items()]


def _gates(clean: Assembly) -> dict[str, Gate]:
    """Who is asked, by name; the release is compared with the clean assembly."""
    gates = {name: gate for name, gate in GATES.items() if name not in NOT_ASKED}
    return {**gates, "release": lambda assembly: Outcome("the clean assembly", compare(clean, assembly))}


def _at_once(names: Iterable[str], ask: Callable[[str], T]) -> dict[str, T]:
    """The answer for each gate. CDK, in one Node process, answers one caller; most others wait for processes."""
    with ThreadPoolExecutor(1) as cdk, ThreadPoolExecutor(2) as others:
        answers = {name: (cdk if name in IN_CDK else others).submit(ask, name) for name in names}
        return {name: answer.result() for name, answer in answers.items()}


def _together(clean: Assembly, seeded: Sequence[_Seeded], folder: Path) -> Assembly:
    """The clean assembly, and beside its templates and definitions the damaged ones, each under its number."""
    folder.mkdir(parents=True)
    for path in clean.folder.glob("*.json"):
        (folder / path.name).symlink_to(path.resolve())
    together = Assembly(clean.environment, folder)
    together.definitions = dict(clean.definitions)
    for one in seeded:
        # Copied: cfn-guard calls a document by the name of the file that a link leads to.
        template = one.caught.fault.template
        shutil.copyfile(one.damaged.folder / template, folder / f"F{one.number:03}-{template}")
        for name, definition in one.damaged.definitions.items():
            if definition != clean.definitions.get(name):
                together.definitions[f"F{one.number:03}-{name}"] = definition
    return together


def _batch(
    gate: Gate, together: Assembly, seeded: Sequence[_Seeded], seen: set[tuple[str, str]]
) -> Iterator[tuple[_Seeded, Finding]]:
    numbered = {one.number: one for one in seeded}
    for finding in gate(together).findings:
        if number := _NUMBER.search(finding.where):
            yield numbered[int(number[1])], Finding(finding.rule, finding.where.replace(number[0], "", 1), finding.text)
        elif (finding.rule, finding.where) not in seen:
            raise RuntimeError(f"A finding that belongs to no fault: {finding}")


def _each(name: str, gate: Gate, seeded: Sequence[_Seeded]) -> Iterator[tuple[_Seeded, Finding]]:
    for one in seeded:
        try:
            findings = gate(one.damaged).findings
        except Exception as error:
            one.caught.broken.append(f"{name} ({error!r})")
            continue
        yield from ((one, finding) for finding in findings)
