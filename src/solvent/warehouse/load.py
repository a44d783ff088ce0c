"""The loads of a run: COPY into staging, checks, MERGE, as one transaction of statements written from the contracts.

Temporary tables instead of TRUNCATE, which would commit. Running a load twice changes nothing: rows with equal values
are dropped from staging before the MERGE, the logs are keyed by the run.
"""

import re
from collections.abc import Mapping
from typing import Any

from solvent.contracts import Contract, Contracts
from solvent.naming import table_prefix
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import MOST_STATEMENTS

_RUN_ID = re.compile(r"[0-9a-f]{16}")
_PORTFOLIO = re.compile(r"[a-z_]{1,40}")
LOGS = ("load_log", "quarantine_log", "deletion_log")


class LoadError(Exception):
    """A load that must not be submitted; the message says what is wrong with the request."""


def ingest(
    contracts: Contracts, *, portfolio: str, run_id: str, buckets: dict[str, str], report: Mapping[str, Any]
) -> list[str]:
    """The transaction that loads everything an ETL run published, as its `report` tells.

    `buckets` maps a lake zone to its bucket's name. Each cleaned table must have exactly the rows that the load log
    counts for its source, the quarantine log the quarantined ones, and no key may be there twice. What the delivery
    deleted is deleted here, too.
    """
    check(portfolio, run_id)
    deleted = [source for source, rows in report["sources"].items() if rows["deleted"]]
    tables = [
        c
        for c in published(contracts, portfolio)
        if f"{c.zone}.{c.name}" in report["tables"] and (deleted or c.name != "deletion_log")
    ]
    log, quarantine, deletions = (contracts[name] for name in LOGS)
    batch: list[str] = []
    checks: list[tuple[str, str, str]] = []
    for contract in tables:
        columns = list(contract.column_names)
        uri = f"s3://{buckets[contract.zone]}/{table_prefix(portfolio, contract.name, run_id)}"
        batch += [sql.create_staging(contract, columns), sql.copy_parquet(contract, uri)]
        checks.append((f"repeated keys in {contract.name}", sql.repeated_keys(contract), "0"))
        if contract.source:
            expected = sql.rows_expected(log, contract.source)
            checks.append((f"rows in {contract.name}", sql.rows_of(contract), expected))
    checks.append(("rows in quarantine_log", sql.rows_of(quarantine), sql.logged(log, "rows_quarantined")))
    if deleted:
        checks.append(("rows in deletion_log", sql.rows_of(deletions), sql.logged(log, "rows_deleted")))
    checks.append(("rows delivered", sql.logged(log, "rows_in"), sql.accounted_for(log)))
    checks.append(("runs in load_log", sql.rows_of(log), sql.logged_run(log, run_id)))
    batch.append(sql.require(checks))
    for contract in tables:
        columns = list(contract.column_names)
        batch += [sql.delete_logged(contract, deletions, s, key) for s, key in _hangs_on(contract, contracts, deleted)]
        if contract.name not in LOGS:  # a run's part of the logs is small, and its own
            batch.append(sql.delete_unchanged(contract, columns))
        batch.append(sql.merge(contract, columns))
    return _fitting(batch)


def _hangs_on(contract: Contract, contracts: Contracts, sources: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Of the sources with deletions the one whose rows a table holds or describes, with the table's columns of its key.

    A cleaned table holds them. A feature table describes the rows that its key refers to.
    """
    if contract.source:
        return [(contract.source, contract.key)] if contract.source in sources else []
    found: list[tuple[str, tuple[str, ...]]] = []
    for reference in contract.references:
        parent = contracts[reference.contract]
        if reference.column in contract.key and parent.source in sources and parent.key == (reference.target,):
            found.append((parent.source, (reference.column,)))
    return found


def predictions(contracts: Contracts, *, portfolio: str, run_id: str, prefix: str) -> list[str]:
    """The transaction that loads a batch transform's output, JSON lines below the S3 address `prefix`.

    The output knows nothing of the run: its id is added here. Every prediction must be of an entity that the warehouse
    has, once per entity, date and model version, and there must be some.
    """
    check(portfolio, run_id)
    if not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/predictions/[A-Za-z0-9_=/.-]+/", prefix):
        raise LoadError(f"predictions_prefix must be s3://<bucket>/predictions/.../, it is {prefix!r}.")
    contract = predictions_of(contracts, portfolio)
    columns = [name for name in contract.column_names if name != "run_id"]
    orphans = sql.orphans(contract, contract.references[0], contracts)
    checks = [
        (f"repeated keys in {contract.name}", sql.repeated_keys(contract), "0"),
        (f"{contract.name} of unknown {contract.references[0].contract}", orphans, "0"),
        (f"{contract.name} is empty", sql.is_empty(contract), "0"),
    ]
    return _fitting(
        [
            sql.create_staging(contract, columns),
            sql.copy_json(contract, prefix),
            sql.require(checks),
            sql.delete_unchanged(contract, columns),
            sql.merge(contract, columns, {"run_id": run_id}),
            # What the law keeps of erased persons goes when its time has come; score runs every night.
            sql.purge(contracts["retained_decisions"], "keep_until"),
        ]
    )


def published(contracts: Contracts, portfolio: str) -> list[Contract]:
    """What an ETL run loads: the portfolio's cleaned and training tables, and the two logs."""
    tables = [
        c
        for c in contracts.values()
        if c.portfolio == portfolio and c.kind == "published" and c.zone in ("cleaned", "training")
    ]
    return [*sorted(tables, key=lambda c: c.name), *(contracts[name] for name in LOGS)]


def predictions_of(contracts: Contracts, portfolio: str) -> Contract:
    """The table of a portfolio's predictions: the one that a model fills."""
    for contract in contracts.values():
        if contract.portfolio == portfolio and contract.kind == "published" and contract.zone == "artifacts":
            return contract
    raise LoadError(f"Portfolio {portfolio} has no contract for its predictions: a published one in zone artifacts.")


def check(portfolio: str, run_id: str) -> None:
    """Raises LoadError unless both have the form of a portfolio and of a run's id."""
    if not _RUN_ID.fullmatch(run_id):
        raise LoadError(f"run_id must be 16 hexadecimal digits, it is {run_id!r}.")
    if not _PORTFOLIO.fullmatch(portfolio):
        raise LoadError(f"portfolio must be lower-case letters and _, it is {portfolio!r}.")


def _fitting(batch: list[str]) -> list[str]:
    if len(batch) > MOST_STATEMENTS:
        raise LoadError(
            f"The load needs {len(batch)} statements, one transaction takes {MOST_STATEMENTS}: load fewer tables."
        )
    return batch
