"""`solvent sql` and `solvent query`: the warehouse asked by hand, or with a saved query."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from solvent.cli import output
from solvent.cli.options import Environment, console, target

if TYPE_CHECKING:
    from solvent.warehouse.data_api import DataApi
    from solvent.warehouse.queries import Query

# What --help shows, and with which anything else is refused; a test compares it with its definition.
Person = Literal["analyst", "risk_officer"]
Given = Annotated[list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A value for :NAME; repeat it.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated, whole numbers and names as they are.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON list of objects.")]
Parquet = Annotated[bool, typer.Option("--parquet", help="Parquet, with types; needs --out.")]
Out = Annotated[Path | None, typer.Option(help="Into this file, by its ending .csv, .json or .parquet.")]
Everything = Annotated[bool, typer.Option("--all", help="Every row on the screen, not as many as fit.")]
Role = Annotated[Person | None, typer.Option(help="Ask as this role of the warehouse; default: as who you are.")]


def sql(
    statement: Annotated[
        str | None, typer.Argument(metavar="SQL|FILE|-", help=r"SQL, a .sql file, - for standard input, or \d [TABLE].")
    ] = None,
    param: Given = None,
    csv: Csv = False,
    as_json: AsJson = False,
    parquet: Parquet = False,
    out: Out = None,
    everything: Everything = False,
    role: Role = None,
    env: Environment = None,
) -> None:
    """Ask the warehouse, through the Redshift Data API. Without a statement: a prompt with history and completion."""
    from solvent.cli import answers, prompt
    from solvent.target import home

    if statement is None and sys.stdin.isatty():
        place = " ".join(filter(None, (env or "laptop", role)))
        prompt.Prompt(_warehouse(env, role), console, place=place).run(home() / "sql_history")
        return
    form = answers.form_of({"csv": csv, "json": as_json, "parquet": parquet}, out)
    text = _text(statement or "-")
    if text.startswith("\\"):
        prompt.look_up(console, text)
        return
    parameters = _ad_hoc(text, pairs(param))
    _answer(_warehouse(env, role), text, parameters, form, out, everything=everything)


def query(
    name: Annotated[str | None, typer.Argument(help="A saved query; without one, all are listed.")] = None,
    param: Given = None,
    show: Annotated[bool, typer.Option("--show", help="Print its SQL; nothing is asked.")] = False,
    csv: Csv = False,
    as_json: AsJson = False,
    parquet: Parquet = False,
    out: Out = None,
    everything: Everything = False,
    role: Role = None,
    env: Environment = None,
) -> None:
    """Run a saved query of `sql/analytics/`, or list them with the questions that they answer."""
    from solvent.cli import answers
    from solvent.warehouse import queries

    saved = queries.read()
    if name is None:
        listed(console, list(saved.values()))
        return
    if show:
        typer.echo(saved[name].text.rstrip())
        return
    form = answers.form_of({"csv": csv, "json": as_json, "parquet": parquet}, out)
    parameters = saved[name].arguments(pairs(param))
    _answer(_warehouse(env, role), saved[name].sql, parameters, form, out, everything=everything)


def listed(to: Console, saved: "list[Query]") -> None:
    """The saved queries, their parameters and questions."""
    rows = [[q.name, _parameters(q), q.question] for q in saved]
    output.listing(to, ["query", "parameters", "question"], rows)


def _parameters(query: "Query") -> str:
    given = query.contract.parameters
    return ", ".join(p.name if p.default is None else f"{p.name}={p.default}" for p in given)


def _answer(
    api: "DataApi", text: str, parameters: dict[str, str], form: str, out: Path | None, *, everything: bool
) -> None:
    from solvent.cli import answers

    answer = answers.ask(api, text, parameters)
    if form == "table":
        answers.show(console, answer, everything=everything)
    else:
        answers.write(console, answer, form, out)


def _warehouse(env: str | None, role: str | None) -> "DataApi":
    from solvent.client import warehouse

    there = target(env)
    return warehouse(there.as_person(role) if role else there)


def _text(statement: str) -> str:
    """The SQL itself. Raises QueryError for a file that is not there, no statement, or several."""
    from solvent.warehouse import queries
    from solvent.warehouse.migrations import split
    from solvent.warehouse.queries import QueryError

    text = sys.stdin.read() if statement == "-" else statement
    if statement.endswith(".sql"):
        if not Path(statement).is_file():
            raise QueryError(f"There is no file {statement}. `solvent query` lists the saved queries.")
        text = Path(statement).read_text()
    if text.startswith("\\"):
        return text
    several = len(split(text))
    if several != 1:
        hint = "ask one at a time, or paste them into the prompt (`solvent sql`)" if several else "nothing was asked"
        raise QueryError(f"That is {several} statements, one is taken: {hint}.")
    if text.strip() in queries.read():
        raise QueryError(f"{text.strip()} is a saved query: `solvent query {text.strip()}` runs it.")
    return text.strip().removesuffix(";")


def pairs(given: list[str] | None) -> dict[str, str]:
    """`NAME=VALUE` of the command line. Raises QueryError for what is none."""
    from solvent.warehouse.queries import QueryError

    values: dict[str, str] = {}
    for item in given or []:
        name, equals, value = item.partition("=")
        if not equals or not name.isidentifier():
            raise QueryError(f"A parameter is NAME=VALUE, not '{item}'.")
        if name in values:
            raise QueryError(f"The parameter {name} is given twice.")
        values[name] = value
    return values


def _ad_hoc(text: str, given: dict[str, str]) -> dict[str, str]:
    """The parameters, which must be those of the statement. Raises QueryError, which names each that is not."""
    from solvent.warehouse.queries import QueryError, placeholders

    wanted = placeholders(text)
    wrong = [f":{name} has no value: add --param {name}=VALUE" for name in sorted(wanted - set(given))]
    wrong += [f"--param {name} is not used: the statement has no :{name}" for name in sorted(set(given) - wanted)]
    if wrong:
        raise QueryError(f"Nothing was asked. {'; '.join(wrong)}.")
    return given
