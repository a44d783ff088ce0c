"""The real Polish data through the ETL: the features are the published values, the labels the published ones."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lakehouse import Lakehouse

from solvent import modelling, specification
from solvent.datasets import DatasetError, polish

DATA = Path(os.environ.get("SOLVENT_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(
    not (DATA / polish.FILE).is_file(), reason=f"{polish.FILE} (UCI 365) is in no folder that SOLVENT_DATA names"
)


@needs_data
def test_the_features_are_the_published_values(lakehouse: Lakehouse, tmp_path: Path) -> None:
    polish.load(DATA, tmp_path / "files")
    job = lakehouse.deliver(tmp_path / "files")
    report = lakehouse.run(job)
    assert report["stopped"] == {}
    assert report["excluded_features"] == []  # nothing generated is a feature
    assert report["rows"]["good"] == report["rows"]["in"] == polish.ROWS
    features = lakehouse.table(job, "training", "company_year_features").to_pandas().set_index("company_year_id")
    rows = pd.read_csv(tmp_path / "files" / "accounting_ratios.txt", sep="\t", dtype=str)
    features = features.loc[rows["company_no"] + "-" + rows["fy"]]
    published, bankrupt = polish.read(DATA / polish.FILE)
    for name, values in published.items():
        np.testing.assert_array_equal(features[name].to_numpy(dtype=float), values, err_msg=name)
    assert features["bankrupt"].tolist() == bankrupt.tolist()
    assert Counter(features["bankrupt"]) == {0: 5500, 1: 410}
    assert set(features["label_source"]) == {"published"}

    trained = modelling.train(features.reset_index(), specification=specification.load("bankruptcy"))
    figures = trained.evaluation
    assert 0.94 < figures["auc"] < 0.98
    assert figures["accuracy"] > figures["majority_accuracy"] == pytest.approx(5500 / 5910)


@needs_data
def test_equal_rows_are_one_company(tmp_path: Path) -> None:
    """Else a model would be judged by a row that it was fitted on."""
    polish.load(DATA, tmp_path)
    rows = pd.read_csv(tmp_path / "accounting_ratios.txt", sep="\t", dtype=str)
    names = [c.name for c in polish.attributes()]
    of_row = rows.groupby(names, dropna=False)["company_no"]
    assert of_row.nunique().max() == 1
    assert of_row.size().max() > 1
    assert not rows.duplicated(["company_no", "fy"]).any()
    provenance = json.loads((tmp_path / "delivery.json").read_text())["provenance"]["accounting_ratios"]
    assert set(rows) - set(names) - {"published_bankrupt"} == {"company_no", "company", "fy", "updated_at"}
    assert set(provenance) == {"company_id", "company_name", "fiscal_year", "updated_at"}


@needs_data
def test_the_formulas_are_those_of_the_published_values() -> None:
    """Where the published description says otherwise, the contract follows the values: docs/decisions/0014."""
    a, _ = polish.read(DATA / polish.FILE)
    with np.errstate(all="ignore"):
        assets = 10 ** a["log_total_assets"]
        short = a["short_term_liabilities_to_total_assets"] * assets
        sales = short * a["sales_to_short_term_liabilities"]
        gross_profit = a["gross_profit_to_total_assets"] * assets
        depreciation = a["gross_profit_depreciation_to_sales"] * sales - gross_profit
        liabilities = a["total_liabilities_to_total_assets"] * assets
        operating = a["operating_profit_to_total_assets"] * assets
        cost = sales * (1 - a["gross_margin"])
        identities = {
            "liabilities_to_operating_cash_flow": liabilities * 12 / ((operating + depreciation) * 365),
            "short_term_liabilities_to_cost": short / cost,
            "net_profit_to_equity": a["net_profit_to_total_assets"] / a["equity_to_total_assets"],
            "operating_profit_less_depreciation_to_total_assets": (operating - depreciation) / assets,
        }
        for name, recomputed in identities.items():
            both = np.isfinite(recomputed) & np.isfinite(a[name])
            close = np.isclose(recomputed[both], a[name][both], rtol=0.02, atol=0.002)
            assert close.mean() > 0.95, name


def test_an_absent_or_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="polish_5year.parquet does not exist"):
        polish.load(tmp_path, tmp_path / "out")
    (tmp_path / polish.FILE).write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match="is not a Parquet file"):
        polish.load(tmp_path, tmp_path / "out")
    pd.DataFrame({"a": [1.0], "class": [0]}).to_parquet(tmp_path / polish.FILE)
    with pytest.raises(DatasetError, match="5910 rows"):
        polish.load(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
