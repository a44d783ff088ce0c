"""`solvent quarantine`: what is in quarantine and why, and its replay after a fix."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from solvent import contracts, naming, quarantine
from solvent.cli import output
from solvent.cli.options import Environment, Portfolio, console, target
from solvent.contracts import Contract
from solvent.quarantine import Quarantine, QuarantineError

app = typer.Typer(help="Rows that broke a rule: see them, mend them, deliver them again.", no_args_is_help=True)

Run = Annotated[str, typer.Option("--run", help="The run's id; `solvent quarantine list` has them.")]
Source = Annotated[str | None, typer.Option(help="Only rows of this source.")]
Reason = Annotated[str | None, typer.Option(help="Only rows whose reason contains this text.")]


@app.command("list")
def counts(
    portfolio: Annotated[str | None, typer.Option(help="Only this portfolio.")] = None,
    run: Annotated[str | None, typer.Option("--run", help="Only this run.")] = None,
    source: Source = None,
    env: Environment = None,
) -> None:
    """How many rows, by run, source and reason, newest deliveries first; and what COPY refused of a load."""
    from solvent.client import saved_query

    columns, found = saved_query(target(env), "quarantine")
    wanted = {"portfolio": portfolio, "run_id": run, "source": source}
    rows = [r for r in found if all(v is None or r[columns.index(n)] == v for n, v in wanted.items())]
    refused = [
        [name, row.run_id, row.source, row.source_file, row.row_number, row.reason]
        for name in naming.PORTFOLIOS
        if portfolio in (None, name)
        for row in _copy_errors(env, name)
        if run in (None, row.run_id) and source in (None, row.source)
    ]
    if not rows and not refused:
        console.print("No rows are in quarantine.")
        return
    if rows:
        output.rows(console, columns, rows)
    if refused:
        heads = ["portfolio", "run_id", "source", "file", "line", "reason"]
        output.rows(console, heads, refused, title="COPY refused; of these attempts nothing was loaded")


@app.command()
def show(
    run: Run,
    source: Source = None,
    reason: Reason = None,
    portfolio: Portfolio = "lending",
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Personal data in clear; needs the right to read it.")
    ] = False,
    limit: Annotated[int, typer.Option(help="How many rows.", min=1)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one row a line.")] = False,
    env: Environment = None,
) -> None:
    """The rows with reason and position; what may concern a person is masked."""
    sources = _sources(portfolio, source)
    found = _there(env).rows(portfolio, sources.values(), run, reason)
    for row in found[:limit]:
        plain = quarantine.shown(row, sources[row.source], reveal=reveal)
        if as_json:
            console.print(json.dumps(plain, sort_keys=True), markup=False, highlight=False, soft_wrap=True)
            continue
        key = f"  key {plain['record_key']}" if plain["record_key"] else ""
        console.print(f"{row.source_file}, row {row.row_number}: [bold]{row.reason}[/]{key}", soft_wrap=True)
        fields = plain["payload"]
        text = fields if isinstance(fields, str) else ", ".join(f"{n}={v}" for n, v in fields.items() if v)
        console.print(f"    {text}", style="dim", markup=False, highlight=False, soft_wrap=True)
    if not as_json:
        console.print(f"{min(limit, len(found))} of {len(found)} rows", style="dim")


@app.command()
def replay(
    run: Run,
    source: Source = None,
    reason: Reason = None,
    portfolio: Portfolio = "lending",
    fix: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV: source_file, row_number, and the columns to change."),
    ] = None,
    env: Environment = None,
) -> None:
    """Deliver rows again, with corrections. Their manifest starts `ingest`; the same replay twice changes nothing."""
    sources = _sources(portfolio, source)
    fixes = quarantine.corrections(fix.read_text(encoding="utf-8")) if fix else {}
    with tempfile.TemporaryDirectory(prefix="solvent-replay-") as scratch:
        manifest, rows = _there(env).replay(portfolio, sources, run, Path(scratch), reason=reason, fixes=fixes)
    per_source = Counter(row.source for row in rows)
    console.print(f"Delivered again: {', '.join(f'{n} of {name}' for name, n in sorted(per_source.items()))}.")
    console.print(f"[bold]{manifest}[/], {len(fixes)} rows corrected", soft_wrap=True)
    console.print("`ingest` starts by itself; `solvent quarantine list` then shows what is still refused.")


def _sources(portfolio: str, source: str | None) -> dict[str, Contract]:
    known = {c.name: c for c in contracts.load().sources(portfolio)}
    if source is not None and source not in known:
        raise QuarantineError(f"{portfolio} has no source {source!r}; it has {', '.join(known)}.")
    return {name: c for name, c in known.items() if source in (None, name)}


def _copy_errors(env: str | None, portfolio: str) -> list[quarantine.Row]:
    """What COPY refused; an analyst, who sees counts only, is told that it is not shown."""
    try:
        return _there(env).copy_errors(portfolio)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "403"):
            raise
        console.print(f"What COPY refused of {portfolio} is for data stewards to see.", style="dim")
        return []


def _there(env: str | None) -> Quarantine:
    there = target(env)
    return Quarantine(there.client("s3"), {zone: there.bucket(zone) for zone in naming.ZONES})
