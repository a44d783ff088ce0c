"""Seeding every fault, asking every gate, and saying which of them name what the clean assembly does not show."""

import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gates.assembly import Assembly
from gates.delivery.release import compare
from gates.faults.fault import Fault, copy
from gates.outcome import Finding, Gate
from gates.registry import GATES, IN_CDK

# The first objects to any change of the assembly, whatever it is; the second reads what the synth has reported; the
# third never fails.
NOT_ASKED = ("up-to-date", "built-in", "nist-800-53-r5")
# These judge one template, or one definition, at a time: all damaged ones are put before them at once.
ONE_BY_ONE = ("cdk-nag-aws-solutions", "cdk-nag-serverless", "cfn-lint", "checkov", "cfn-guard", "asl-validator")
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
    asked = [name for name in GATES if name not in NOT_ASKED]
    return _at_once(asked, lambda name: GATES[name](assembly).findings)


Known = Mapping[str, list[Finding]]  # gate -> what it objects to in the clean assembly


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
    """Seed faults of one environment, each by itself, and ask the gates that `known` (`clean_findings`) names."""
    caught = [Caught(fault) for fault in faults]
    damaged = [copy(clean, fault, scratch / f"F{number:03}") for number, fault in enumerate(faults)]
    together = _together(clean, damaged, faults, scratch / "together")
    seen = {name: {(finding.rule, finding.where) for finding in findings} for name, findings in known.items()}

    def answers(name: str) -> list[tuple[int, Finding]]:
        if name in ONE_BY_ONE:
            return list(_batch(GATES[name], together, seen[name]))
        return list(_each(name, GATES[name], damaged, caught))

    for name, found in _at_once(list(known), answers).items():
        for number, finding in found:
            if (finding.rule, finding.where) not in seen[name]:
                caught[number].findings[name].add(finding)
    for one, assembly in zip(caught, damaged, strict=True):
        one.findings["release"].update(compare(clean, assembly))
    return caught


def _at_once(names: Sequence[str], ask: Callable[[str], T]) -> dict[str, T]:
    """The answer for each gate. CDK, in one Node process, answers one caller; most others wait for processes."""
    with ThreadPoolExecutor(1) as cdk, ThreadPoolExecutor(2) as others:
        answers = {name: (cdk if name in IN_CDK else others).submit(ask, name) for name in names}
        return {name: answer.result() for name, answer in answers.items()}


def _together(clean: Assembly, damaged: list[Assembly], faults: Sequence[Fault], folder: Path) -> Assembly:
    """The clean assembly, and beside its templates and definitions all damaged ones, each under its number."""
    folder.mkdir()
    for path in clean.folder.glob("*.json"):
        (folder / path.name).symlink_to(path.resolve())
    together = Assembly(clean.environment, folder)
    together.definitions = dict(clean.definitions)
    for number, (fault, assembly) in enumerate(zip(faults, damaged, strict=True)):
        # Copied: cfn-guard calls a document by the name of the file that a link leads to.
        shutil.copyfile(assembly.folder / fault.template, folder / f"F{number:03}-{fault.template}")
        for name, definition in assembly.definitions.items():
            if definition != clean.definitions.get(name):
                together.definitions[f"F{number:03}-{name}"] = definition
    return together


def _batch(gate: Gate, together: Assembly, seen: set[tuple[str, str]]) -> Iterator[tuple[int, Finding]]:
    for finding in gate(together).findings:
        if number := _NUMBER.search(finding.where):
            yield int(number[1]), Finding(finding.rule, finding.where.replace(number[0], "", 1), finding.text)
        elif (finding.rule, finding.where) not in seen:
            raise RuntimeError(f"A finding that belongs to no fault: {finding}")


def _each(name: str, gate: Gate, damaged: list[Assembly], caught: list[Caught]) -> Iterator[tuple[int, Finding]]:
    for number, assembly in enumerate(damaged):
        try:
            findings = gate(assembly).findings
        except Exception as error:
            caught[number].broken.append(f"{name} ({error!r})")
            continue
        yield from ((number, finding) for finding in findings)
