"""What several commands share: where they go, and what may be chosen."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from solvent.cli import output
from solvent.target import Target

if TYPE_CHECKING:
    from solvent.client import Platform

console = output.console()

# What --help shows, and with which anything else is refused; a test compares it with its definition.
Portfolio = Literal["lending", "bankruptcy"]
Environment = Annotated[
    str | None,
    typer.Option("--env", metavar="NAME", help="An environment (dev, prod) in your AWS account; default: the laptop."),
]


def target(environment: str | None) -> Target:
    """The laptop's embedded AWS, or an environment in an account."""
    return Target.laptop() if environment is None else Target.account(environment)


def platform(environment: str | None) -> "Platform":
    from solvent.client import Platform

    return Platform(target(environment))
