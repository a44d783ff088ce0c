"""Rows in = good + quarantined + duplicates, counted from what was written; and the load log that says so."""

from datetime import date
from typing import Any

from solvent import contracts
from solvent.contracts import Contract
from solvent.delivery import Manifest
from solvent.etl.engine import Engine
from solvent.etl.errors import EtlError
from solvent.etl.lake import Lake

KINDS = ("in", "good", "quarantined", "duplicates", "kept", "tombstones", "deleted")


def counts(sources: tuple[Contract, ...], engine: Engine, lake: Lake) -> dict[str, dict[str, int]]:
    """Rows per source and kind. Raises EtlError when they do not add up.

    The cleaned table holds the good rows that are no tombstones, and those kept of the delivery before.
    """
    cs = contracts.load()

    def count(zone: str, table: str) -> int:
        return engine.count(lake.location(zone, table, remote=engine.remote))

    found = {}
    for contract in sources:
        name, cleaned = contract.name, cs.cleaned(contract.name)
        kept, tombstones = engine.rows(f"kept_{name}"), engine.rows(f"tombstones_{name}")
        rows = found[name] = {
            "in": count("raw", name) + count("raw", f"{name}_malformed"),
            "good": count(cleaned.zone, cleaned.name) - kept + tombstones,
            "quarantined": count("quarantine", name),
            "duplicates": count("quarantine", f"{name}_duplicates"),
            "kept": kept,
            "tombstones": tombstones,
            "deleted": engine.rows(f"removed_{name}") + tombstones,
        }
        if rows["in"] != rows["good"] + rows["quarantined"] + rows["duplicates"]:
            raise EtlError(
                f"Rows of {name} are not accounted for: {rows}. The run is not complete; report this as a fault."
            )
    return found


def write_load_log(
    portfolio: str, run_id: str, manifest: Manifest, counted: dict[str, dict[str, int]], lake: Lake
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def of(kind: str) -> list[int]:
        return [rows[kind] for rows in counted.values()]

    columns: dict[str, list[Any]] = {
        "run_id": [run_id] * len(counted),
        "portfolio": [portfolio] * len(counted),
        "source": list(counted),
        "rows_in": of("in"),
        "rows_good": of("good"),
        "rows_quarantined": of("quarantined"),
        "rows_duplicate": of("duplicates"),
        "as_of": [date.fromisoformat(manifest.as_of)] * len(counted),
        "dataset": [manifest.dataset] * len(counted),
        "rows_kept": of("kept"),
        "rows_tombstone": of("tombstones"),
        "rows_deleted": of("deleted"),
    }
    names = contracts.load()["load_log"].column_names
    pq.write_table(pa.table({n: columns[n] for n in names}), lake.local("training", "load_log") / "part-00000.parquet")
