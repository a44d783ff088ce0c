"""How long the demo takes on a warm machine (everything installed): medians of runs from an empty embedded AWS."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Check, write

RUNS = 3
PROTOCOL = (
    f"{RUNS} runs of `solvent demo` (synthetic, 1,000 loans), each from an empty embedded AWS; wall seconds, median. "
    "Bars are the ones of the first slice, for 2 idle cores."
)


def measure() -> bool:
    runs = [_once() for _ in range(RUNS)]

    def median(name: str) -> float:
        return round(statistics.median(run[name] for run in runs), 2)

    checks = [
        Check("demo", median("total"), 90, "s", "lower"),
        Check("cdk deploy --all", median("cdk deploy --all"), 20, "s", "lower"),
        Check("pipeline lending, bankruptcy beside it", median("pipeline lending"), 30, "s", "lower"),
        Check("solvent down", median("down"), 5, "s", "lower"),
    ]
    return write("demo", PROTOCOL, checks, {"runs": runs})


def _once() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SOLVENT_HOME": f"{folder}/home"}
        solvent = [sys.executable, "-c", "from solvent.cli.main import main; main()"]
        subprocess.run([*solvent, "demo", "--out", folder], env=environment, check=True, stdout=subprocess.DEVNULL)
        report = json.loads((Path(folder) / "demo.json").read_text())
        begun = time.monotonic()
        subprocess.run([*solvent, "down"], env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds = {step["name"]: step["seconds"] for step in report["steps"]}
        return {**seconds, "total": report["total_seconds"], "down": round(time.monotonic() - begun, 2)}
