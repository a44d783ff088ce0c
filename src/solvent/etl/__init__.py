"""The ETL of a portfolio: delivered files -> raw -> cleaned -> features, every row accounted for.

One SQL code base (`sql/etl/` and what the contracts imply), two engines. Nothing looks at a clock: the same delivery
under the same code gives the same tables.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent import contracts, delivery, naming, specification
from solvent.contracts import Contract
from solvent.etl import statements
from solvent.etl.engine import Engine
from solvent.etl.errors import EtlError
from solvent.etl.lake import Lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["EtlError", "Job", "run"]

ZONES = ("landing", "raw", "cleaned", "training", "quarantine", "artifacts")


@dataclass(frozen=True)
class Job:
    """What a run is asked to do. `manifest` is an s3 address, `buckets` maps each of ZONES to its bucket."""

    portfolio: str
    run_id: str
    manifest: str
    buckets: dict[str, str]


@dataclass(frozen=True)
class _Output:
    """A computed table that is published: under `name` in `zone`."""

    table: str
    zone: str
    name: str
    order: tuple[str, ...]
    form: Any = "parquet"


def run(job: Job, *, engine: Engine, s3: "S3Client", work: Path) -> dict[str, Any]:
    """Take one delivery through the lake and return the report that is written to artifacts.

    Raises EtlError or DeliveryError, with nothing published, for a delivery that cannot be taken; EtlError when the
    written tables do not account for every row.
    """
    lake = Lake(job.portfolio, job.run_id, job.buckets, work, s3)
    manifest = delivery.parse(lake.fetch(job.manifest))
    sources = _expected(job, manifest)
    extra = _admit(job, manifest, sources, lake)
    raw = [("raw", name) for c in sources for name in (c.name, f"{c.name}_malformed")]
    if engine.remote:
        lake.publish(raw)

    label = specification.load(job.portfolio).label
    engine.parameters(
        {"run_id": job.run_id, "dataset": manifest.dataset},
        {"as_of": manifest.as_of},
        {"maturity_months": label.maturity_months, "days_past_due": label.days_past_due},
    )
    for contract in sources:
        engine.read(f"raw_{contract.name}", lake.location("raw", contract.name, remote=engine.remote))
        malformed = lake.location("raw", f"{contract.name}_malformed", remote=engine.remote)
        engine.read(f"malformed_{contract.name}", malformed)
    for statement in statements.load(job.portfolio, engine.dialect):
        engine.fill(statement.table, statement.sql)

    outputs = _outputs(job.portfolio, sources)
    for output in outputs:
        location = lake.location(output.zone, output.name, remote=engine.remote)
        engine.write(output.table, location, form=output.form, order=output.order)
    counts = _accounted_for(sources, engine, lake)
    _write_load_log(job, manifest, counts, lake)

    log = ("training", "load_log")
    lake.publish([log] if engine.remote else [*raw, *((o.zone, o.name) for o in outputs), log])
    report = _report(job, manifest, counts, lake, [*raw, *((o.zone, o.name) for o in outputs), log], extra)
    body = json.dumps(report, indent=2, sort_keys=True).encode() + b"\n"
    lake.put_json("artifacts", naming.report_key(job.portfolio, job.run_id, "etl"), body)
    return report


def _expected(job: Job, manifest: delivery.Manifest) -> tuple[Contract, ...]:
    """The portfolio's sources, each of which the delivery must hold."""
    if manifest.portfolio != job.portfolio:
        raise EtlError(
            f"{job.manifest} is a delivery of {manifest.portfolio}, not {job.portfolio}. Nothing was published."
        )
    sources = contracts.load().sources(job.portfolio)
    names = [c.name for c in sources]
    missing = [n for n in names if not manifest.files_of(n)]
    unknown = [f.name for f in manifest.files if f.source not in names]
    if missing or unknown:
        what = (
            f"lacks {', '.join(f'{n}.csv' for n in missing)}"
            if missing
            else f"has {', '.join(unknown)}, of no contract"
        )
        raise EtlError(
            f"The delivery {manifest.delivery_id} {what}. Deliver {', '.join(f'{n}.csv' for n in names)} together. "
            f"Nothing was published."
        )
    return sources


def _admit(job: Job, manifest: delivery.Manifest, sources: tuple[Contract, ...], lake: Lake) -> dict[str, list[str]]:
    """Every file of the delivery into the work folder's raw zone; returns the columns that no contract knows."""
    from solvent.etl import admission

    extra: dict[str, list[str]] = {}
    folder = job.manifest.rpartition("/")[0]
    for contract in sources:
        for file in manifest.files_of(contract.name):
            landed = lake.local("landing", contract.name) / file.name
            lake.download(f"{folder}/{file.name}", landed)
            admitted = admission.admit(
                landed,
                file,
                contract,
                raw=lake.local("raw", contract.name) / f"{landed.stem}.parquet",
                malformed=lake.local("raw", f"{contract.name}_malformed") / f"{landed.stem}.parquet",
            )
            landed.unlink()
            if admitted.extra:
                extra.setdefault(contract.name, []).extend(admitted.extra)
    return extra


def _outputs(portfolio: str, sources: tuple[Contract, ...]) -> list[_Output]:
    cs = contracts.load()
    place = ("source_file", "row_number")
    outputs = []
    for contract in sources:
        cleaned = cs.cleaned(contract.name)
        outputs += [
            _Output(cleaned.name, cleaned.zone, cleaned.name, cleaned.key),
            _Output(f"quarantine_{contract.name}", "quarantine", contract.name, place),
            _Output(f"duplicates_{contract.name}", "quarantine", f"{contract.name}_duplicates", place),
        ]
    features = cs["application_features"]
    log = cs["quarantine_log"]
    return [
        *outputs,
        _Output(features.name, features.zone, features.name, features.key),
        _Output("open_loans", "training", "open_loans", ("loan_id",), "jsonl"),
        _Output(log.name, log.zone, log.name, log.key),
    ]


def _accounted_for(sources: tuple[Contract, ...], engine: Engine, lake: Lake) -> dict[str, dict[str, int]]:
    """Rows per source, counted from the written files. Raises EtlError when they do not add up."""
    cs = contracts.load()

    def count(zone: str, table: str) -> int:
        return engine.count(lake.location(zone, table, remote=engine.remote))

    counts = {}
    for contract in sources:
        name, cleaned = contract.name, cs.cleaned(contract.name)
        rows = counts[name] = {
            "in": count("raw", name) + count("raw", f"{name}_malformed"),
            "good": count(cleaned.zone, cleaned.name),
            "quarantined": count("quarantine", name),
            "duplicates": count("quarantine", f"{name}_duplicates"),
        }
        if rows["in"] != rows["good"] + rows["quarantined"] + rows["duplicates"]:
            raise EtlError(
                f"Rows of {name} are not accounted for: {rows}. The run is not complete; report this as a fault."
            )
    return counts


def _write_load_log(job: Job, manifest: delivery.Manifest, counts: dict[str, dict[str, int]], lake: Lake) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "run_id": [job.run_id] * len(counts),
        "portfolio": [job.portfolio] * len(counts),
        "source": list(counts),
        "rows_in": [c["in"] for c in counts.values()],
        "rows_good": [c["good"] for c in counts.values()],
        "rows_quarantined": [c["quarantined"] for c in counts.values()],
        "rows_duplicate": [c["duplicates"] for c in counts.values()],
        "as_of": [date.fromisoformat(manifest.as_of)] * len(counts),
        "dataset": [manifest.dataset] * len(counts),
    }
    names = contracts.load()["load_log"].column_names
    pq.write_table(pa.table({n: columns[n] for n in names}), lake.local("training", "load_log") / "part-00000.parquet")


def _report(
    job: Job,
    manifest: delivery.Manifest,
    counts: dict[str, dict[str, int]],
    lake: Lake,
    published: list[tuple[str, str]],
    extra: dict[str, list[str]],
) -> dict[str, Any]:
    excluded = specification.load(job.portfolio).generated_features(manifest.provenance)
    return {
        "run_id": job.run_id,
        "portfolio": job.portfolio,
        "dataset": manifest.dataset,
        "as_of": manifest.as_of,
        "rows": {kind: sum(c[kind] for c in counts.values()) for kind in ("in", "good", "quarantined", "duplicates")},
        "sources": counts,
        "tables": {f"{zone}.{name}": lake.uri(zone, name) for zone, name in published},
        "excluded_features": list(excluded),
        "unknown_columns": extra,
    }
