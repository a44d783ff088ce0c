"""The loads of a run: COPY into staging, checks, MERGE, as one transaction of statements written from the contracts.

Temporary tables instead of TRUNCATE, which would commit. Running a load twice changes nothing: rows with equal values
are dropped from staging before the MERGE, the logs are keyed by the run.
"""

import re

from solvent.contracts import Contract, Contracts
from solvent.naming import table_prefix
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import MOST_STATEMENTS

_RUN_ID = re.compile(r"[0-9a-f]{16}")
_PORTFOLIO = re.compile(r"[a-z_]{1,40}")
LOGS = ("load_log", "quarantine_log")


class LoadError(Exception):
    """A load that must not be submitted; the message says what is wrong with the request."""


def ingest(contracts: Contracts, *, portfolio: str, run_id: str, buckets: dict[str, str]) -> list[str]:
    """The transaction that loads everything an ETL run published.

    `buckets` maps a lake zone to its bucket's name. Each cleaned table must have exactly the good rows that the load
    log counts for its source, the quarantine log the quarantined ones, and no key may be there twice.
    """
    _check(portfolio, run_id)
    tables = published(contracts, portfolio)
    log, quarantine = contracts["load_log"], contracts["quarantine_log"]
    batch: list[str] = []
    checks: list[tuple[str, str, str]] = []
    for contract in tables:
        columns = list(contract.column_names)
        uri = f"s3://{buckets[contract.zone]}/{table_prefix(portfolio, contract.name, run_id)}"
        batch += [sql.create_staging(contract, columns), sql.copy_parquet(contract, uri)]
        checks.append((f"repeated keys in {contract.name}", sql.repeated_keys(contract), "0"))
        if contract.source:
            good = sql.logged(log, "rows_good", contract.source)
            checks.append((f"rows in {contract.name}", sql.rows_of(contract), good))
    checks.append(("rows in quarantine_log", sql.rows_of(quarantine), sql.logged(log, "rows_quarantined")))
    checks.append(("rows delivered", sql.logged(log, "rows_in"), sql.accounted_for(log)))
    checks.append(("runs in load_log", sql.rows_of(log), sql.logged_run(log, run_id)))
    batch.append(sql.require(checks))
    for contract in tables:
        columns = list(contract.column_names)
        batch += [sql.delete_unchanged(contract, columns), sql.merge(contract, columns)]
    return _fitting(batch)


def predictions(contracts: Contracts, *, portfolio: str, run_id: str, prefix: str) -> list[str]:
    """The transaction that loads a batch transform's output, JSON lines below the S3 address `prefix`.

    The output knows nothing of the run: its id is added here. Every prediction must be of a loan that the warehouse
    has, once per loan, date and model version, and there must be some.
    """
    _check(portfolio, run_id)
    if not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/predictions/[A-Za-z0-9_=/.-]+/", prefix):
        raise LoadError(f"predictions_prefix must be s3://<bucket>/predictions/.../, it is {prefix!r}.")
    contract = contracts["predictions"]
    columns = [name for name in contract.column_names if name != "run_id"]
    orphans = sql.orphans(contract, contract.references[0], contracts)
    checks = [
        ("repeated keys in predictions", sql.repeated_keys(contract), "0"),
        ("predictions of unknown loans", orphans, "0"),
        ("predictions is empty", sql.is_empty(contract), "0"),
    ]
    return _fitting(
        [
            sql.create_staging(contract, columns),
            sql.copy_json(contract, prefix),
            sql.require(checks),
            sql.delete_unchanged(contract, columns),
            sql.merge(contract, columns, {"run_id": run_id}),
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


def _check(portfolio: str, run_id: str) -> None:
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
