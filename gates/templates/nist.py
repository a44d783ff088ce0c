"""NIST 800-53 R5 as cdk-nag reads it: reported with its counts, not yet a gate. `python -m gates --report nist`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml
from cdk_nag import NIST80053R5Checks

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome
from gates.templates import nag

FAMILY = "NIST.800.53.R5-"
REASONS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "nist.yaml").read_text())


def check(assembly: Assembly) -> Outcome:
    """Every finding; none of them fails."""
    findings = raw(assembly)
    rules = {finding.rule for finding in findings}
    return Outcome(f"{len(rules)} rules object; --report nist explains them", findings, reported_only=True)


def raw(assembly: Assembly) -> list[Finding]:
    """The findings by rule (without the pack's name) and `<template>/<logical id>`."""
    found = nag.raw(assembly, packs=(NIST80053R5Checks,))
    return [Finding(finding.rule.removeprefix(FAMILY), finding.where, finding.text) for finding in found]


def table(assemblies: Sequence[Assembly]) -> str:
    """In Markdown: how often each rule objects per environment, and why that stands today."""
    counts = {assembly.environment: Counter(f.rule for f in raw(assembly)) for assembly in assemblies}
    lines = [f"| rule | {' | '.join(counts)} | why it stands |", f"|---|{'---|' * len(counts)}---|"]
    for rule in sorted(set().union(*counts.values())):
        numbers = " | ".join(str(count[rule]) for count in counts.values())
        lines.append(f"| {rule} | {numbers} | {REASONS.get(rule, 'not judged yet')} |")
    totals = " | ".join(str(count.total()) for count in counts.values())
    return "\n".join([*lines, f"| all | {totals} | |"])
