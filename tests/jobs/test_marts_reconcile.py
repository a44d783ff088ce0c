"""Every figure of lending's marts equals a recomputation with pandas from the raw files: whole chain against no chain.

A synthetic delivery with planted faults goes through the ETL, the load and the marts' own SQL on the embedded Redshift;
pandas starts from the same CSV files with cleaning and definitions of its own.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import lending_by_pandas
import pandas as pd
import pytest
from lakehouse import BUCKETS, Lakehouse
from lending_figures import Figures
from moto import mock_aws
from raw_rows import good_rows
from warehouse_cases import migrated, refresh, rows_of

from solvent import contracts, datasets, naming
from solvent.warehouse import load, marts

LOADER = "IAMR:solvent-test-warehouse-load"
AS_OF = pd.Timestamp("2026-06-30")
# Reference data, what only joins, and what is computed from a model's predictions: their cases in tests/sql/marts.
FROM_PREDICTIONS = {"approval_curves", "approval_policies", "policy_effects", "loan_expected_loss", "expected_loss"}
ELSEWHERE = (
    {"reporting_dates", "loan_predictions", "application_stages"}
    | FROM_PREDICTIONS
    | {m.name for m in marts.read() if m.kind == "table" or m.contract.portfolio != "lending"}
)
KNOWN = [m for m in marts.read() if m.name not in ELSEWHERE]


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Figures]]:
    folder = tmp_path_factory.mktemp("reconcile")
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        files = datasets.write("synthetic", folder / "files", size=700)
        good = good_rows(files)
        predictions = _predictions(good["loan_application"])
        warehouse = migrated(folder)
        _load(warehouse, folder, files, predictions)
    refresh(warehouse)
    i, p = lending_by_pandas.instalments(good, AS_OF), lending_by_pandas.loan_payments(good, AS_OF)
    yield warehouse, Figures(good, p, i, predictions, AS_OF)
    warehouse.database.close()


def _predictions(loans: pd.DataFrame) -> pd.DataFrame:
    """Invented, with every decision and none to four reasons."""
    scored = loans[loans.status == "open"][["loan_id"]].reset_index(drop=True)
    number = scored.loan_id.str[1:].astype(int)
    scored["probability"] = (number * 37 % 1000) / 1000
    scored["band"] = pd.cut(scored.probability, [-1, 0.2, 0.4, 0.6, 0.8, 1], labels=list("ABCDE")).astype(str)
    scored["decision"] = pd.cut(scored.probability, [-1, 0.4, 0.7, 1], labels=["approve", "refer", "decline"]).astype(
        str
    )
    for n in (1, 2, 3, 4):
        scored[f"reason_{n}"] = [
            f'Reason "{n}" of {loan}' if k % 5 >= n else None for k, loan in enumerate(scored.loan_id)
        ]
    return scored


def _load(warehouse: Any, folder: Path, files: Path, predictions: pd.DataFrame) -> None:
    """The real ETL on DuckDB and the real load, as the state machine runs them."""
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
        reasons = [{"code": "X", "text": row[f"reason_{n}"]} for n in (1, 2, 3, 4) if pd.notna(row[f"reason_{n}"])]
        scored = {name: row[name] for name in ("loan_id", "probability", "band", "decision")}
        lines.append(json.dumps(scored | {"as_of": "2026-06-30", "model_version": "1", "score": 1, "reasons": reasons}))
    warehouse.storage.put(BUCKETS["artifacts"], f"{prefix}part-0.jsonl.out", "\n".join(lines).encode())
    known, scored_at = contracts.load(), f"s3://{BUCKETS['artifacts']}/{prefix}"
    of_run = {"portfolio": "lending", "run_id": job.run_id}
    warehouse.run(*load.ingest(known, **of_run, buckets=BUCKETS, report=report), user=LOADER)
    warehouse.run(*load.predictions(known, **of_run, prefix=scored_at), user=LOADER)


def expected(figures: Figures, mart: marts.Mart) -> list[dict[str, Any]]:
    frames = {"instalments": figures.i, "loan_payments": figures.p}
    if mart.name in frames:
        return list(frames[mart.name][list(mart.contract.column_names)].to_dict("records"))
    return list(getattr(figures, mart.name)())


@pytest.mark.parametrize("mart", KNOWN, ids=[m.name for m in KNOWN])
def test_a_mart_equals_pandas_on_the_raw_files(reconciled: tuple[Any, Figures], mart: marts.Mart) -> None:
    warehouse, figures = reconciled
    key = mart.contract.key
    got = {tuple(_plain(r[k]) for k in key): r for r in rows_of(warehouse, f"SELECT * FROM marts.{mart.name}")}
    wanted = {tuple(_plain(r[k]) for k in key): r for r in expected(figures, mart)}
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
