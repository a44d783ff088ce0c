"""The dated table of prices and assumptions (prices.yaml), and lines of a bill in its units."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "prices.yaml").read_text())
HOURS = TABLE["hours_a_month"]

Properties = Mapping[str, Any]
Assumed = Mapping[str, float]


class UnpricedError(Exception):
    """Something that the table of prices does not know."""


@dataclass(frozen=True)
class Line:
    """So much of a priced unit, and the configuration key that makes it more or less."""

    what: str
    quantity: float
    unit: str
    switch: str

    @property
    def usd(self) -> float:
        """In the period that the quantity is of; raises UnpricedError."""
        return self.quantity * price(self.unit)["usd"]


def total(lines: list[Line]) -> float:
    """USD of all lines together."""
    return sum(line.usd for line in lines)


def price(unit: str) -> dict[str, Any]:
    """`{usd, unit, page, checked}` of a unit, or of an hour of an instance type; raises UnpricedError."""
    if unit in TABLE["instances"]:
        hour = {"unit": f"{unit} hour", "page": TABLE["instances"]["page"]}
        return {**hour, **TABLE["instances"][unit]}
    if unit not in TABLE["prices"]:
        raise UnpricedError(f"gates/cost/prices.yaml has no price of {unit}")
    found: dict[str, Any] = TABLE["prices"][unit]
    return found


def assumptions(environment: str, changed: Mapping[str, float] | None = None) -> dict[str, float]:
    """What no template says; `changed` replaces by name. An environment beyond dev and prod is taken for a dev."""
    known = {name: entry.get(environment, entry["dev"]) for name, entry in TABLE["assumptions"].items()}
    unknown = sorted(set(changed or {}) - set(known))
    if unknown:
        raise UnpricedError(f"There is no assumption {', '.join(unknown)}. There are: {', '.join(known)}.")
    return {**known, **(changed or {})}
