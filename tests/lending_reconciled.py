"""A synthetic delivery with planted faults twice: through the ETL, the load and the marts' own SQL on the embedded
Redshift, and in pandas from the same CSV files with cleaning and definitions of its own.
"""

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import lending_by_pandas
import pandas as pd
from lakehouse import BUCKETS, Lakehouse
from lending_figures import Figures
from prediction_figures import PredictionFigures
from raw_rows import good_rows
from warehouse_cases import migrated, refresh, rows_of

from solvent import contracts, datasets, naming
from solvent.warehouse import load
from solvent.warehouse.marts import Mart

LOADER = "IAMR:solvent-test-warehouse-load"
AS_OF = pd.Timestamp("2026-06-30")
# Version 10 is newer than 9; of the versions' scorings that of the latest day is.
SCORINGS = (("10", "2026-06-30"), ("10", "2026-05-31"), ("9", "2026-06-30"))
REASONS = (1, 2, 3, 4)


def made(folder: Path) -> tuple[Any, Figures, PredictionFigures]:
    """The warehouse, and what pandas says of it: from loans alone, and from predictions. Within moto's AWS."""
    files = datasets.write("synthetic", folder / "files", size=700)
    good = good_rows(files)
    i, p = lending_by_pandas.instalments(good, AS_OF), lending_by_pandas.loan_payments(good, AS_OF)
    predictions = _predictions(good["loan_application"])
    warehouse = migrated(folder)
    run_id = _load(warehouse, folder, files, predictions)
    refresh(warehouse)
    newest = predictions[(predictions.model_version == "10") & (predictions.as_of == "2026-06-30")]
    return warehouse, Figures(good, p, i, newest, AS_OF), PredictionFigures(good, p, predictions, AS_OF, run_id)


def _predictions(loans: pd.DataFrame) -> pd.DataFrame:
    """Invented: every loan in the newest scoring, fewer before, and down to a quarter of the probability; many alike;
    every decision, none to four reasons.
    """
    number = loans.loan_id.str[1:].astype(int)
    scorings = []
    for n, (version, as_of) in enumerate(SCORINGS):
        scored = loans[["loan_id"]].assign(model_version=version, as_of=as_of)
        scored["probability"] = number * 37 % 100 / 100 * (1 - (number % 4) / 4 if n else 1)
        scored["score"] = 600 - (scored.probability * 200).astype(int)
        scored["band"] = pd.cut(scored.probability, [-1, 0.2, 0.4, 0.6, 0.8, 1], labels=list("ABCDE")).astype(str)
        decisions = pd.cut(scored.probability, [-1, 0.4, 0.7, 1], labels=["approve", "refer", "decline"])
        scored["decision"] = decisions.astype(str)
        for r in REASONS:
            text = f'Reason "{r}" of ' + scored.loan_id
            scored[f"reason_{r}"] = text.where(number % 5 >= r, None)
        # The scoring before had nobody in band E, and not every loan.
        scorings.append(scored if n == 0 else scored[(number % 3 != n) & (scored.band != "E")])
    return pd.concat(scorings, ignore_index=True)


def _load(warehouse: Any, folder: Path, files: Path, predictions: pd.DataFrame) -> str:
    """The real ETL on DuckDB and the real load, as the state machine runs them; returns the run's id."""
    (folder / "work").mkdir()
    lake = Lakehouse(folder / "work")
    job = lake.deliver(files)
    report = lake.run(job)
    for zone in ("cleaned", "training"):
        for key, body in lake.objects(zone).items():
            warehouse.storage.put(BUCKETS[zone], key, body)
    prefix = naming.predictions_prefix("lending", job.run_id, "m")
    lines = []
    for row in predictions.to_dict("records"):
        reasons = [{"code": "X", "text": row[f"reason_{n}"]} for n in REASONS if pd.notna(row[f"reason_{n}"])]
        names = ("loan_id", "probability", "band", "decision", "as_of", "model_version", "score")
        lines.append(json.dumps({name: row[name] for name in names} | {"reasons": reasons}))
    warehouse.storage.put(BUCKETS["artifacts"], f"{prefix}part-0.jsonl.out", "\n".join(lines).encode())
    known, scored_at = contracts.load(), f"s3://{BUCKETS['artifacts']}/{prefix}"
    of_run = {"portfolio": "lending", "run_id": job.run_id}
    warehouse.run(*load.ingest(known, **of_run, buckets=BUCKETS, report=report), user=LOADER)
    warehouse.run(*load.predictions(known, **of_run, prefix=scored_at), user=LOADER)
    return str(job.run_id)


def assert_mart_equals(warehouse: Any, mart: Mart, expected: Iterable[Mapping[str, Any]]) -> None:
    """The same rows by the mart's key, each with the same figures."""
    key = mart.contract.key
    got = {tuple(_plain(r[k]) for k in key): r for r in rows_of(warehouse, f"SELECT * FROM marts.{mart.name}")}
    wanted = {tuple(_plain(r[k]) for k in key): r for r in expected}
    assert len(wanted) > 0
    assert got.keys() == wanted.keys()
    for at, row in wanted.items():
        assert row.keys() == set(mart.contract.column_names)
        differing = {n: (got[at][n], v) for n, v in row.items() if not _same(got[at][n], v)}
        assert not differing, f"{at}: {differing}"


def _plain(value: Any) -> Any:
    """Days as ISO text, nothing as None, numpy's numbers as Python's."""
    if value is None or pd.isna(value):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value


def _same(got: Any, wanted: Any) -> bool:
    """Decimals against cents and integers exactly, floats within 1e-9."""
    got, wanted = _plain(got), _plain(wanted)
    if isinstance(got, Decimal):
        return got * 100 == wanted
    if isinstance(got, float) and wanted is not None:
        return math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-9)
    return bool(got == wanted)
