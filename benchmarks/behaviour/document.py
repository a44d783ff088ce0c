"""The figures of results/etl.json as they stand in docs/benchmarks.md, between two markers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.behaviour.plot import NAMES

BEGIN, END = "<!-- etl: written by `make bench-etl` -->", "<!-- /etl -->"


def write(path: Path, details: Mapping[str, Any]) -> None:
    """Replace what is between the markers. Raises ValueError when the document lacks them."""
    between(path, BEGIN, END, figures(details))


def between(path: Path, begin: str, end: str, content: str) -> None:
    """Replace what is between two markers of a document. Raises ValueError when it lacks them."""
    text = path.read_text()
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path.name} lacks {begin} ... {end}; put them where the figures belong.")
    path.write_text(f"{before}{begin}\n{content}\n{end}{after}")


def figures(details: Mapping[str, Any]) -> str:
    compared = {int(rows): sides for rows, sides in details["compared"].items()}
    lines = ["| CPU s (peak MB) | " + " | ".join(f"{rows:,} rows" for rows in compared) + " |"]
    lines.append("|---|" + "---|" * len(compared))
    for side, name in NAMES.items():
        cells = (f"{sides[side]['cpu']:.2f} ({sides[side]['memory']:,.0f})" for sides in compared.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    growth = ", ".join(f"{g['rows']:,}: {g['cpu']:.2f} s, {g['memory']:,.0f} MB" for g in details["growth"])
    every = details["all_observation_dates"]
    small = "; ".join(
        f"`{name}` {t['wall']:.2f} s, {t['cpu']:.2f} s CPU ({sum(t['rows'].values()):,} rows)"
        for name, t in details["transforms"].items()
    )
    paper = details["billion_rows"]
    assumed = paper["assumed"]
    load = details["load"][-1]
    return "\n".join(
        [
            *lines,
            "",
            f"Ours by rows, CPU seconds and peak memory: {growth}. With all {every['dates']} observation dates, "
            f"{every['rows']:,} rows take {every['cpu']:.1f} s and {every['memory']:,.0f} MB. "
            f"Raw to features, engine time: {small}. Average load meanwhile: {load:g} on two cores.",
            "",
            f"A billion rows on Glue, on paper: Spark takes {paper['start_cpu_seconds']:g} CPU seconds to start and "
            f"{paper['cpu_seconds_per_million_rows']:g} for each million rows, so {paper['cpu_hours']:g} CPU hours. At "
            f"{assumed['vcpus']} vCPU a worker ({assumed['worker']}), half of them well used, "
            f"{paper['workers']} workers (one drives) need {paper['minutes']:g} minutes and cost {paper['usd']:g} USD "
            f"at {assumed['usd_per_dpu_hour']:g} USD a DPU-hour.",
        ]
    )
