"""One form for every result: what was measured, on what, and how it stands against its bar."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Check:
    """A measured value and the bar it is held against."""

    name: str
    value: float
    bar: float
    unit: str
    better: Literal["lower", "higher"]

    @property
    def met(self) -> bool:
        return self.value <= self.bar if self.better == "lower" else self.value >= self.bar


def write(name: str, protocol: str, checks: list[Check], details: dict[str, Any]) -> bool:
    """Write results/NAME.json, print a line per check; True when every bar is met."""
    machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
    document = {"protocol": protocol, "machine": machine, "checks": [asdict(c) for c in checks], **details}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    for check in checks:
        sign = "<=" if check.better == "lower" else ">="
        mark = "ok  " if check.met else "MISS"
        print(f"{mark} {name}: {check.name} {check.value:.3g} {check.unit} (bar {sign} {check.bar:g})")
    return all(c.met for c in checks)
