"""`python -m gates.security` (`make docs`): write what the gates know into docs/security.md.

The text is written by hand; what stands between a section's marks is replaced. tests/stacks/test_seeded_faults.py
seeds the faults that are listed, and fails when the document is not what it would be now.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import yaml
from pydantic import TypeAdapter

from gates.assembly import ENVIRONMENTS, ROOT, Assembly
from gates.faults.all import FAULTS
from gates.machines import asl
from gates.templates import checkov, guard
from scripts import node

DOCUMENT = ROOT / "docs" / "security.md"


def seeded_faults() -> str:
    """The table of faults, and how many each gate must name."""
    gates = Counter(fault.gate for fault in FAULTS)
    count = ", ".join(f"`{gate}` {number}" for gate, number in sorted(gates.items(), key=lambda g: (-g[1], g[0])))
    lines = [f"{len(FAULTS)} faults. By the gate that must name them: {count}.", ""]
    lines += ["| fault | seeded into | must be named by |", "|---|---|---|"]
    for fault in FAULTS:
        place = f"`{fault.target}`" + ("" if fault.environment == "prod" else f" ({fault.environment})")
        lines.append(f"| {fault.name} | {place} | `{fault.caught_by}` |")
    return "\n".join(lines)


def own_rules() -> str:
    """Our rules in cfn-guard's language and for state machines."""
    lines = ["| rule | in gates/ | asks |", "|---|---|---|"]
    lines += [f"| `{rule.id}` | rules/{rule.file} | {rule.message} |" for rule in guard.rules()]
    lines += [f"| `{name}` | {file} | {what} |" for name, file, what in asl.rules()]
    return "\n".join(lines)


def accepted_findings() -> str:
    """Every reason for which the stacks or checkov.yaml accept a finding, and how often in each environment."""
    from gates.templates import nag  # not above: importing CDK starts Node, and `main` says first which one

    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for environment in ENVIRONMENTS:
        for _, rule, reason in nag.acknowledgments(environment):
            counts[rule.partition("[")[0], reason][environment] += 1
    for entry in TypeAdapter(list[checkov.Entry]).validate_python(yaml.safe_load(checkov.ALLOWED.read_text())):
        for environment in entry.environments:
            counts[entry.check, " ".join(entry.reason.split())][environment] += len(entry.resources)
    lines = [f"| rule | {' | '.join(ENVIRONMENTS)} | reason |", f"|---|{'---|' * len(ENVIRONMENTS)}---|"]
    for (rule, reason), number in sorted(counts.items()):
        lines.append(f"| {rule} | {' | '.join(str(number[e]) for e in ENVIRONMENTS)} | {reason} |")
    return "\n".join(lines)


def nist(assemblies: Sequence[Assembly]) -> str:
    """What cdk-nag's pack of NIST 800-53 R5 objects to, and why that stands."""
    from gates.templates import nist as pack

    return pack.table(assemblies)


def rewritten(document: str, assemblies: Sequence[Assembly]) -> str:
    """The document with every section as it is now. Raises ValueError when a mark is missing."""
    sections = {
        "seeded faults": seeded_faults(),
        "our own rules": own_rules(),
        "accepted findings": accepted_findings(),
        "nist 800-53": nist(assemblies),
    }
    for section, text in sections.items():
        document = _replaced(document, section, text)
    return document


def _replaced(document: str, section: str, text: str) -> str:
    begin, end = f"<!-- {section}: begin (make docs) -->", f"<!-- {section}: end -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.S)
    if not pattern.search(document):
        raise ValueError(f"The marks '{begin}' and '{end}' must both stand in {DOCUMENT.name}")
    before, after = pattern.split(document, maxsplit=1)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main() -> None:
    """Write the document."""
    os.environ.update(node.environment())
    assemblies = [Assembly.synthesized(environment) for environment in ENVIRONMENTS]
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), assemblies))


if __name__ == "__main__":
    main()
