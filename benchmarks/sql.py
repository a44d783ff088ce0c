"""Every mart and saved query at the reference size and at about a thousand times that."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import Check, write
from benchmarks.warehouse import document
from benchmarks.warehouse.embedded import Warehouse, opened
from solvent import contracts
from solvent.warehouse import marts, models
from solvent.warehouse.migrations import split

ROOT = Path(__file__).parents[1]
SMALL, LARGE = 22_903, 20_900_000
COMPANIES = {SMALL: 1_000, LARGE: 50_000}
RUNS = {SMALL: 20, LARGE: 20}
PAGE = 1000
BAR = 1.0
PROTOCOL = (
    "Synthetic portfolios without planted faults, through the ETL and the load into the embedded Redshift (DuckDB "
    "with 2 threads and 1 GB). The large size of lending has the same rows under new keys (customers, loans, "
    "payments, events, features, invented predictions), that of bankruptcy 50,000 companies instead of 1,000. Each "
    "mart is read as an analyst's first page, SELECT * ... ORDER BY its key LIMIT 1000, and each saved query whole, "
    "with its defaults or a value that has rows. Seconds from the statement's text to an Arrow table, after one "
    "warming run: median and 95th percentile of the runs by the clock, median CPU of all threads. Refreshing a "
    "materialized view is measured once. The machine may be shared meanwhile (`load`): then CPU seconds are what to "
    "read."
)


def measure() -> bool:
    details: dict[str, Any] = {"load_before": _load()}
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-sql-", dir=ROOT / "build") as name, opened(Path(name)) as warehouse:
        warehouse.fill(Path(name), SMALL, COMPANIES[SMALL])
        details["small"] = _measured(warehouse, SMALL)
        warehouse.multiply(LARGE)
        warehouse.companies(Path(name), COMPANIES[LARGE])
        details["large"] = _measured(warehouse, LARGE)
    details["load_after"] = _load()
    document.write(ROOT / "docs" / "benchmarks.md", details)
    return write("sql", PROTOCOL, checks(details), details)


def checks(details: dict[str, Any]) -> list[Check]:
    """The bars, of the slowest object each."""
    found = []
    for size in ("small", "large"):
        objects = details[size]["objects"]
        slowest = max(objects, key=lambda name: objects[name]["p95"])
        name = f"p95 at {details[size]['payments']:,} payments, slowest object"
        found.append(Check(name, round(objects[slowest]["p95"], 3), BAR, "s", "lower"))
    return found


def _measured(warehouse: Warehouse, size: int) -> dict[str, Any]:
    refreshed = {}
    for mart in (m for m in marts.read() if m.contract.materialized):
        refreshed[mart.name] = _timed(partial(warehouse.run, f"REFRESH MATERIALIZED VIEW marts.{mart.name}"))
        _say(f"refresh {mart.name}", refreshed[mart.name])
    objects = {}
    for name, (sql, parameters) in statements(warehouse).items():
        read = partial(warehouse.run, sql, parameters=parameters)
        rows = read()
        assert rows is not None
        runs = [_timed(read) for _ in range(RUNS[size])]
        wall = [r["wall"] for r in runs]
        objects[name] = {
            "rows": rows.num_rows,
            "median": round(statistics.median(wall), 4),
            "p95": round(statistics.quantiles(wall, n=20, method="inclusive")[-1], 4),
            "cpu": round(statistics.median(r["cpu"] for r in runs), 4),
        }
        _say(name, objects[name])
    return {
        "payments": warehouse.value("SELECT COUNT(*) FROM lending.repayments"),
        "loans": warehouse.value("SELECT COUNT(*) FROM lending.loans"),
        "company_years": warehouse.value("SELECT COUNT(*) FROM bankruptcy.company_years"),
        "refresh": refreshed,
        "objects": objects,
    }


def statements(warehouse: Warehouse) -> dict[str, tuple[str, dict[str, str]]]:
    """Name -> statement and parameters, of all marts and saved queries but those that ask an endpoint."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for mart in marts.read():
        found[f"marts.{mart.name}"] = (
            f"SELECT * FROM marts.{mart.name} ORDER BY {', '.join(mart.contract.key)} LIMIT {PAGE}",  # noqa: S608
            {},
        )
    with_rows = {
        "customer_id": "SELECT MIN(customer_id) FROM marts.loan_payments",
        "cohort": "SELECT MIN(cohort) FROM marts.vintage_curves",
        "month_end": "SELECT MAX(month_end) FROM marts.roll_rates",
        "run_id": "SELECT MAX(run_id) FROM ops.load_log",
        "company_id": "SELECT MIN(company_id) FROM bankruptcy.company_years",
    }
    for query in contracts.load().queries():
        [sql] = split((ROOT / "sql" / "analytics" / f"{query.name}.sql").read_text())
        if f"{models.SCHEMA}." in sql:  # its time is the endpoint's: benchmarks/scoring.py
            continue
        given = {p.name: p.default or str(warehouse.value(with_rows[p.name])) for p in query.parameters}
        found[query.name] = (sql, given)
    return found


def _timed(work: Callable[[], object]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"wall": round(time.perf_counter() - wall, 4), "cpu": round(time.process_time() - cpu, 4)}


def _load() -> list[float]:
    return [round(x, 1) for x in os.getloadavg()]


def _say(name: str, taken: dict[str, Any]) -> None:
    print(f"{name:<45} " + " ".join(f"{k} {v:g}" for k, v in taken.items()), flush=True)
