"""The figures of results/models.json as they stand in docs/benchmarks.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.behaviour.document import between

BEGIN, END = "<!-- models: written by `make bench-models` -->", "<!-- /models -->"


def write(path: Path, data_sets: Mapping[str, Any]) -> None:
    """Replace what is between the markers. Raises ValueError when the document lacks them."""
    between(path, BEGIN, END, figures(data_sets))


def figures(data_sets: Mapping[str, Any]) -> str:
    """A table per data set; an interval as `.787 (.761 to .813)`."""
    lines: list[str] = []
    for name, found in data_sets.items():
        first = next(iter(found["candidates"].values()))
        lines += [
            f"**{name}**: {first['rows']:,.0f} rows, {first['bad_rate']:.1%} bad, "
            f"{first['repeats']} x {found['folds']} folds. "
            f"Majority line: always the larger class is right for {first['majority_accuracy']:.1%}; flagging everyone "
            f"has F2 {first['f2_flag_everyone']:.3f}.",
            "",
            "| candidate | AUC | PR-AUC | Brier | accuracy | F2 | declined there | s a fit |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for candidate, c in found["candidates"].items():
            title = f"**{candidate}**" if candidate == found["headline"] else candidate
            lines.append(
                f"| {title} | {_interval(c['auc'])} | {_interval(c['pr_auc'])} "
                f"| {c['brier']:.4f} | {c['accuracy']:.1%} | {c['f2']:.3f} "
                f"| {c['decline_rate']:.0%} | {c['fit_seconds']:.1f} |"
            )
        lines.append("")
    return "\n".join(lines).rstrip()


def _interval(of: Mapping[str, float]) -> str:
    return f"{of['mean']:.4f} ({of['low']:.3f} to {of['high']:.3f})"
