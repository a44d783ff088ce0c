"""`solvent rollback`, `challenger` and `compare`: which model answers, and how to change that."""

from typing import Annotated

import typer

from solvent.cli import output
from solvent.cli.options import Environment, Portfolio, console, target


def rollback(
    portfolio: Annotated[Portfolio, typer.Argument()] = "lending",
    to: Annotated[
        str | None, typer.Option(metavar="NAME", help="A kept configuration; default: the one before.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Only say which configurations are kept.")] = False,
    env: Environment = None,
) -> None:
    """Move the endpoint back to an earlier configuration, and see that it is in service on it."""
    from solvent.rollout import Rollout

    there = target(env)
    rollout = Rollout(there.client("sagemaker"), there.names)
    if show:
        for name in rollout.kept(portfolio):
            console.print(name, soft_wrap=True)
        return
    with console.status("the endpoint goes back"):
        now = rollout.back(portfolio, to)
    console.print(f"The endpoint is in service on [bold]{now}[/]. `--to` takes it to another, forward again, too.")


def challenger(
    share: Annotated[float, typer.Argument(help="Of the requests: 1 promotes, 0 drops.", min=0, max=1)],
    portfolio: Annotated[Portfolio, typer.Option()] = "lending",
    env: Environment = None,
) -> None:
    """Give the challenger beside the champion another share of the requests. It can be taken back."""
    from solvent.rollout import Rollout

    there = target(env)
    weights = Rollout(there.client("sagemaker"), there.names).share(portfolio, share)
    console.print("Weights: " + ", ".join(f"{name} {weight:g}" for name, weight in weights.items()))


def compare(
    portfolio: Annotated[Portfolio, typer.Argument()] = "lending",
    hours: Annotated[int, typer.Option(help="How far back to look, at most.", min=1, max=720)] = 168,
    env: Environment = None,
) -> None:
    """What champion and challenger answered to their shares of the requests."""
    from solvent import specification
    from solvent.comparison import Comparison

    there = target(env)
    clients = {name: there.client(name) for name in ("sagemaker", "s3", "cloudwatch")}
    comparison = Comparison(**clients, bucket=there.bucket("artifacts"), names=there.names)
    favourable = specification.load(portfolio).decision.words[0]
    rows = []
    for variant in comparison.variants(portfolio, favourable=favourable, hours=hours):
        low, middle, high = variant.quantiles() or (None, None, None)
        versions = ", ".join(sorted(variant.versions))
        rows.append(
            [variant.name, versions, variant.answers, low, middle, high, variant.favourable_rate, variant.latency_ms]
        )
    columns = ("variant", "version", "answers", "p25", "p50", "p75", f"{favourable} rate", "latency ms")
    output.rows(console, columns, rows, title="captured answers; p is the probability")
