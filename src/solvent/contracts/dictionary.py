"""The data dictionary (docs/data-dictionary.md) from the contracts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from solvent.contracts.model import Column, Contract, Contracts, Parameter

_HEAD = """# Data dictionary

Generated from `contracts/` by `make docs`; `make check` fails when it is stale.

## How to read it

{contents}

A section is a source file as it is delivered, a table, an object of the schema `marts` (what analysts, the API and
reports read) or a saved query. [analysts.md](analysts.md) says how to ask. Personal data: *direct* identifies a
person, *indirect* may do so together with others, *protected* is monitored for fairness and never scored. Known at:
*signup*, *application*, *record* (the row's own time), *outcome* (only afterwards, so never a feature).
"""
_TABLES = ("source", "published")


@dataclass(frozen=True)
class Facts:
    """What the SQL knows and the contracts do not. `reads`: the tables and marts that a mart or saved query is made of.

    `question` by name of a mart or query; `readers`, in words, by table (`lending.loans`).
    """

    question: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, Iterable[str]] = field(default_factory=dict)
    readers: Mapping[str, str] = field(default_factory=dict)


def render(contracts: Contracts, facts: Facts) -> str:
    """Markdown, one section per contract in groups; sources before tables."""
    groups = {
        "Lending": [c for c in contracts.values() if c.kind in _TABLES and c.portfolio == "lending"],
        "Bankruptcy": [c for c in contracts.values() if c.kind in _TABLES and c.portfolio == "bankruptcy"],
        "Operations": [c for c in contracts.values() if c.kind in _TABLES and c.portfolio == "ops"],
        "Marts": [c for c in contracts.values() if c.kind == "mart"],
        "Saved queries": [c for c in contracts.values() if c.kind == "query"],
    }
    ordered = {name: sorted(found, key=lambda c: (c.kind != "source", c.name)) for name, found in groups.items()}
    contents = "\n".join(
        f"- [{name}](#{name.lower().replace(' ', '-')}): {', '.join(_link(c.name) for c in found)}"
        for name, found in ordered.items()
    )
    sections = (
        f"\n## {name}\n" + "".join(_section(contract, facts) for contract in found) for name, found in ordered.items()
    )
    return _HEAD.format(contents=contents) + "".join(sections)


def questions(contracts: Contracts, facts: Facts, dictionary: str) -> str:
    """Markdown: each business question and the mart or saved query that answers it; `dictionary` is where to link."""
    rows = []
    for contract in (*contracts.marts(), *contracts.queries()):
        if contract.name in facts.question:
            asked = contract.table if contract.kind == "mart" else f"solvent query {contract.name}"
            rows.append((facts.question[contract.name], f"[`{asked}`]({dictionary}#{contract.name})"))
    return "\n".join(_table(("question", "answered by"), rows)) + "\n"


def _section(contract: Contract, facts: Facts) -> str:
    lines = [f"\n### {contract.name}\n"]
    if contract.name in facts.question:
        lines.append(f"**{facts.question[contract.name]}**\n")
    lines += [f"{contract.purpose} {contract.description}".strip() + "\n", _about(contract, facts) + "\n"]
    if contract.limitations:
        lines.append(f"{contract.limitations}\n")
    if contract.parameters:
        lines += [*_table(("parameter", "type", "default", "meaning"), map(_parameter, contract.parameters)), ""]
    lines += _columns(contract)
    if contract.rows:
        rows = (["" if value is None else str(value) for value in row] for row in contract.rows)
        lines += ["", "Its rows:", "", *_table(contract.column_names, rows)]
    return "\n".join(lines) + "\n"


def _about(contract: Contract, facts: Facts) -> str:
    """The line of facts: what it is, its key, where it comes from, who may read it."""
    if contract.kind == "query":
        given = "".join(f" --param {p.name}=…" for p in contract.parameters if p.default is None)
        said = [f"**`solvent query {contract.name}{given}`**"]
    else:
        said = ["**source file**" if contract.kind == "source" else f"**{_kind(contract)} `{contract.table}`**"]
    if contract.key:
        said.append(f"key: {_names(contract.key)}")
    if contract.kind in _TABLES:
        said.append(f"zone: {contract.zone}")
    if contract.source:
        said.append(f"cleaned from {_link(contract.source)}")
    said += [f"`{r.column}` refers to {_link(r.contract)}" for r in contract.references]
    if reads := facts.reads.get(contract.name):
        said.append(f"made of {', '.join(map(_link, reads))}")
    if readers := facts.readers.get(contract.table):
        said.append(f"read by {readers}")
    return " · ".join(said)


def _kind(contract: Contract) -> str:
    if contract.kind == "mart" and not contract.rows:
        return "materialized view" if contract.materialized else "view"
    return "table"


def _columns(contract: Contract) -> list[str]:
    """The table of columns; where those of marts and queries come from, and when, is in their SQL."""
    if contract.kind in _TABLES:
        head: tuple[str, ...] = ("column", "type", "rules", "personal data", "known at", "from", "meaning")
        rows: list[tuple[str, ...]] = [
            (
                f"`{c.name}`",
                c.physical,
                _rules(c),
                c.pii,
                c.known_at,
                ", ".join(c.sources) or c.provenance,
                c.description,
            )
            for c in contract.columns
        ]
    else:
        head = ("column", "type", "personal data", "meaning")
        rows = [(f"`{c.name}`", c.physical, c.pii, c.description) for c in contract.columns]
    return _table(head, rows)


def _parameter(parameter: Parameter) -> tuple[str, ...]:
    default = "must be given" if parameter.default is None else f"`{parameter.default}`"
    return f"`{parameter.name}`", parameter.type, default, parameter.description


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    return [_line(head), "|" + "---|" * len(head), *map(_line, rows)]


def _line(cells: Iterable[str]) -> str:
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


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)
