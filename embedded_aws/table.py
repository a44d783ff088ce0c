"""`python -m embedded_aws.table`: render what the embedded AWS does into docs/embedded-aws.md; `--check` if stale.

The text is written by hand; what stands between a section's marks is replaced.
"""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_aws import contracts
from embedded_aws.autoscaling import differences as autoscaling
from embedded_aws.cloudformation.properties import TypeEntry, table
from embedded_aws.redshift import differences as redshift
from embedded_aws.sagemaker import differences as sagemaker
from embedded_aws.settings import REGION

DOCUMENT = Path(__file__).parents[1] / "docs" / "embedded-aws.md"


@dataclass(frozen=True)
class Row:
    """What happens to one resource type and to each of its properties, ready to print."""

    name: str
    means: str
    executed: str
    accepted_only: str
    refused: str


def rows() -> list[Row]:
    """One row per resource type, by name."""
    return [_row(entry) for _, entry in sorted(table().items())]


def _row(entry: TypeEntry) -> Row:
    if entry.level == "helper":
        return Row(entry.name, entry.note, "all, by Python in place of CDK's Node function", "", "")
    without_effect = {**entry.recorded, **entry.ignored}
    accepted = [f"`{name}`: {reason}" for name, reason in sorted(without_effect.items())]
    if entry.level == "recorded":
        accepted[:0] = [f"`{name}`" for name in sorted(entry.applied)]
    executed = ", ".join(f"`{name}`" for name in sorted(entry.executed))
    return Row(entry.name, entry.note, executed, "; ".join(accepted), refused(entry))


def refused(entry: TypeEntry) -> str:
    """What the type's schema knows beside that: it fails the deploy."""
    schema = _schema(entry.name)
    read_only = {path.split("/")[2] for path in schema.get("readOnlyProperties", [])}
    return ", ".join(f"`{name}`" for name in sorted(set(schema.get("properties", {})) - entry.accepted - read_only))


def _schema(resource_type: str) -> dict[str, Any]:
    """CloudFormation's schema of a type, from cfn-lint; {} for types of CDK."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema
    except ResourceNotFoundError:
        return {}
    return found


def resource_types() -> str:
    """The table of CloudFormation resource types and their properties."""
    lines = [
        "| resource type | what that means here | executed | accepted only | refused |",
        "|---|---|---|---|---|",
        *(f"| `{r.name}` | {r.means} | {r.executed} | {r.accepted_only} | {r.refused} |" for r in rows()),
    ]
    return "\n".join(lines)


def behaviours() -> str:
    """One table per service: what AWS's page says, and the test that holds the embedded AWS to it."""
    parts = []
    for service, title in contracts.SERVICES.items():
        found = [c for c in contracts.found().values() if c.service == service]
        lines = [f"### {title}", "", "| AWS | test |", "|---|---|"]
        lines += [f"| {_sentence(c)} ([page]({c.page})) | {_test(c)} |" for c in found]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _sentence(contract: contracts.Contract) -> str:
    text = contract.sentence.replace("<", "&lt;").replace("|", "\\|")
    return f"“{text}”" if contract.quoted else text


def _test(contract: contracts.Contract) -> str:
    path, _, function = contract.test.partition("::")
    return f"[`{function}`](../{path})"


def _service(found: Iterable[redshift.Difference], refused: Iterable[str]) -> str:
    lines = ["| construct | in the embedded AWS |", "|---|---|"]
    lines += [f"| {d.construct} | {d.here} |" for d in found]
    lines += [f"| {construct} | refused with a clear error |" for construct in refused]
    return "\n".join(lines)


def redshift_sql() -> str:
    """What the embedded Redshift executes otherwise, accepts only, or refuses."""
    accepted = [redshift.Difference(d.construct, f"accepted only: {d.here}") for d in redshift.ACCEPTED_ONLY.values()]
    return _service([*redshift.EXECUTED_DIFFERENTLY, *redshift.NAMED.values(), *accepted], redshift.NOT_IMPLEMENTED)


def sagemaker_jobs() -> str:
    """What the embedded SageMaker does otherwise, or refuses."""
    return _service(sagemaker.EXECUTED_DIFFERENTLY, sagemaker.NOT_IMPLEMENTED)


def scaling() -> str:
    """What the embedded Application Auto Scaling does otherwise, or refuses."""
    return _service(autoscaling.EXECUTED_DIFFERENTLY, autoscaling.NOT_IMPLEMENTED)


SECTIONS: dict[str, Callable[[], str]] = {
    "behaviours": behaviours,
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
