"""Every figure of lending's marts equals a recomputation with pandas from the raw files: whole chain against no chain.

Those that are made of a model's predictions: test_prediction_marts_reconcile.py.
"""

from typing import Any

import pytest
from lending_reconciled import assert_mart_equals
from prediction_figures import PredictionFigures

from solvent.warehouse import marts

# Reference data, what only joins, and what is of other portfolios or of models: their cases in tests/sql/marts.
ELSEWHERE = {"reporting_dates", "application_stages"} | {
    m.name
    for m in marts.read()
    if m.kind == "table" or m.contract.portfolio != "lending" or hasattr(PredictionFigures, m.name)
}
KNOWN = [m for m in marts.read() if m.name not in ELSEWHERE]


@pytest.mark.parametrize("mart", KNOWN, ids=[m.name for m in KNOWN])
def test_a_mart_equals_pandas_on_the_raw_files(reconciled: Any, mart: marts.Mart) -> None:
    warehouse, figures, _ = reconciled
    frames = {"instalments": figures.i, "loan_payments": figures.p}
    if mart.name in frames:
        rows = frames[mart.name][list(mart.contract.column_names)].to_dict("records")
    else:
        rows = getattr(figures, mart.name)()
    assert_mart_equals(warehouse, mart, rows)
