"""On paper: Glue workers and cost for a billion repayment rows, from what Spark took on this machine."""

import math
from collections.abc import Mapping
from typing import Any

from gates.cost import prices
from gates.cost.run import DPU

ROWS = 1_000_000_000
WORKER = "G.1X"
VCPUS = 4  # of a G.1X worker
TARGET_MINUTES = 30
EFFICIENCY = 0.5  # of a cluster's CPU time, what is spent as on one machine: shuffles, S3, stragglers, waiting


def billion_rows(cpu_seconds: Mapping[int, float]) -> dict[str, Any]:
    """Workers and USD for one observation date, from CPU seconds by rows on local[2].

    Two points give the cost of a million rows more; the rest, the start, is paid by every worker once. A vCPU is taken
    for a core of this machine. One worker more is the driver. Glue bills DPU-hours by the second.
    """
    (few, at_few), (many, at_many) = sorted(cpu_seconds.items())[-2:]
    per_million = (at_many - at_few) / (many - few) * 1e6
    start = max(at_few - per_million * few / 1e6, 0)
    work = per_million * ROWS / 1e6
    available = VCPUS * EFFICIENCY * TARGET_MINUTES * 60 - start
    executors = math.ceil(work / available)
    workers = executors + 1
    hours = (work / executors + start) / (VCPUS * EFFICIENCY) / 3600
    dpu_hours = workers * DPU[WORKER] * hours
    usd = prices.price("dpu-hour")["usd"]
    return {
        "formula": "executors = work / (vCPU x efficiency x target seconds - start); "
        "cost = (executors + driver) x DPU x hours x USD",
        "cpu_seconds_per_million_rows": round(per_million, 2),
        "start_cpu_seconds": round(start, 1),
        "cpu_hours": round(work / 3600, 2),
        "assumed": {
            "worker": WORKER,
            "vcpus": VCPUS,
            "efficiency": EFFICIENCY,
            "target_minutes": TARGET_MINUTES,
            "usd_per_dpu_hour": usd,
        },
        "workers": workers,
        "minutes": round(hours * 60, 1),
        "usd": round(dpu_hours * usd, 2),
    }
