"""`not_exercised.yaml`: permissions that cannot be tried out here, each with the reason."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from gates.outcome import SHORTEST_REASON
from scripts.iam.roles import Permission

FILE = Path(__file__).with_name("not_exercised.yaml")


@dataclass(frozen=True)
class Untried:
    """Roles and actions, as patterns, that cannot be tried out here, and why."""

    roles: tuple[str, ...]
    actions: tuple[str, ...]
    reason: str

    def covers(self, permission: Permission) -> bool:
        """Whether a permission is one of these."""
        return any(fnmatchcase(permission.role, f"*-{role}") for role in self.roles) and any(
            fnmatchcase(permission.action, action) for action in self.actions
        )


def load(path: Path = FILE) -> list[Untried]:
    """The entries. Raises ValueError for one without a reason."""
    entries = [Untried(tuple(e["roles"]), tuple(e["actions"]), e["reason"]) for e in yaml.safe_load(path.read_text())]
    if blank := [e for e in entries if len(e.reason) < SHORTEST_REASON]:
        raise ValueError(f"{path.name}: a reason is missing: {blank}")
    return entries


def unexplained(entries: Sequence[Untried], untried: Collection[Permission]) -> list[str]:
    """Permissions without which nothing fails, and that no entry explains."""
    return [
        f"{p}: nothing fails without it; take it away, or say in {FILE.name} why it cannot be tried out here"
        for p in sorted(untried)
        if not any(entry.covers(p) for entry in entries)
    ]


def stale(entries: Sequence[Untried], untried: Collection[Permission], tried: Collection[Permission]) -> list[str]:
    """Entries, each role and action of them, that explain nothing, or what did fail."""
    found = []
    for entry in entries:
        for role in entry.roles:
            for action in entry.actions:
                one = Untried((role,), (action,), entry.reason)
                if not any(one.covers(p) for p in untried):
                    found.append(f"{FILE.name}: {role} {action} is stale: no such permission goes untried")
                found += [f"{FILE.name}: {p} fails when it is removed: it is tried out" for p in tried if one.covers(p)]
    return found
