"""The ETL of a portfolio: delivered files -> raw -> cleaned -> features, every row accounted for.

One SQL code base (`sql/etl/` and what the contracts imply), two engines. Nothing looks at a clock: the same delivery on
the same base under the same code gives the same tables. A source that cannot be taken is stopped by name; what is
computed from it waits, the rest goes on (`solvent.etl.stops`).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent import contracts, delivery, naming, specification
from solvent.contracts import Contract, glue
from solvent.etl import accounting, quality, statements
from solvent.etl.engine import Engine, Format
from solvent.etl.errors import EtlError
from solvent.etl.lake import Lake
from solvent.etl.stops import Stops

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["EtlError", "Job", "run"]

ZONES = ("landing", "raw", "cleaned", "training", "quarantine", "artifacts")


@dataclass(frozen=True)
class Job:
    """What a run is asked to do. `manifest` is an s3 address, `buckets` maps each of ZONES to its bucket.

    `base` is the run whose tables this delivery builds on; None for the first of a data set.
    """

    portfolio: str
    run_id: str
    manifest: str
    buckets: dict[str, str]
    base: str | None = None


@dataclass(frozen=True)
class _Output:
    """A computed table that is published: under `name` in `zone`."""

    table: str
    zone: str
    name: str
    order: tuple[str, ...]
    form: Format = "parquet"


def run(job: Job, *, engine: Engine, s3: "S3Client", work: Path) -> dict[str, Any]:
    """Take one delivery through the lake and return the report that is written to artifacts.

    The report names what was stopped and why. Raises EtlError or DeliveryError, with nothing published, for a delivery
    that cannot be taken at all; EtlError when the written tables do not account for every row.
    """
    lake = Lake(job.portfolio, job.run_id, job.buckets, work, s3)
    manifest = delivery.parse(lake.fetch(job.manifest))
    sources = _expected(job, manifest)
    spec = specification.load(job.portfolio)
    stops = Stops(sources)
    extra = _admit(job, manifest, sources, lake, stops)
    stops.raise_if_nothing_is_left()
    raw = [("raw", n) for c in sources if c.name not in stops.reasons for n in (c.name, f"{c.name}_malformed")]
    if engine.remote:
        lake.publish(raw)

    engine.parameters(
        {"run_id": job.run_id, "dataset": manifest.dataset, "keeps": _keeps(manifest, sources)},
        {"as_of": manifest.as_of},
        {
            "maturity_months": spec.label.maturity_months,
            "days_past_due": spec.label.days_past_due,
            **spec.parameters,
        },
    )
    _read(job, manifest, sources, engine, lake, stops)
    for statement in statements.load(job.portfolio, engine.dialect):
        if stops.let_pass(statement):
            engine.fill(statement.table, statement.sql)
            if manifest.replay_of is None:  # a replay is made of faults: they return to quarantine and stop nothing
                stops.look_at(statement.table, engine)
    taken = tuple(c for c in sources if stops.is_there(f"deleted_{c.name}"))
    stops.raise_if_nothing_is_left(taken)
    steps = [c for c in contracts.load().steps(job.portfolio) if stops.is_there(f"rules_{c.name}")]
    broken = {c.name: quality.report(c, engine.first(f"rules_{c.name}")) for c in steps}
    for log, part in (("quarantine_log", "quarantined"), ("deletion_log", "deleted")):
        parts = (f"SELECT * FROM {part}_{c.name}" for c in taken)  # noqa: S608 (names of contracts)
        engine.fill(log, " UNION ALL ".join(parts))

    outputs = _outputs(job.portfolio, taken, spec, stops)
    for output in outputs:
        location = lake.location(output.zone, output.name, remote=engine.remote)
        engine.write(output.table, location, form=output.form, order=output.order)
    counts = accounting.counts(taken, engine, lake)
    accounting.write_load_log(job.portfolio, job.run_id, manifest, counts, lake)

    tables = [*((o.zone, o.name) for o in outputs), ("training", "load_log")]
    lake.publish(tables[-1:] if engine.remote else [*raw, *tables])
    report = {
        "run_id": job.run_id,
        "portfolio": job.portfolio,
        "dataset": manifest.dataset,
        "as_of": manifest.as_of,
        "mode": manifest.mode,
        "base": job.base,
        "rows": {kind: sum(c[kind] for c in counts.values()) for kind in accounting.KINDS},
        "sources": counts,
        "tables": {f"{zone}.{name}": lake.uri(zone, name) for zone, name in [*raw, *tables]},
        "broken_rules": {name: rules for name, rules in broken.items() if rules},
        "stopped": stops.report(),
        "excluded_features": list(spec.generated_features(manifest.provenance)),
        "unknown_columns": extra,
    }
    body = json.dumps(report, indent=2, sort_keys=True).encode() + b"\n"
    lake.put_json("artifacts", naming.report_key(job.portfolio, job.run_id, "etl"), body)
    return report


def _expected(job: Job, manifest: delivery.Manifest) -> tuple[Contract, ...]:
    """The portfolio's sources. Raises EtlError for a delivery of another portfolio, or of a source of no contract."""
    if manifest.portfolio != job.portfolio:
        raise EtlError(
            f"{job.manifest} is a delivery of {manifest.portfolio}, not {job.portfolio}. Nothing was published."
        )
    sources = contracts.load().sources(job.portfolio)
    names = [c.name for c in sources]
    unknown = [f.name for f in manifest.files if f.source not in names]
    if unknown:
        raise EtlError(
            f"The delivery {manifest.delivery_id} has {', '.join(unknown)}, of no contract. Deliver files named after "
            f"{', '.join(names)}. Nothing was published."
        )
    return sources


def _undelivered(manifest: delivery.Manifest, contract: Contract) -> bool:
    """Whether nothing of the source came, and nothing had to."""
    return not manifest.files_of(contract.name) and (contract.optional or manifest.mode == "changes")


def _keeps(manifest: delivery.Manifest, sources: tuple[Contract, ...]) -> str:
    """`,a,b,`: the sources of which rows that this delivery does not name stay."""
    names = (c.name for c in sources if manifest.mode == "changes" or _undelivered(manifest, c))
    return "".join(f",{name}" for name in names) + ","


def _admit(
    job: Job, manifest: delivery.Manifest, sources: tuple[Contract, ...], lake: Lake, stops: Stops
) -> dict[str, list[str]]:
    """Every file of the delivery into the work folder's raw zone; returns the columns that no contract knows."""
    from solvent.etl import admission, suppression

    extra: dict[str, list[str]] = {}
    suppressed = suppression.read(lake.s3, job.buckets["artifacts"])
    folder = job.manifest.rpartition("/")[0]
    for contract in sources:
        raw_folder, malformed_folder = lake.local("raw", contract.name), lake.local("raw", f"{contract.name}_malformed")
        if _undelivered(manifest, contract):
            part = "part-00000.parquet"
            admission.nothing(contract, raw=raw_folder / part, malformed=malformed_folder / part)
            continue
        try:
            if not manifest.files_of(contract.name):
                raise EtlError(f"{contract.name} was not delivered. Deliver its file together with the others.")
            for file in manifest.files_of(contract.name):
                landed = lake.local("landing", contract.name) / file.name
                lake.download(f"{folder}/{file.name}", landed)
                part = f"{landed.name}.parquet"  # `.csv` and `.txt` of one source may come together
                raw, malformed = raw_folder / part, malformed_folder / part
                admitted = admission.admit(
                    landed,
                    suppression.as_landed(lake.s3, folder, file, landed),
                    contract,
                    raw=raw,
                    malformed=malformed,
                    minimum_rows=0 if manifest.mode == "changes" else None,
                )
                suppression.drop(suppressed, contract, raw=raw, malformed=malformed)
                landed.unlink()
                if admitted.extra:
                    extra.setdefault(contract.name, []).extend(admitted.extra)
        except EtlError as error:
            stops.stop(contract.name, str(error))
    suppression.note(lake.s3, job.buckets["artifacts"], job.run_id, suppressed)
    return extra


def _read(
    job: Job, manifest: delivery.Manifest, sources: tuple[Contract, ...], engine: Engine, lake: Lake, stops: Stops
) -> None:
    """Raw rows, and what the base has of each source. Raises EtlError when changes lack the table that they change."""
    cs = contracts.load()
    for contract in sources:
        if contract.name not in stops.reasons:
            engine.read(f"raw_{contract.name}", lake.location("raw", contract.name, remote=engine.remote))
            malformed = lake.location("raw", f"{contract.name}_malformed", remote=engine.remote)
            engine.read(f"malformed_{contract.name}", malformed)
        cleaned = cs.cleaned(contract.name)
        past = cs.history(contract.name)
        for table in (cleaned, *([past] if past else [])):
            there = lake.stored(table.zone, table.name, job.base, remote=engine.remote) if job.base else None
            if job.base and there is None and table is cleaned and manifest.mode == "changes":
                raise EtlError(
                    f"Run {job.base} has no table {table.name} in the lake, which these changes would build on. "
                    f"Deliver a snapshot instead. Nothing was published."
                )
            columns = {c.name: glue.type_of(c) for c in table.columns}
            engine.read(f"base_{table.name}", there, columns)


def _outputs(
    portfolio: str, taken: tuple[Contract, ...], spec: specification.Specification, stops: Stops
) -> list[_Output]:
    """What is published of the sources that were taken, and of the steps that did not have to wait."""
    cs = contracts.load()
    place = ("source_file", "row_number")
    outputs = []
    for contract in taken:
        cleaned, past = cs.cleaned(contract.name), cs.history(contract.name)
        outputs += [
            *(_Output(t.name, t.zone, t.name, t.key) for t in (cleaned, past) if t is not None),
            _Output(f"quarantine_{contract.name}", "quarantine", contract.name, place),
            _Output(f"duplicates_{contract.name}", "quarantine", f"{contract.name}_duplicates", place),
        ]
    outputs += [_Output(c.name, c.zone, c.name, c.key) for c in cs.steps(portfolio) if stops.is_there(c.name)]
    if stops.is_there(spec.batch_table):
        outputs.append(_Output(spec.batch_table, "training", spec.batch_table, (spec.entity,), "jsonl"))
    logs = (cs["quarantine_log"], cs["deletion_log"])
    return [*outputs, *(_Output(log.name, log.zone, log.name, log.key) for log in logs)]
