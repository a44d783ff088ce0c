"""What a gate answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gates.assembly import Assembly

SHORTEST_REASON = 20  # characters of an explanation; anything shorter explains nothing


@dataclass(frozen=True, order=True)
class Finding:
    """One objection: which rule, of what (`<template>/<logical id>`, a state, a role), and why."""

    rule: str
    where: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.rule} {self.where}" + (f": {self.text}" if self.text else "")


@dataclass
class Outcome:
    """What a gate looked at, and every finding that nobody has explained. Any fails it, unless only reported."""

    looked_at: str
    findings: list[Finding] = field(default_factory=list)
    reported_only: bool = False

    @property
    def failed(self) -> bool:
        """Whether `python -m gates` ends with an error because of it."""
        return bool(self.findings) and not self.reported_only


Gate = Callable[["Assembly"], Outcome]
