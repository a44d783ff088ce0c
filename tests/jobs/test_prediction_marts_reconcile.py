"""Every figure that lending's marts make of predictions equals pandas' from them and from the raw files."""

from typing import Any

import pytest
from lending_reconciled import assert_mart_equals
from prediction_figures import PredictionFigures

from solvent.warehouse import marts

MARTS = {m.name: m for m in marts.read()}
RECOMPUTED = [name for name in vars(PredictionFigures) if not name.startswith("_")]


@pytest.mark.parametrize("name", RECOMPUTED)
def test_a_mart_of_predictions_equals_pandas(reconciled: Any, name: str) -> None:
    warehouse, _, figures = reconciled
    assert_mart_equals(warehouse, MARTS[name], getattr(figures, name)())


def test_every_mart_that_reads_predictions_is_recomputed() -> None:
    """Directly or by another mart; but for those of companies, and of customers (test_marts_reconcile.py)."""
    reading = {"decisions"}
    while more := {m.name for m in MARTS.values() if m.reads & reading} - reading:
        reading |= more
    reading |= {"policy_effects"}
    assert {m for m in reading if MARTS[m].contract.portfolio != "bankruptcy"} == {
        *RECOMPUTED, "early_warning", "high_risk_customers",
    }  # fmt: skip
