"""The schema `marts`: what the API, dashboards, reports and analysts read, and nothing else; one definition a figure.

A mart is a contract (`contracts/marts/NAME.odcs.yaml`) and its query (`sql/marts/NAME.sql`): a late-binding view, a
materialized view, or a table of reference data whose rows stand in the contract. Unlike a migration it may be edited:
what has changed, and what reads it, is made anew at the next deploy, each object in a transaction of its own.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from solvent import contracts, naming
from solvent.contracts import Contract, Contracts
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import DataApi
from solvent.warehouse.migrations import split, sql_files

READERS = (*naming.PEOPLE, "service")
LEDGER = (
    "CREATE SCHEMA IF NOT EXISTS marts",
    "CREATE TABLE IF NOT EXISTS ops.marts_ledger (name VARCHAR(120) NOT NULL, kind VARCHAR(20) NOT NULL, "
    "checksum VARCHAR(64) NOT NULL, applied_at TIMESTAMP NOT NULL, PRIMARY KEY (name)) DISTSTYLE ALL SORTKEY (name)",
    *(f"GRANT USAGE ON SCHEMA marts TO ROLE {role}" for role in READERS),
)
REFRESH = "refresh_marts"
_READS = re.compile(r"\bmarts\.(\w+)")


class MartError(Exception):
    """A mart's contract and query contradict each other, or marts read each other in a circle."""


@dataclass(frozen=True)
class Mart:
    """One object. `query` is its SELECT, empty for reference data; `question` is the business question it answers.

    `reads` are the marts that it needs.
    """

    contract: Contract
    query: str
    question: str
    checksum: str = ""

    @property
    def name(self) -> str:
        return self.contract.name

    @property
    def kind(self) -> str:
        """`table`, `materialized view` or `view`."""
        if self.contract.rows:
            return "table"
        return "materialized view" if self.contract.materialized else "view"

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(_READS.findall(self.query)) - {self.name}

    def create(self) -> list[str]:
        """The statements that make it, its comment and its grants."""
        name, question = sql.table(self.contract), sql.literal(self.question)
        if self.kind == "table":
            made = [*_reference(self.contract), f"COMMENT ON TABLE {name} IS {question}"]
        elif self.kind == "materialized view":
            attributes = f"DISTKEY ({self.contract.dist_key})" if self.contract.dist_key else "DISTSTYLE EVEN"
            sort = f" SORTKEY ({', '.join(self.contract.sort_key)})" if self.contract.sort_key else ""
            made = [f"CREATE MATERIALIZED VIEW {name} {attributes}{sort} AUTO REFRESH NO AS {self.query}"]
        else:
            made = [
                f"CREATE VIEW {name} AS {self.query} WITH NO SCHEMA BINDING",
                f"COMMENT ON VIEW {name} IS {question}",
            ]
        return [*made, *(f"GRANT SELECT ON TABLE {name} TO ROLE {role}" for role in _readers(self.contract))]


def stands(api: DataApi) -> dict[str, tuple[str, str]]:
    """What the ledger says of the marts that stand: name -> (kind, checksum)."""
    rows = api.query("SELECT name, kind, checksum FROM ops.marts_ledger").rows
    return {str(name): (str(kind), str(checksum)) for name, kind, checksum in rows}


def apply(api: DataApi, *, timeout: float = 600) -> list[str]:
    """Make what is new or has changed, drop what is gone; returns the names. Raises MartError or DataApiError.

    Each in a transaction of its own: after a failure the next deploy goes on where this one stopped.
    """
    known = read()
    api.batch(list(LEDGER), timeout=timeout)
    there = stands(api)
    gone = sorted(set(there) - {m.name for m in known})
    pending = plan(known, {name: checksum for name, (_, checksum) in there.items()})
    for name in gone:
        api.batch([drop(name, there[name][0]), _forget(name)], timeout=timeout)
    for mart in pending:
        api.batch(remake(mart, there), timeout=timeout)
    api.batch(refresh_procedure(known), timeout=timeout)
    return [m.name for m in pending] + gone


def drop(name: str, kind: str) -> str:
    """The statement that drops a mart, and with it the materialized views that read it: they are made anew, too."""
    return f"DROP {kind.upper()} IF EXISTS marts.{sql.identifier(name)}" + (" CASCADE" if kind != "view" else "")


def remake(mart: Mart, there: Mapping[str, tuple[str, str]]) -> list[str]:
    """The transaction that makes a mart in place of what the ledger says stands there."""
    before = there[mart.name][0] if mart.name in there else mart.kind
    return [drop(mart.name, before), *mart.create(), _forget(mart.name), _record(mart)]


def plan(known: Sequence[Mart], applied: Mapping[str, str]) -> list[Mart]:
    """The marts whose checksum is not the applied one, in the order in which they must be made."""
    return [mart for mart in known if applied.get(mart.name) != mart.checksum]


def refresh_procedure(known: Sequence[Mart]) -> list[str]:
    """The procedure `ops.refresh_marts()`, with which others refresh what only the owner may refresh:
    the loader after each load, the job that erases a person after the tables are without them.


    Source: docs.aws.amazon.com/redshift/latest/dg/materialized-view-refresh-sql-command.html (owner only).
    """
    body = [f"REFRESH MATERIALIZED VIEW {sql.table(m.contract)}" for m in known if m.contract.materialized]
    return sql.procedure(REFRESH, body, callers=["loader", "eraser"], definer=True)


def read() -> list[Mart]:
    """All marts, each after those it reads."""
    return parse(contracts.load(), sql_files("marts"))


def parse(known: Contracts, files: Mapping[str, str]) -> list[Mart]:
    """Marts from contracts and their queries by file name. Raises MartError, naming the file."""
    found = {
        c.name: Mart(c, _query(c, files), question(files.get(f"{c.name}.sql", "")) or c.purpose) for c in known.marts()
    }
    for name in files:
        if name.removesuffix(".sql") not in found:
            raise MartError(f"sql/marts/{name} has no contract: add contracts/marts/{name[:-4]}.odcs.yaml.")
    for mart in found.values():
        if unknown := sorted(mart.reads - set(found)):
            raise MartError(f"{mart.name} reads unknown marts: {', '.join(unknown)}.")
    ordered: dict[str, Mart] = {}
    for name in _order(found):
        below = "".join(ordered[read].checksum for read in sorted(found[name].reads))
        text = json.dumps([found[name].create(), below])
        ordered[name] = replace(found[name], checksum=hashlib.sha256(text.encode()).hexdigest())
    return list(ordered.values())


def _order(found: Mapping[str, Mart]) -> list[str]:
    try:
        return list(TopologicalSorter({name: sorted(mart.reads) for name, mart in found.items()}).static_order())
    except CycleError as error:
        raise MartError(f"{', '.join(error.args[1][1:])} read each other in a circle.") from error


def question(text: str) -> str:
    """The comment with which the file of a mart or of a saved query begins: the business question."""
    return " ".join(line.lstrip("- ") for line in itertools.takewhile(lambda t: t.startswith("--"), text.splitlines()))


def _query(contract: Contract, files: Mapping[str, str]) -> str:
    text = files.get(f"{contract.name}.sql", "")
    if bool(text) == bool(contract.rows):
        wrong = "both rows in its contract and a query" if text else "neither rows in its contract nor a query"
        raise MartError(f"The mart {contract.name} has {wrong} in sql/marts/{contract.name}.sql; it needs one of them.")
    statements = split(text)
    if len(statements) > 1:
        raise MartError(f"sql/marts/{contract.name}.sql has {len(statements)} statements; a mart is one query.")
    return statements[0] if statements else ""


def _readers(contract: Contract) -> tuple[str, ...]:
    """Who may read a mart: analysts only what has no personal data of the classes direct and protected."""
    return READERS if not {c.pii for c in contract.columns} & {"direct", "protected"} else ("risk_officer",)


def _reference(contract: Contract) -> list[str]:
    """A table of reference data, filled with the contract's rows."""
    name = sql.table(contract)
    columns = ", ".join(
        f"{sql.identifier(c.name)} {c.physical}{' NOT NULL' if c.required else ''}" for c in contract.columns
    )
    rows = ", ".join("(" + ", ".join(_value(v) for v in row) + ")" for row in contract.rows)
    return [
        f"CREATE TABLE {name} ({columns}) DISTSTYLE ALL",
        f"INSERT INTO {name} VALUES {rows}",  # noqa: S608
    ]


def _value(value: str | float | None) -> str:
    return "NULL" if value is None else sql.literal(value) if isinstance(value, str) else repr(value)


def _forget(name: str) -> str:
    return f"DELETE FROM ops.marts_ledger WHERE name = {sql.literal(name)}"  # noqa: S608


def _record(mart: Mart) -> str:
    values = ", ".join(sql.literal(v) for v in (mart.name, mart.kind, mart.checksum))
    return f"INSERT INTO ops.marts_ledger (name, kind, checksum, applied_at) VALUES ({values}, GETDATE())"  # noqa: S608
