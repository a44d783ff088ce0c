"""`solvent rollback`, `challenger` and `compare`: which model answers, and how to change that."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer

from solvent.cli import output
from solvent.cli.options import Environment, Portfolio, console, target
from solvent.target import Target

# How long a rollback keeps runs out, should it never say that it is done: long enough to ask for the update. While that
# is under way SageMaker itself refuses another one.
LOCKED_MINUTES = 15


def rollback(
    portfolio: Annotated[Portfolio, typer.Argument()] = "lending",
    to: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A kept configuration (see --list); default: the one before the live one."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Only say which configurations are kept, newest first.")] = False,
    during_a_run: Annotated[
        bool, typer.Option("--during-a-run", help="Even while a run of the portfolio is under way, which may deploy.")
    ] = False,
    env: Environment = None,
) -> None:
    """Move the endpoint back to an earlier configuration, and see that it is in service on it.

    Nothing is trained or deleted: the models of a kept configuration answer as they did. With alarms and blue/green, as
    the last deployment. Refused while a run of the portfolio is under way, which might deploy its model afterwards; a
    run that begins meanwhile waits.
    """
    from solvent.rollout import Rollout

    there = target(env)
    rollout = Rollout(there.client("sagemaker"), there.names)
    if show:
        for name in rollout.kept(portfolio):
            console.print(name, soft_wrap=True)
        return
    with nullcontext() if during_a_run else _locked(there, portfolio), console.status("the endpoint goes back"):
        now = rollout.back(portfolio, to)
    console.print(f"The endpoint is in service on [bold]{now}[/]. `--to` takes it to another, forward again, too.")


def challenger(
    share: Annotated[float, typer.Argument(help="Of the requests: 1 promotes, 0 drops.", min=0, max=1)],
    portfolio: Annotated[Portfolio, typer.Option()] = "lending",
    env: Environment = None,
) -> None:
    """Give the challenger beside the champion another share of the requests. It can be taken back.

    At once, without a deployment. Whoever has most is champion: batches and the next models' gates go by it.
    A challenger comes from `train` with {"portfolio": ..., "challenger_weight": 0.1}; see how it does by `compare`.
    """
    from solvent.rollout import Rollout

    there = target(env)
    weights = Rollout(there.client("sagemaker"), there.names).share(portfolio, share)
    console.print("Weights: " + ", ".join(f"{name} {weight:g}" for name, weight in weights.items()))


def compare(
    portfolio: Annotated[Portfolio, typer.Argument()] = "lending",
    hours: Annotated[int, typer.Option(help="How far back to look, at most.", min=1, max=720)] = 168,
    env: Environment = None,
) -> None:
    """What champion and challenger answered to their shares of the requests, and what became of whom they judged.

    From captured requests and answers since the live configuration was made. Labelled are those whom a request named
    and of whom the warehouse knows the outcome: expected is the mean of their probabilities, bad the rate that came.
    """
    from solvent import specification
    from solvent.client import warehouse
    from solvent.comparison import Comparison

    there = target(env)
    clients = {name: there.client(name) for name in ("sagemaker", "s3", "cloudwatch")}
    comparison = Comparison(**clients, warehouse=warehouse(there), bucket=there.bucket("artifacts"), names=there.names)
    specified = specification.load(portfolio)
    favourable = specified.decision.words[0]
    rows = []
    for variant in comparison.variants(portfolio, entity=specified.entity, favourable=favourable, hours=hours):
        row = [variant.name, ", ".join(sorted(variant.versions)), variant.answers]
        row += variant.quantiles() or (None, None, None)
        row += [variant.favourable_rate, variant.latency_ms]
        rows.append([*row, len(variant.outcomes), variant.expected_bad_rate, variant.bad_rate])
    columns = ("variant", "version", "answers", "p25", "p50", "p75", f"{favourable} rate", "latency ms",
               "labelled", "expected", "bad")  # fmt: skip
    output.rows(console, columns, rows, title="captured answers; p is the probability")


@contextmanager
def _locked(there: Target, portfolio: str) -> Iterator[None]:
    """The portfolio's lock, as a run has it. Raises RolloutError when somebody else holds it."""
    from solvent import holders
    from solvent.ledger import Ledger, PortfolioBusy
    from solvent.rollout import RolloutError

    table = there.session.resource("dynamodb", endpoint_url=there.endpoint_url).Table(there.names.runs_table)
    alive = holders.Holders(there.client("stepfunctions"), there.client("glue")).alive
    ledger, owner = Ledger(table, alive=alive), holders.rollback(LOCKED_MINUTES)
    try:
        ledger.acquire(portfolio, owner)
    except PortfolioBusy as busy:
        raise RolloutError(
            f"{busy} It may deploy a model after the way back. Wait for it or stop it, or say --during-a-run. Nothing "
            "was changed."
        ) from busy
    try:
        yield
    finally:
        ledger.release(portfolio, owner)
