"""The bill to look at: tables on the screen (`make cost`), docs/cost.md and figures in the README (`make docs`)."""

import argparse
import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gates.assembly import ENVIRONMENTS, ROOT, Assembly
from gates.cost.bill import Bill, bill
from gates.cost.prices import HOURS, TABLE, Line, UnpricedError, assumptions, price, total
from gates.cost.switches import off
from stacks import config

DOCUMENT, README = ROOT / "docs" / "cost.md", ROOT / "README.md"
TEMPLATE = Path(__file__).parent / "document.md"
BEGIN, END = "<!-- cost: written by `make docs` -->\n", "<!-- /cost -->"


def main(arguments: list[str]) -> int:
    """Print both environments; `--write` the documents, or `--check` whether they are fresh."""
    parser = argparse.ArgumentParser(prog="python -m gates.cost", description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another assumption")
    parser.add_argument("--write", action="store_true", help="write docs/cost.md and the figures in the README")
    parser.add_argument("--check", action="store_true", help="only say whether they are fresh")
    options = parser.parse_args(arguments)
    try:
        changed = {name: float(value) for name, _, value in (each.partition("=") for each in options.set)}
        bills = {name: bill(Assembly.synthesized(name), changed) for name in ENVIRONMENTS}
    except (FileNotFoundError, UnpricedError, ValueError) as error:
        parser.error(str(error))
    if options.write or options.check:
        return _documents({DOCUMENT: _document(bills), README: _readme(bills)}, write=options.write)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    for environment, each in bills.items():
        _show(console, environment, each, changed)
    age = (datetime.datetime.now(tz=datetime.UTC).date() - TABLE["date"]).days
    console.print(
        f"Prices of {TABLE['region']} of {TABLE['date']} ({age} days ago), before tax: gates/cost/prices.yaml"
    )
    return int(any(each.findings for each in bills.values()))


def _documents(texts: dict[Path, str], *, write: bool) -> int:
    for path, text in texts.items():
        if write:
            path.write_text(text)
            print(f"wrote {path.name}")
        elif not path.exists() or path.read_text() != text:
            print(f"{path.name} is stale: templates or prices have changed. Run `make docs`.")
            return 1
    return 0


# --- the screen


def _show(console: Console, environment: str, found: Bill, changed: dict[str, float]) -> None:
    budget = config.load(environment).monthly_budget_usd
    table = Table(
        title=f"{environment}: {found.idle_usd:.2f} USD a month at rest", title_justify="left", title_style="bold"
    )
    for header, justify in (("at rest", "left"), ("quantity", "right"), ("USD a month", "right"), ("switch", "left")):
        table.add_column(header, justify=justify)  # type: ignore[arg-type]
    for line in found.idle:
        table.add_row(line.what, _quantity(line), f"{line.usd:.2f}", line.switch.replace("`", ""))
    console.print(table)
    table = Table()
    for header, justify in (("one run of", "left"), ("USD", "right"), ("most of it", "left"), ("switch", "left")):
        table.add_column(header, justify=justify)  # type: ignore[arg-type]
    for phase, lines in found.runs.items():
        table.add_row(
            phase, f"{total(lines):.2f}", f"{lines[0].what}, {lines[0].usd:.2f}", lines[0].switch.replace("`", "")
        )
    console.print(table)
    console.print(f"What costs most: [bold]{_most(found)}[/bold]".replace("`", ""))
    console.print(f"A month with its use: {found.month_usd:.2f} USD of {budget:.2f} (monthly_budget_usd)")
    for line in off(environment):
        console.print(f"Switched off: {line.switch} adds {line.usd:.2f} USD a month: {line.what}".replace("`", ""))
    console.print(f"Assumed: {_assumed(environment, changed)}")
    for finding in found.findings:
        console.print(f"[bold red]{finding}")
    console.print()


def _assumed(environment: str, changed: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.10g}" for name, value in assumptions(environment, changed).items())


def _most(found: Bill) -> str:
    line = found.dearest
    return f"{line.what}, {line.usd:.2f} USD a month ({line.usd / found.month_usd:.0%}): {line.switch}"


def _quantity(line: Line) -> str:
    figure = f"{line.quantity:,.3g}" if line.quantity < 100 else f"{line.quantity:,.0f}"
    return f"{figure} × {price(line.unit)['unit']}"


# --- the documents


def _document(bills: dict[str, Bill]) -> str:
    parts = [part for environment, found in bills.items() for part in _environment(environment, found)]
    parts.append("## Assumptions\n")
    rows = [
        f"| `{name}` | {e['dev']:,.10g} | {e['prod']:,.10g} | {e['means']} |"
        for name, e in TABLE["assumptions"].items()
    ]
    parts.append("\n".join(["| name | dev | prod | meaning |", "|---|---|---|---|", *rows]))
    parts.append('\nAnother value: `make cost ARGS="--set training_minutes=20"`.\n\n## Prices\n')
    rows = []
    for name in [*TABLE["prices"], *(name for name in TABLE["instances"] if name != "page")]:
        known = price(name)
        checked = known.get("checked", "not checked")
        rows.append(f"| {name} | {known['usd']:.10g} | {known['unit']} | [AWS]({known['page']}) | {checked} |")
    parts.append("\n".join(["| price | USD | for a | page | checked against |", "|---|---|---|---|---|", *rows]))
    parts.append("\n## Free at rest\n")
    rows = [f"| `{name}` | {reason} |" for name, reason in TABLE["free"].items()]
    parts.append("\n".join(["| resource type | why |", "|---|---|", *rows]))
    named = {"region": TABLE["region"], "date": TABLE["date"], "hours": HOURS}
    return TEMPLATE.read_text().format(**named, figures="\n".join(parts))


def _environment(environment: str, found: Bill) -> list[str]:
    budget = config.load(environment).monthly_budget_usd
    rest = f"**{found.idle_usd:.2f} USD a month at rest**, {found.month_usd:.2f} USD with its use, budget {budget:.2f}."
    parts = [
        f"## {environment}\n\n{rest} What costs most: {_most(found)}.\n",
        _lines(found.idle, "at rest", "USD a month") + "\n",
        _lines(off(environment), "switched off, would add", "USD a month") + "\n",
    ]
    parts += [
        _lines(lines, f"one run of `{phase}`: {total(lines):.2f} USD", "USD") + "\n"
        for phase, lines in found.runs.items()
    ]
    return [*parts, _lines(found.usage, f"a month's use: {total(found.usage):.2f} USD", "USD") + "\n"]


def _lines(lines: list[Line], title: str, unit: str) -> str:
    rows = [f"| {line.what} | {_quantity(line)} | {line.usd:.2f} | {line.switch} |" for line in lines]
    return "\n".join([f"| {title} | quantity | {unit} | switch |", "|---|---|---|---|", *rows])


def _readme(bills: dict[str, Bill]) -> str:
    text = README.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md has no place for the costs: {BEGIN.strip()} and {END}")
    head, _, rest = text.partition(BEGIN)
    rows = []
    for environment, found in bills.items():
        most = f"{found.dearest.what}, {found.dearest.usd:.0f} USD: {found.dearest.switch}"
        one, night = total(found.runs["pipeline"]), total(found.runs["score"])
        month = f"{found.month_usd:.0f} of {config.load(environment).monthly_budget_usd:.0f}"
        rows.append(f"| `{environment}` | {found.idle_usd:.0f} | {one:.2f} | {night:.2f} | {month} | {most} |")
    titles = (
        "USD",
        "a month at rest",
        "a run of `pipeline`",
        "a night's `score`",
        "a month with its use, and its budget",
    )
    table = ["| " + " | ".join((*titles, "what costs most, and its switch")) + " |", "|---" * 6 + "|", *rows]
    return head + BEGIN + "\n".join(table) + "\n" + END + rest.partition(END)[2]
