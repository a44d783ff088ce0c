"""`python -m embedded_aws.table`: render what the embedded AWS does into docs/embedded-aws.md; `--check` if stale.

The text is written by hand; what stands between a section's marks is replaced.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from embedded_aws.autoscaling import differences as autoscaling
from embedded_aws.cloudformation.properties import TypeEntry, table
from embedded_aws.redshift import differences as redshift
from embedded_aws.sagemaker import differences as sagemaker

DOCUMENT = Path(__file__).parents[1] / "docs" / "embedded-aws.md"
_WORDS = {"executed": "runs", "recorded": "accepted only", "helper": "runs, in Python"}


def rows() -> list[dict[str, str]]:
    """One row per resource type: type, what happens to it, what that means, which properties have no effect and why."""
    return [_row(entry) for _, entry in sorted(table().items())]


def _row(entry: TypeEntry) -> dict[str, str]:
    without_effect = "; ".join(f"`{name}`: {reason}" for name, reason in sorted(entry.ignored.items()))
    return {"type": entry.name, "level": _WORDS[entry.level], "note": entry.note, "without_effect": without_effect}


def resource_types() -> str:
    """The table of CloudFormation resource types."""
    lines = [
        "| resource type | in the embedded AWS | what that means | properties without effect |",
        "|---|---|---|---|",
        *(f"| `{r['type']}` | {r['level']} | {r['note']} | {r['without_effect']} |" for r in rows()),
        "",
        "A resource type or a property that is not listed here fails the deploy and names the file to extend,",
        "`embedded_aws/cloudformation/properties.yaml`. Custom resources of our own functions run as they are.",
    ]
    return "\n".join(lines)


def _service(found: Iterable[redshift.Difference], refused: Iterable[str]) -> str:
    lines = ["| construct | in the embedded AWS |", "|---|---|"]
    lines += [f"| {d.construct} | {d.here} |" for d in found]
    lines += [f"| {construct} | refused with a clear error |" for construct in refused]
    return "\n".join(lines)


def redshift_sql() -> str:
    """What the embedded Redshift executes otherwise, accepts only, or refuses."""
    accepted = [redshift.Difference(d.construct, f"accepted only: {d.here}") for d in redshift.ACCEPTED_ONLY.values()]
    return _service([*redshift.EXECUTED_DIFFERENTLY, *accepted], redshift.NOT_IMPLEMENTED)


def sagemaker_jobs() -> str:
    """What the embedded SageMaker does otherwise, or refuses."""
    return _service(sagemaker.EXECUTED_DIFFERENTLY, sagemaker.NOT_IMPLEMENTED)


def scaling() -> str:
    """What the embedded Application Auto Scaling does otherwise, or refuses."""
    return _service(autoscaling.EXECUTED_DIFFERENTLY, autoscaling.NOT_IMPLEMENTED)


SECTIONS: dict[str, Callable[[], str]] = {
    "resource types": resource_types,
    "redshift": redshift_sql,
    "sagemaker": sagemaker_jobs,
    "application auto scaling": scaling,
}


def rendered(document: str) -> str:
    """The document with each section between its marks replaced. Raises ValueError when a mark is missing."""
    for name, render in SECTIONS.items():
        begin, end = f"<!-- {name}: begin (make docs) -->", f"<!-- {name}: end -->"
        pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.S)
        if not pattern.search(document):
            raise ValueError(f"The marks '{begin}' and '{end}' must both stand in {DOCUMENT.name}")
        before, after = pattern.split(document, maxsplit=1)
        document = f"{before}{begin}\n\n{render()}\n\n{end}{after}"
    return document


def main() -> None:
    """Write the document, or with `--check` only say whether it is fresh."""
    before = DOCUMENT.read_text()
    after = rendered(before)
    if "--check" in sys.argv:
        sys.exit(0 if before == after else f"{DOCUMENT.name} is not what the tables say. Run `make docs`.")
    DOCUMENT.write_text(after)


if __name__ == "__main__":
    main()
