"""`python -m gates.faults`, after `make synth`: seed every fault into the assemblies and say who misses one."""

import os
import sys
import tempfile
import time
from pathlib import Path

from gates.assembly import ENVIRONMENTS, Assembly
from gates.faults import suite
from gates.faults.all import FAULTS
from scripts import node


def main() -> int:
    """One line for each fault; 1 when the gate that should name one does not."""
    os.environ.update(node.environment())
    start = time.perf_counter()
    clean = {environment: Assembly.synthesized(environment) for environment in ENVIRONMENTS}
    known = {environment: suite.clean_findings(assembly) for environment, assembly in clean.items()}
    with tempfile.TemporaryDirectory() as scratch:
        caught = suite.run_all(FAULTS, clean, known, Path(scratch))
    for one in caught:
        print(f"{'MISS' if one.missed else 'ok':4} {one.missed or one.fault.name}")
    missed = sum(bool(one.missed) for one in caught)
    print(f"{len(caught)} faults, {missed} missed, {time.perf_counter() - start:.0f} s")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
