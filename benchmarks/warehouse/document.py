"""The figures of results/sql.json as they stand in docs/benchmarks.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.behaviour.document import between

BEGIN, END = "<!-- sql: written by `make bench-sql` -->", "<!-- /sql -->"


def write(path: Path, details: Mapping[str, Any]) -> None:
    """Replace what is between the markers. Raises ValueError when the document lacks them."""
    between(path, BEGIN, END, figures(details))


def figures(details: Mapping[str, Any]) -> str:
    small, large = details["small"], details["large"]
    lines = [
        f"| seconds | {small['payments']:,} payments: p95 | {large['payments']:,}: median | p95 | CPU | refresh |",
        "|---|---|---|---|---|---|",
    ]
    for name, big in sorted(large["objects"].items(), key=lambda item: -item[1]["cpu"]):
        taken = large["refresh"].get(name.removeprefix("marts.")) if name.startswith("marts.") else None
        refresh = f"{taken['wall']:.1f}" if taken else ""
        lines.append(
            f"| `{name}` | {small['objects'][name]['p95']:.3f} | {big['median']:.2f} | {big['p95']:.2f} "
            f"| {big['cpu']:.2f} | {refresh} |"
        )
    whole = {size: sum(r["wall"] for r in details[size]["refresh"].values()) for size in ("small", "large")}
    load = f"{details['load_before'][0]:g} before and {details['load_after'][0]:g} after"
    return "\n".join(
        [
            *lines,
            "",
            f"All refreshes: {whole['small']:.1f} s and {whole['large']:.0f} s ({large['loans']:,} loans, "
            f"{large['company_years']:,} company-years). "
            f"Average load of the machine: {load}, on two cores.",
        ]
    )
