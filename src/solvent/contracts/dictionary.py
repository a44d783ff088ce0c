"""The data dictionary (docs/data-dictionary.md) from the contracts."""

from collections.abc import Iterable

from solvent.contracts.model import Column, Contract, Contracts

_HEAD = """# Data dictionary

Generated from `contracts/` by `make docs`; `make check` fails when it is stale. Personal data: *direct* identifies a
person, *indirect* may do so together with others, *protected* is monitored for fairness and never scored. Known at:
*signup*, *application*, *record* (the row's own time), *outcome* (only afterwards, so never a feature).
"""


def render(contracts: Contracts) -> str:
    """Markdown, one section per contract, sources first."""
    ordered = sorted(contracts.values(), key=lambda c: (c.kind != "source", c.schema, c.name))
    return _HEAD + "".join(_section(c) for c in ordered)


def _section(contract: Contract) -> str:
    kind = "source file" if contract.kind == "source" else f"table `{contract.table}`"
    lines = [f"\n## {contract.name}\n", f"{contract.purpose} {contract.description}\n"]
    facts = [f"**{kind}**", f"key: {_names(contract.key)}", f"zone: {contract.zone}"]
    if contract.source:
        facts.append(f"cleaned from [{contract.source}](#{contract.source})")
    facts += [f"`{r.column}` refers to [{r.contract}](#{r.contract})" for r in contract.references]
    lines.append(" · ".join(facts) + "\n")
    if contract.limitations:
        lines.append(f"{contract.limitations}\n")
    lines += ["| column | type | rules | personal data | known at | from | meaning |", "|---|---|---|---|---|---|---|"]
    lines += [_row(c) for c in contract.columns]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    origin = ", ".join(column.sources) or column.provenance
    cells = [
        f"`{column.name}`",
        column.physical,
        _rules(column),
        column.pii,
        column.known_at,
        origin,
        column.description,
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _rules(column: Column) -> str:
    rules = ["required"] if column.required else []
    if column.minimum is not None or column.maximum is not None:
        low, high = column.minimum, column.maximum
        rules.append(
            f"{low} to {high}" if None not in (low, high) else f"at least {low}" if high is None else f"at most {high}"
        )
    if column.pattern:
        rules.append(f"`{column.pattern}`")
    if column.values:
        rules.append(_names(column.values))
    if column.max_length:
        rules.append(f"at most {column.max_length} characters")
    return "; ".join(rules)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)
