"""`python -m gates`, after `make synth`: one line for each gate and environment. Any finding is an error.

A warning counts as a finding. What is acknowledged is acknowledged on one resource, with a reason.
"""

import os
import sys
import time

from gates.assembly import ENVIRONMENTS, Assembly
from gates.outcome import Finding, Gate, Outcome
from gates.registry import GATES
from scripts import node


def _timed(gate: Gate, environment: str) -> tuple[Outcome, float]:
    start = time.perf_counter()
    try:
        outcome = gate(Assembly.synthesized(environment))
    except FileNotFoundError as error:
        outcome = Outcome("nothing", [Finding("not-run", environment, str(error))])
    return outcome, time.perf_counter() - start


def main() -> int:
    """Run all gates; 1 when any of them found something."""
    os.environ.update(node.environment())
    failed = False
    for environment in ENVIRONMENTS:
        for name, gate in GATES.items():
            outcome, seconds = _timed(gate, environment)
            failed |= bool(outcome.findings)
            mark = "FAIL" if outcome.findings else "ok"
            count = f"{len(outcome.findings)} findings"
            print(f"{mark:4} {name:16} {environment:5} {count:>12}  {seconds:4.1f} s  {outcome.looked_at}")
            for finding in outcome.findings:
                print(f"     {finding}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
