"""The ETL against pandas, Polars, Spark on this machine and a plain copy; how it grows; what a billion rows would cost.

Every side turns the same cleaned tables into the same behaviour features of the loans that are open at the latest month
end, and writes them sorted, as zstd Parquet. Results that differ stop the measurement.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.behaviour import document, estimate, plot, portfolio, run, transforms
from benchmarks.report import Check, write

ROOT = Path(__file__).parents[1]
PLOT = ROOT / "docs" / "benchmarks-etl-growth.svg"
DATA = ROOT / "build" / "bench-etl"
SIDES = ("copy", "ours", "polars", "pandas", "spark")
# Rows of repayments -> runs of every side. Spark, which takes longest, runs twice.
COMPARED = {22_903: 5, 1_000_000: 3, 10_000_000: 3}
SPARK_RUNS = 2
GROWTH = {100_000: 3, 1_000_000: 3, 10_000_000: 3, 50_000_000: 1}
SMALL, LARGE = 22_903, 10_000_000
PROTOCOL = (
    "Synthetic cleaned tables (repayments with loans, customers and a history of 1 %), Parquet with zstd. Work: the "
    "versions known at the latest month end -> the 39 columns of behaviour_features of the open loans, sorted, as "
    "Parquet. Each run is a process of its own, start and imports included: CPU seconds (user and system, children "
    "included), wall seconds, peak resident memory; medians, the sides taking turns. `ours` is the product's DuckDB "
    "adapter (memory limit 1,800 MB) with the statements of `ingest`, one observation date instead of six; `spark` the "
    "product's Spark adapter with the transpiled statements on local[2], run twice; `polars` the streaming engine on 2 "
    "threads; `copy` is DuckDB's COPY of the repayments alone. All results agree within 1e-9. Engine time is the "
    "time in the adapter's calls of a whole ETL run, by the clock (its CPU seconds are beside it). The machine may be "
    "shared meanwhile (`load`): of the comparison CPU seconds and ratios count, wall seconds do not."
)


def measure() -> bool:
    with tempfile.TemporaryDirectory(prefix="bench-etl-") as folder:
        compared = {rows: _compare(Path(folder), rows, times) for rows, times in COMPARED.items()}
        growth = [_grow(Path(folder), rows, times, compared) for rows, times in GROWTH.items()]
        every = _all_observations(Path(folder))
        small = transforms.engine_seconds(Path(folder), SMALL)
    spark = {rows: sides["spark"]["cpu"] for rows, sides in compared.items()}
    details = {
        "load": [round(x, 1) for x in os.getloadavg()],
        "compared": {str(rows): sides for rows, sides in compared.items()},
        "growth": growth,
        "all_observation_dates": every,
        "transforms": small,
        "billion_rows": estimate.billion_rows(spark),
    }
    plot.write(PLOT, {side: {r: s[side]["cpu"] for r, s in compared.items()} for side in SIDES}, growth)
    document.write(ROOT / "docs" / "benchmarks.md", details)
    return write("etl", PROTOCOL, checks(details), details)


def checks(details: dict[str, Any]) -> list[Check]:
    """The bars, from what was measured."""
    cpu = {side: details["compared"][str(LARGE)][side]["cpu"] for side in SIDES}
    seconds = sum(t["wall"] for t in details["transforms"].values())
    return [
        Check("CPU at 10M rows, ours / copy", round(cpu["ours"] / cpu["copy"], 2), 2.2, "times", "lower"),
        Check("CPU at 10M rows, pandas / ours", round(cpu["pandas"] / cpu["ours"], 2), 2.5, "times", "higher"),
        Check("CPU at 10M rows, Spark / ours", round(cpu["spark"] / cpu["ours"], 2), 7, "times", "higher"),
        Check("peak memory at 50M rows", round(details["growth"][-1]["memory"] / 1024, 2), 2.0, "GiB", "lower"),
        Check("engine time at 22,903 rows, raw to features, all portfolios", round(seconds, 2), 2.0, "s", "lower"),
    ]


def _compare(folder: Path, rows: int, times: int) -> dict[str, Any]:
    """What each side took, medians; raises SystemExit when two results differ."""
    data = portfolio.tables(DATA, rows)
    given = run.settings(str(portfolio.AS_OF), observations=1)
    out = {side: folder / f"{side}.out" for side in SIDES}
    costs: dict[str, list[run.Cost]] = {side: [] for side in SIDES}
    for turn in range(times):
        for side in SIDES:
            if side != "spark" or turn < SPARK_RUNS:
                costs[side].append(run.cost(side, data, out[side], given))
                _say(side, rows, costs[side][-1])
    for side in set(SIDES) - {"copy", "ours"}:
        if found := run.differences(out["ours"], out[side]):
            sys.exit(f"At {rows} rows {side} and ours disagree: {found}.")
    return {side: run.summary(found) for side, found in costs.items()}


def _grow(folder: Path, rows: int, times: int, compared: dict[int, Any]) -> dict[str, Any]:
    """Our side alone; taken over where it was compared."""
    if rows in compared:
        return {"rows": rows, **compared[rows]["ours"]}
    data = portfolio.tables(DATA, rows)
    given = run.settings(str(portfolio.AS_OF), observations=1)
    costs = []
    for _ in range(times):
        costs.append(run.cost("ours", data, folder / "ours.out", given))
        _say("ours", rows, costs[-1])
    return {"rows": rows, **run.summary(costs)}


def _all_observations(folder: Path) -> dict[str, Any]:
    """Our side with all observation dates of the specification, which is what training reads."""
    from solvent import specification

    dates = specification.load("lending").parameters["behaviour_observations"]
    given = run.settings(str(portfolio.AS_OF), observations=dates)
    taken = run.cost("ours", portfolio.tables(DATA, LARGE), folder / "ours.out", given)
    _say(f"ours, {dates} dates", LARGE, taken)
    return {"rows": LARGE, "dates": dates, **run.summary([taken])}


def _say(side: str, rows: int, taken: run.Cost) -> None:
    print(
        f"{side:>14} {rows:>11,} rows {taken.cpu:7.2f} s CPU {taken.wall:7.2f} s wall {taken.memory:6.0f} MB",
        flush=True,
    )
