"""`python -m gates`, after `make synth`: one line for each gate and environment. Any finding is an error.

A warning counts as a finding. What is acknowledged is acknowledged on one resource, with a reason.
"""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gates import code
from gates.assembly import ENVIRONMENTS, Assembly
from gates.outcome import Finding, Outcome
from gates.registry import GATES, IN_CDK
from scripts import node
from stacks.config import ConfigurationError

NAMES = (*code.CHECKS, *GATES)
SOURCES = "-"  # shown in place of the environment by what looks at the sources


@dataclass(frozen=True)
class Line:
    """What one gate said, and after how many seconds."""

    gate: str
    environment: str
    outcome: Outcome
    seconds: float

    def show(self, *, verbose: bool) -> None:
        """Print it, with its findings when it failed; `verbose`: with those that are only reported, too."""
        outcome, mark = self.outcome, "info" if self.outcome.reported_only else "ok"
        print(
            f"{'FAIL' if outcome.failed else mark:4} {self.gate:22} {self.environment:4} "
            f"{len(outcome.findings):4} findings {self.seconds:6.1f} s  {outcome.looked_at}",
            flush=True,
        )
        for finding in outcome.findings if outcome.failed or verbose else []:
            print(f"     {finding}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all gates, or the named ones; 1 when any of them found something."""
    parser = argparse.ArgumentParser(prog="python -m gates", description="Judge cdk.out/ and the sources.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}; all without one")
    parser.add_argument("--environment", choices=ENVIRONMENTS, help="only this one")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is only reported, too")
    parser.add_argument("--report", choices=["nist"], help="print an explained table instead")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"there is no gate {', '.join(unknown)}; there are {', '.join(NAMES)}")
    os.environ.update(node.environment())
    environments = (given.environment,) if given.environment else ENVIRONMENTS
    try:
        assemblies = [Assembly.synthesized(environment) for environment in environments]
    except FileNotFoundError as error:
        parser.exit(1, f"{error}\n")
    if given.report:
        from gates.templates import nist  # CDK starts Node when it is imported

        print(nist.table(assemblies))
        return 0
    return _run(given.names or NAMES, assemblies, verbose=given.verbose)


def _run(names: Sequence[str], assemblies: Sequence[Assembly], *, verbose: bool) -> int:
    start, failed = time.perf_counter(), 0
    jobs: list[tuple[str, Assembly | None]] = [(name, None) for name in names if name in code.CHECKS]
    jobs += [(name, assembly) for assembly in assemblies for name in names if name in GATES]
    # CDK lives in one Node process and answers one caller. The others mostly wait for processes of their own.
    with ThreadPoolExecutor(1) as cdk, ThreadPoolExecutor(2) as others:
        futures = [(cdk if name in IN_CDK else others).submit(_judge, name, assembly) for name, assembly in jobs]
        for future in futures:
            line = future.result()
            line.show(verbose=verbose)
            failed += line.outcome.failed
    mark = f"{failed} FAILED" if failed else "all passed"
    print(f"{len(jobs)} gates, {mark}, {time.perf_counter() - start:.1f} s")
    return int(failed > 0)


def _judge(name: str, assembly: Assembly | None) -> Line:
    start = time.perf_counter()
    try:
        outcome = code.check(name) if assembly is None else GATES[name](assembly)
    except ConfigurationError as error:
        outcome = Outcome("nothing", [Finding("not-run", name, str(error))])
    except Exception:  # a gate that breaks must not hide what the others say
        outcome = Outcome("nothing", [Finding("not-run", name, traceback.format_exc())])
    return Line(name, assembly.environment if assembly else SOURCES, outcome, time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
