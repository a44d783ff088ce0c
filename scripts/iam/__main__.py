"""`make check-iam`: the actions of the roles of dev are taken away, one at a time; what needs one must fail.

Starts an embedded AWS of its own, deploys cdk.out/dev and removes all of it again. `--role` and `--action` take
patterns and try only what matches.
"""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType

from embedded_aws import decisions, lifecycle
from gates.assembly import Assembly
from scripts.iam import exercised, roles, scenarios
from scripts.iam.check import Check, Decisions
from scripts.iam.trial import Trial
from solvent import datasets, deployment
from solvent.client import Platform
from solvent.target import Target

_ROWS = 400
_PORT = 4900


def main(arguments: list[str]) -> int:
    """0 when every permission is needed or explained."""
    parser = argparse.ArgumentParser(prog="make check-iam", description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="*", help="pattern of roles, such as *-train")
    parser.add_argument("--action", default="*", help="pattern of actions, such as kms:*")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        # As it is now, whoever writes it meanwhile.
        own = shutil.copytree(
            Assembly.synthesized("dev").folder, Path(folder, "cdk.out"), ignore=shutil.ignore_patterns("*.lock")
        )
        everything = roles.permissions(Assembly("dev", own))
        wanted = [p for p in everything if fnmatchcase(p.role, options.role) and fnmatchcase(p.action, options.action)]
        with _stoppable(), _check(own, Path(folder)) as check, check.trial.impatient():
            print(f"· {len(scenarios.SCENARIOS)} scenarios with all permissions", flush=True)
            check.learn(scenarios.SCENARIOS)
            failed = _try_out(check, wanted)
            print("· the scenarios once more, with everything restored", flush=True)
            check.learn(scenarios.SCENARIOS)
    untried = [p for p in wanted if p not in failed]
    entries = exercised.load()
    found = exercised.unexplained(entries, untried)
    if len(wanted) == len(everything):
        found += exercised.stale(entries, untried, failed)
    print(
        f"{len(wanted)} permissions of {len({p.role for p in wanted})} roles: {len(failed)} fail when removed, "
        f"{len(untried)} cannot be tried out here ({time.monotonic() - begun:.0f} s)"
    )
    for problem in found:
        print(f"✗ {problem}")
    return 1 if found else 0


def _try_out(check: Check, wanted: list[roles.Permission]) -> list[roles.Permission]:
    """The permissions that something fails without."""
    asked = [p for p in wanted if check.using(p)]
    left = sum(check.using(p)[0].seconds for p in asked)
    failed: list[roles.Permission] = []
    for number, permission in enumerate(asked, 1):
        candidates = check.using(permission)
        if said := check.fails_without(permission, candidates):
            failed.append(permission)
        left -= candidates[0].seconds
        shown = (said or "NOTHING FAILS")[:110]
        print(f"  {number:3}/{len(asked)} about {left:4.0f} s left  {permission}  →  {shown}", flush=True)
    return failed


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM, or a terminal that is closed, ends the program as Ctrl-C does: what it started is stopped."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)  # as shells report it


@contextlib.contextmanager
def _check(assembly: Path, folder: Path) -> Iterator[Check]:
    """An embedded AWS with dev deployed and one delivery run through it."""
    home, delivery, noted = folder / "home", folder / "delivery", folder / "decisions.jsonl"
    delivery.mkdir()
    datasets.write("synthetic", delivery, size=_ROWS, seed=1)
    os.environ[decisions.FILE] = str(noted)
    try:
        running = lifecycle.up(home, port=_PORT)
        target = Target.at(running.url, "dev")
        print("· deploying dev into an embedded AWS", flush=True)
        deployment.bootstrap(target, assembly, folder / "bootstrap.log")
        deployment.deploy(target, assembly, folder / "deploy.log")
        trial = Trial(Platform(target), delivery)
        trial.begin()
        yield Check(trial, Decisions(noted))
    finally:
        with contextlib.suppress(lifecycle.LifecycleError):  # it is stopped; nobody misses its state
            lifecycle.down(home)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
