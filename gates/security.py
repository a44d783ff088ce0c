"""`python -m gates.security` (`make docs`): write what the gates know and find into docs/security.md.

The text is written by hand; what stands between a section's marks is replaced. Seeding the faults takes minutes;
`--quick` leaves them out. tests/stacks/test_seeded_faults.py holds the document against what it finds itself.
"""

import argparse
import os
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from gates.assembly import ENVIRONMENTS, ROOT, Assembly
from gates.faults import suite
from gates.faults.all import FAULTS
from gates.faults.suite import Caught
from gates.machines import asl
from gates.templates import checkov, guard
from scripts import node

DOCUMENT = ROOT / "docs" / "security.md"


def seeded_faults(caught: Sequence[Caught]) -> str:
    """The table of faults, and how many each gate named."""
    gates = Counter(gate for one in caught for gate, findings in one.findings.items() if findings)
    found = sum(not one.missed for one in caught)
    count = ", ".join(f"`{gate}` {number}" for gate, number in sorted(gates.items(), key=lambda g: (-g[1], g[0])))
    lines = [f"{found} of {len(caught)} faults are named. By gate: {count}.", ""]
    lines += ["| fault | seeded into | must be named by | named by, too |", "|---|---|---|---|"]
    for one in caught:
        place = f"`{one.fault.target}`" + ("" if one.fault.environment == "prod" else f" ({one.fault.environment})")
        must = f"**nobody** (`{one.fault.caught_by}` should)" if one.missed else f"`{one.fault.caught_by}`"
        others = ", ".join(f"`{name}`" for name in sorted(one.names - {one.fault.caught_by}))
        lines.append(f"| {one.fault.name} | {place} | {must} | {others} |")
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


def quick_sections(assemblies: Mapping[str, Assembly]) -> dict[str, str]:
    """All sections but the seeded faults."""
    return {
        "our own rules": own_rules(),
        "accepted findings": accepted_findings(),
        "nist 800-53": nist([assemblies[environment] for environment in ENVIRONMENTS]),
    }


def replaced(document: str, section: str, text: str) -> str:
    """The document with one section between its marks replaced. Raises ValueError when a mark is missing."""
    begin, end = f"<!-- {section}: begin (make docs) -->", f"<!-- {section}: end -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.S)
    if not pattern.search(document):
        raise ValueError(f"The marks '{begin}' and '{end}' must both stand in {DOCUMENT.name}")
    before, after = pattern.split(document, maxsplit=1)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the document; 1 when a fault is not named."""
    parser = argparse.ArgumentParser(prog="python -m gates.security", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the table of seeded faults as it is")
    given = parser.parse_args(arguments)
    os.environ.update(node.environment())
    clean = {environment: Assembly.synthesized(environment) for environment in ENVIRONMENTS}
    sections, missed = quick_sections(clean), False
    if not given.quick:
        known = {environment: suite.clean_findings(assembly) for environment, assembly in clean.items()}
        with tempfile.TemporaryDirectory() as scratch:
            caught = suite.run_all(FAULTS, clean, known, Path(scratch))
        sections["seeded faults"], missed = seeded_faults(caught), any(one.missed for one in caught)
    document = DOCUMENT.read_text()
    for section, text in sections.items():
        document = replaced(document, section, text)
    DOCUMENT.write_text(document)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
