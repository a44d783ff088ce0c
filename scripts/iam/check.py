"""Which permissions each scenario asks for, and whether it fails without one of them."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.iam.roles import Permission, without
from scripts.iam.scenarios import FAILURES, Scenario
from scripts.iam.trial import Trial
from solvent.warehouse.data_api import DataApiError

ANY_FAILURE = (*FAILURES, DataApiError)
_ATTEMPTS = 3  # a job of a small delivery may end by itself before it is stopped


class Decisions:
    """The file in which the embedded AWS notes what roles asked for (`embedded_aws.decisions`)."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def new(self) -> dict[Permission, set[bool]]:
        """What was asked for since the last call -> the answers."""
        found: dict[Permission, set[bool]] = {}
        if self._path.exists():
            with self._path.open() as file:
                file.seek(self._read)
                lines = file.readlines()
                self._read = file.tell()
            for line in map(json.loads, lines):
                found.setdefault(Permission(line["role"], line["action"]), set()).add(line["allowed"])
        return found


@dataclass(frozen=True)
class Known:
    """A scenario that passed with all permissions: what it asked for and how long it took."""

    scenario: Scenario
    asked: frozenset[Permission]
    seconds: float

    @property
    def name(self) -> str:
        """What the scenario is called where its failure is reported."""
        return self.scenario.__name__


@dataclass
class Check:
    """One platform, its decisions, and what is known of the scenarios."""

    trial: Trial
    decisions: Decisions
    known: list[Known] = field(default_factory=list)

    def learn(self, scenarios: Iterable[Scenario]) -> None:
        """Run each with all permissions. Raises what the scenario raises: without a positive there is no negative."""
        for scenario in scenarios:
            for attempt in range(1, _ATTEMPTS + 1):
                self.trial.reset()
                self.decisions.new()
                begun = time.monotonic()
                try:
                    scenario(self.trial)
                    break
                except ANY_FAILURE:
                    if attempt == _ATTEMPTS:
                        raise
            asked = {permission for permission, answers in self.decisions.new().items() if True in answers}
            self.known.append(Known(scenario, frozenset(asked), time.monotonic() - begun))
            print(f"  {scenario.__name__} {time.monotonic() - begun:.1f} s, {len(asked)} permissions", flush=True)

    def using(self, permission: Permission) -> list[Known]:
        """The scenarios that ask for a permission, the quickest first."""
        return sorted((k for k in self.known if permission in k.asked), key=lambda k: k.seconds)

    def fails_without(self, permission: Permission, candidates: Sequence[Known]) -> str | None:
        """What fails, and how, when the permission is taken away; None when nothing does.

        A scenario counts only when IAM refused this very permission while it ran.
        """
        for known in candidates:
            if (said := self.broken(known.scenario, permission)) is not None:
                return f"{known.name}: {said}"
        return None

    def broken(self, scenario: Scenario, permission: Permission) -> str | None:
        """How a scenario fails without a permission, None when it does not."""
        return next(filter(None, (self._broken(scenario, permission) for _ in range(_ATTEMPTS))), None)

    def _broken(self, scenario: Scenario, permission: Permission) -> str | None:
        self.trial.reset()
        self.decisions.new()
        failed: str | None = None
        with without(self.trial.platform, permission):
            try:
                scenario(self.trial)
            except ANY_FAILURE as error:
                failed = " ".join(str(error).split()) or type(error).__name__
        refused = False in self.decisions.new().get(permission, set())
        return failed if refused else None
