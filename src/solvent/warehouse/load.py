"""The loads of a run: COPY into staging, checks, MERGE, as one transaction of statements written from the contracts.

Temporary tables instead of TRUNCATE, which would commit. Running a load twice changes nothing: rows with equal values
are dropped from staging before the MERGE (`solvent.warehouse.merging`), the logs are keyed by the run.
"""

import re
from collections.abc import Mapping
from typing import Any

from solvent.contracts import Contract, Contracts
from solvent.naming import table_prefix
from solvent.warehouse import merging
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import MOST_STATEMENTS
from solvent.warehouse.merging import LOGS

_RUN_ID = re.compile(r"[0-9a-f]{16}")
_PORTFOLIO = re.compile(r"[a-z_]{1,40}")


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
    tables = [c for c in merging.tables(contracts, portfolio) if f"{c.zone}.{c.name}" in report["tables"]]
    log, quarantine, deletions = (contracts[name] for name in LOGS)
    any_deleted = any(rows["deleted"] for rows in report["sources"].values())
    batch: list[str] = []
    checks: list[tuple[str, str, str]] = []
    for contract in [*tables, log, quarantine, deletions]:
        batch.append(sql.create_staging(contract, list(contract.column_names)))
        if contract is deletions and not any_deleted:
            continue  # there is no file of it; the procedures ask for the table all the same
        uri = f"s3://{buckets[contract.zone]}/{table_prefix(portfolio, contract.name, run_id)}"
        batch.append(sql.copy_parquet(contract, uri))
        checks.append((f"repeated keys in {contract.name}", sql.repeated_keys(contract), "0"))
        if contract.source:
            expected = sql.rows_expected(log, contract.source)
            checks.append((f"rows in {contract.name}", sql.rows_of(contract), expected))
    checks += [
        ("rows in quarantine_log", sql.rows_of(quarantine), sql.logged(log, "rows_quarantined")),
        ("rows in deletion_log", sql.rows_of(deletions), sql.logged(log, "rows_deleted")),
        ("rows delivered", sql.logged(log, "rows_in"), sql.accounted_for(log)),
        ("runs in load_log", sql.rows_of(log), sql.logged_run(log, run_id)),
    ]
    batch.append(sql.require(checks))
    batch += [sql.call(merging.procedure(contract)) for contract in tables]
    # A run's part of the logs is small, and its own.
    batch += [sql.merge(contract, list(contract.column_names)) for contract in (log, quarantine, deletions)]
    return _fitting(batch)


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
    """What an ETL run loads: the portfolio's cleaned and training tables, and the logs."""
    return [*merging.tables(contracts, portfolio), *(contracts[name] for name in LOGS)]


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
