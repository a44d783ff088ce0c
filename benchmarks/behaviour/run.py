"""Run a side in a process of its own and say what it took; compare what two sides wrote."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from solvent import contracts, specification
from solvent.etl import statements

RESULT = "behaviour_features"
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Cost:
    """Of a whole process with its children, start and imports included: seconds of CPU (user and system) and of the
    clock, and the peak of resident memory in MB."""

    cpu: float
    wall: float
    memory: float


def settings(as_of: str, *, observations: int) -> dict[str, Any]:
    """The table `run` of the product, with a number of observation dates."""
    spec = specification.load("lending")
    label = {"maturity_months": spec.label.maturity_months, "days_past_due": spec.label.days_past_due}
    return {"as_of": as_of, **label, **spec.parameters, "behaviour_observations": observations}


def steps(dialect: str) -> list[list[str]]:
    """The product's statements that lead from the cleaned tables to the behaviour features, as [table, SQL]."""
    cs = contracts.load()
    given = {cs.cleaned(c.name).name for c in cs.sources("lending")}
    given |= {f"{name}_history" for name in given}
    by_table = {s.table: s for s in statements.derive("lending", dialect)}
    needed, waiting = set(), [RESULT]
    while waiting:
        table = waiting.pop()
        if table in by_table and table not in given | needed:
            needed.add(table)
            waiting += by_table[table].reads
    return [[s.table, s.sql] for s in by_table.values() if s.table in needed]


def cost(side: str, folder: Path, out: Path, given: dict[str, Any]) -> Cost:
    """Run `side` once. Raises CalledProcessError when it fails."""
    if out.is_dir():
        shutil.rmtree(out)
    plan = out.parent / f"{side}.json"
    plan.write_text(json.dumps(steps("spark" if side == "spark" else "duckdb") if side in ("ours", "spark") else []))
    command = [sys.executable, "-m", "benchmarks.behaviour.side", side, folder, out, plan, json.dumps(given)]
    begun = time.monotonic()
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(c) for c in command], stdout=said, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (said, errors):
            stream.seek(0)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, side, stderr=errors.read()[-4000:])
        memory = float(said.read().split()[-1])
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - begun, memory)


def summary(runs: Iterable[Cost]) -> dict[str, Any]:
    """Medians, and the CPU seconds of each run."""
    every = list(runs)
    medians = {n: round(statistics.median(getattr(r, n) for r in every), 3) for n in asdict(every[0])}
    return {**medians, "runs": [round(r.cpu, 3) for r in every]}


def differences(one: Path, other: Path) -> dict[str, int]:
    """Columns in which two results differ, with the number of rows; `rows` counts keys that only one of them has."""
    contract = contracts.load()[RESULT]
    key = " AND ".join(f"a.{k} = CAST(b.{k} AS {contract.column(k).physical})" for k in contract.key)
    parts = [f"COUNT(*) FILTER (WHERE a.{contract.key[0]} IS NULL OR b.{contract.key[0]} IS NULL)"]
    for column in contract.columns:
        a, b = f"a.{column.name}", f"b.{column.name}"
        if column.type in ("integer", "number"):
            same = f"ABS(CAST({a} AS DOUBLE) - CAST({b} AS DOUBLE)) <= {TOLERANCE}"
        elif column.type == "date":
            same = f"{a} = CAST({b} AS DATE)"
        else:
            same = f"{a} = {b}"
        parts.append(f"COUNT(*) FILTER (WHERE NOT COALESCE({same}, {a} IS NULL AND {b} IS NULL))")
    with duckdb.connect() as connection:
        for name, path in (("a", one), ("b", other)):
            files = f"{path}/*.parquet" if path.is_dir() else str(path)
            connection.read_parquet(files).create_view(name)
        select = f"SELECT {', '.join(parts)} FROM a FULL JOIN b ON {key}"  # noqa: S608  names of our contracts
        [counts] = connection.execute(select).fetchall()
    return {n: c for n, c in zip(("rows", *contract.column_names), counts, strict=True) if c}
