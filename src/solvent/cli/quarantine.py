"""`solvent quarantine`: what is in quarantine and why, and its replay after a fix."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from solvent import contracts, delivery, naming, quarantine
from solvent.cli import output
from solvent.cli.options import Environment, Portfolio, console, platform
from solvent.contracts import Contract
from solvent.quarantine import QuarantineError, Row
from solvent.target import checkout

if TYPE_CHECKING:
    from solvent.client import Platform

app = typer.Typer(help="Rows that broke a rule: see them, mend them, deliver them again.", no_args_is_help=True)
COUNTS = "sql/analytics/quarantine.sql"
STATE = "sql/analytics/latest_delivery.sql"

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
    """How many rows, by run, source and reason; newest deliveries first."""
    from solvent.client import query

    columns, found = query(platform(env).target, (checkout() / COUNTS).read_text())
    wanted = {"portfolio": portfolio, "run_id": run, "source": source}
    rows = [r for r in found if all(v is None or r[columns.index(n)] == v for n, v in wanted.items())]
    if not rows:
        console.print("No rows are in quarantine.")
        return
    output.rows(console, columns, rows)


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
    found = _read(platform(env), portfolio, sources, run, reason)
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
    there, sources = platform(env), _sources(portfolio, source)
    rows = _read(there, portfolio, sources, run, reason)
    fixes = quarantine.corrections(fix.read_text(encoding="utf-8")) if fix else {}
    with tempfile.TemporaryDirectory(prefix="solvent-replay-") as scratch:
        folder = Path(scratch)
        original, as_of = _delivered(there, portfolio, run), _latest(there, portfolio)
        quarantine.delivery_of(rows, sources, fixes, folder, original=original, run_id=run, as_of=as_of)
        manifest = there.load(folder)
    per_source = Counter(row.source for row in rows)
    console.print(f"Delivered again: {', '.join(f'{n} of {name}' for name, n in sorted(per_source.items()))}.")
    console.print(f"[bold]{manifest}[/], {len(fixes)} rows corrected", soft_wrap=True)
    console.print("`ingest` starts by itself; `solvent quarantine list` then shows what is still refused.")


def _sources(portfolio: str, source: str | None) -> dict[str, Contract]:
    known = {c.name: c for c in contracts.load().sources(portfolio)}
    if source is not None and source not in known:
        raise QuarantineError(f"{portfolio} has no source {source!r}; it has {', '.join(known)}.")
    return {name: c for name, c in known.items() if source in (None, name)}


def _read(there: "Platform", portfolio: str, sources: dict[str, Contract], run: str, reason: str | None) -> list[Row]:
    target = there.target
    return quarantine.read(target.client("s3"), target.bucket("quarantine"), portfolio, sources.values(), run, reason)


def _delivered(there: "Platform", portfolio: str, run: str) -> delivery.Manifest:
    """The manifest of a run, by the report of its ingest."""
    s3 = there.target.client("s3")
    key = naming.report_key(portfolio, run, "ingest")
    report: dict[str, Any] = json.loads(s3.get_object(Bucket=there.target.bucket("artifacts"), Key=key)["Body"].read())
    bucket, _, key = str(report["run"]["manifest"]).removeprefix("s3://").partition("/")
    return delivery.parse(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _latest(there: "Platform", portfolio: str) -> str:
    """The date of the portfolio's latest delivery: an older state of affairs would be refused."""
    from solvent.client import query

    _, rows = query(there.target, (checkout() / STATE).read_text(), {"portfolio": portfolio})
    return str(rows[0][0])[:10]
