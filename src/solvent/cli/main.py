"""`solvent`: the platform from the command line. On a laptop by default, in an account with --env."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from solvent.cli import quarantine, sql, variants
from solvent.cli.options import Environment, Portfolio, console, platform, target
from solvent.target import NoTarget, home

app = typer.Typer(
    help="Credit risk on AWS, and on your laptop. Without --env a command talks to the embedded AWS on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(quarantine.app, name="quarantine")
app.command()(sql.sql)
app.command()(sql.query)
for command in (variants.rollback, variants.challenger, variants.compare):
    app.command()(command)
errors = Console(stderr=True, soft_wrap=True)

# What --help shows, and with which anything else is refused; a test compares them with their definitions.
Source = Literal["synthetic", "german", "polish"]
Phase = Literal["pipeline", "ingest", "train", "score"]


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Preferred port; else the next free one.", min=1024, max=65000)] = 4566,
    reset: Annotated[bool, typer.Option("--reset", help="Start empty: forget everything stored and deployed.")] = False,
) -> None:
    """Start the embedded AWS on this laptop."""
    from embedded_aws import lifecycle

    if not reset and (running := lifecycle.status(home())):
        console.print(f"It runs already, at [bold]{running.url}[/] (pid {running.pid}).")
        return
    with console.status("starting the embedded AWS"):
        running = lifecycle.up(home(), port=port, reset=reset)
    if running.notice:
        console.print(running.notice)
    console.print(f"The embedded AWS answers at [bold]{running.url}[/] (pid {running.pid}, log {running.log}).")
    console.print("Next: `solvent status` shows what is there; `make demo` deploys the platform and runs it.")


@app.command()
def down() -> None:
    """Stop the embedded AWS; its state stays for the next `up`, no process does."""
    from embedded_aws import lifecycle

    console.print("Stopped." if lifecycle.down(home()) else "The embedded AWS was not running.")


@app.command()
def demo(
    source: Annotated[
        Source, typer.Option(help="german and polish are real UCI files, from the folder $SOLVENT_DATA.")
    ] = "synthetic",
    size: Annotated[
        int, typer.Option(help="Customers and loans of the synthetic portfolio; fewer leave too few labels.", min=400)
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic portfolio.")] = 0,
    leak: Annotated[
        bool,
        typer.Option("--leak", help="Synthetic loans give their outcome away: the leakage gate must stop the run."),
    ] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Start from an empty embedded AWS.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for demo.json and the generated files.")] = Path("out"),
) -> None:
    """Deploy `dev` into the embedded AWS and take raw files all the way to predictions."""
    from solvent.cli.demo import Demo

    if leak and source != "synthetic":
        raise typer.BadParameter("only synthetic data can be given a leak", param_hint="--leak")
    made = Demo(console=console, source=source, size=size, seed=seed, leak=leak, reset=reset, out=out)
    raise typer.Exit(made.run())


@app.command()
def load(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Holds one CSV file per source.")],
    env: Environment = None,
) -> None:
    """Deliver a folder of files to the landing zone. The manifest goes last and starts `ingest`."""
    manifest = platform(env).load(folder)
    console.print(f"Delivered: [bold]{manifest}[/]", soft_wrap=True)
    console.print("`ingest` starts by itself; `solvent run` takes the delivery through to predictions.")


@app.command()
def extract(
    name: Annotated[str, typer.Argument(help="An extraction: a file extractions/NAME.yaml.")],
    source: Annotated[str | None, typer.Option(help="Only this source of it.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Everything again, not only what has changed.")] = False,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="The day of the delivery; default: today.")] = None,
    env: Environment = None,
) -> None:
    """Pull a database, or files that it exported, into the landing zone. The manifest goes last and starts `ingest`."""
    from solvent.cli.extract import Extraction

    with console.status(f"{name} starts") as status:
        done = Extraction(target(env), name).run(
            source=source,
            full=full,
            as_of=as_of,
            heard=lambda rows: status.update(f"{name}: " + ", ".join(f"{s} {n:,}" for s, n in rows.items())),
        )
    for what, count in done.rows.items():
        console.print(f"{what:24} {count:>12,} rows")
    if done.manifest is None:
        console.print(f"Nothing has changed since the last delivery ({done.seconds:.1f} s); nothing was delivered.")
        return
    console.print(f"Delivered in {done.seconds:.1f} s as {done.mode}: [bold]{done.manifest}[/]", soft_wrap=True)
    console.print("`ingest` starts by itself; `solvent run` takes the delivery through to predictions.")


@app.command()
def run(
    manifest: Annotated[str | None, typer.Argument(help="s3://…/manifest.json; default: the newest delivery.")] = None,
    phase: Annotated[Phase, typer.Option(help="The state machine to run.")] = "pipeline",
    portfolio: Annotated[Portfolio, typer.Option()] = "lending",
    env: Environment = None,
) -> None:
    """Run a state machine and follow it. A delivery that has been through already is left as it is."""
    there = platform(env)
    request: dict[str, Any] = {"portfolio": portfolio}
    if phase in ("pipeline", "ingest"):
        request = {"manifest": manifest or there.latest_manifest(portfolio)}
        console.print(f"Delivery {request['manifest']}", soft_wrap=True)
    entered: list[str] = []
    with console.status(f"{phase} starts") as status:

        def show(state: str) -> None:
            entered.append(state)
            status.update(f"{phase}: {state}")

        done = there.run(phase, request, on_state=show)
    if done.status != "SUCCEEDED":
        raise typer.Exit(fail(f"{phase} {done.status} after {done.seconds:.1f} s: {done.error} {done.cause}"))
    what = f"in {done.seconds:.1f} s" if "CompleteRun" in entered else "before: this run was complete, nothing was done"
    console.print(f"{phase} SUCCEEDED {what}; run {done.output.get('run_id')}")
    console.print(f"Report: {done.output.get('report')}", soft_wrap=True)


@app.command()
def score(
    applicant: Annotated[
        str, typer.Argument(metavar="JSON", help="JSON text, a file's name, or - for standard input.")
    ],
    portfolio: Annotated[Portfolio, typer.Option()] = "lending",
    api: Annotated[bool, typer.Option("--api", help="Through the REST API, which scores loan applicants.")] = False,
    env: Environment = None,
) -> None:
    """Score one applicant or company-year, or a list of them: probability, score, band, decision and reasons."""
    text = sys.stdin.read() if applicant == "-" else applicant
    if applicant.lstrip()[:1] not in ("{", "[") and applicant != "-":
        if not Path(applicant).is_file():
            raise typer.Exit(fail(f"'{applicant}' is neither JSON nor a file. Try examples/applicant.json."))
        text = Path(applicant).read_text()
    try:
        request = json.loads(text)
    except ValueError as error:
        raise typer.Exit(fail(f"That is not JSON: {error}")) from error
    there = platform(env)
    if api and portfolio != "lending":
        raise typer.Exit(fail("The REST API scores loan applicants only; leave out --api for companies."))
    console.print_json(data=there.score_by_api(request) if api else there.score(request, portfolio))


@app.command()
def migrate(
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would run.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With the statements.")] = False,
    env: Environment = None,
) -> None:
    """Bring the warehouse up to date: migrations and marts. A deploy does it by itself."""
    from solvent.cli.migrate import Upgrade, show

    there = target(env)
    warehouse, prefix = Upgrade(there), there.names.prefix
    pending = warehouse.pending()
    if plan:
        show(console, pending, prefix, statements=verbose)
        console.print("The next deploy runs this." if pending else f"{there.place} is up to date with this checkout.")
        return
    with console.status("migrate runs"):
        done = warehouse.apply()
    applied = [*done["migrations"], *done["marts"], *done["options"]]
    console.print(f"Applied: {', '.join(applied)}." if applied else "Nothing was pending of what is deployed.")
    if left := warehouse.pending():
        show(console, left, prefix, statements=verbose)
        raise typer.Exit(fail("This is in the checkout but was not deployed: deploy it (`make deploy`)."))


@app.command()
def compact(env: Environment = None) -> None:
    """Make one object of each closed day of the stream, by the job that also runs at night."""
    with console.status("compact runs"):
        status, cause, seconds = platform(env).compact()
    if status != "SUCCEEDED":
        raise typer.Exit(fail(f"compact {status} after {seconds:.1f} s: {cause}"))
    console.print(f"compact SUCCEEDED in {seconds:.1f} s; every event is still there, once.")


@app.command()
def lineage(
    name: Annotated[str, typer.Argument(metavar="TABLE[.COLUMN]", help="A published table; with --down a source.")],
    down: Annotated[bool, typer.Option("--down", help="What depends on a column of a source.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """From which delivered columns a column is computed, and which decide its rows."""
    from solvent.cli.lineage import show

    show(console, name, down=down, as_json=as_json)


@app.command()
def erase(
    customer: Annotated[str, typer.Option(help="The customer's id, as the contract has it.")],
    reason: Annotated[str, typer.Option(help="Why, for the proof; no personal data.")] = "",
    portfolio: Annotated[Portfolio, typer.Option()] = "lending",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    env: Environment = None,
) -> None:
    """Erase a person from every zone, version and table, and write proof. It cannot be undone."""
    from solvent.cli import erase as erasing
    from solvent.erasure import ErasureError

    there = target(env)
    if not (yes or dry_run):
        console.print(
            f"Every row of this customer goes, in {there.place}, old versions included. Nothing brings it back."
        )
        typer.confirm("Erase?", abort=True)
    try:
        erasure_id = erasing.ask(there, portfolio=portfolio, customer=customer, reason=reason, dry_run=dry_run)
    except ErasureError as error:
        raise typer.Exit(fail(str(error))) from error
    console.print(f"Erasure {erasure_id}")
    erasing.show(console, erasing.follow(there, erasure_id, console))


@app.command()
def status(env: Environment = None) -> None:
    """What is deployed, what ran last, and which model is live."""
    from solvent.cli.status import show

    show(console, platform(env))


@app.command()
def doctor() -> None:
    """Check this machine and the installation: versions, memory, disk, ports, Node, the embedded AWS."""
    from solvent.cli.doctor import diagnose

    raise typer.Exit(diagnose(console))


def fail(message: str) -> int:
    errors.print(message, style="red", markup=False, highlight=False)
    return 1


def main() -> None:
    """The entry point: failures that a user can act on are one line, not a traceback."""
    from embedded_aws.lifecycle import LifecycleError
    from solvent.cli.answers import AnswerError
    from solvent.client import PlatformError
    from solvent.delivery import DeliveryError
    from solvent.extraction.errors import ExtractionError
    from solvent.lineage import LineageError
    from solvent.quarantine import QuarantineError
    from solvent.rollout import RolloutError
    from solvent.warehouse.data_api import DataApiError
    from solvent.warehouse.marts import MartError
    from solvent.warehouse.migrations import MigrationError
    from solvent.warehouse.queries import QueryError

    try:
        app()
    except (
        NoTarget,
        LifecycleError,
        PlatformError,
        DeliveryError,
        LineageError,
        QuarantineError,
        RolloutError,
        ExtractionError,
        DataApiError,
        MartError,
        MigrationError,
        QueryError,
        AnswerError,
    ) as error:
        sys.exit(fail(str(error)))
    except ClientError as error:
        details = error.response["Error"]
        sys.exit(fail(f"AWS refused {error.operation_name}: {details['Code']}: {details.get('Message', '')}"))
    except BotoCoreError as error:
        sys.exit(fail(f"AWS could not be reached: {error}"))
