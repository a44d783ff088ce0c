"""`python -m benchmarks.models.traces`: how the Polish rows were put together tells who went bankrupt.

Two columns hold another quantity than they are named after in some rows, and in which rows depends on the outcome. One
difference of two columns is enough to see it, which is why no arithmetic on columns is done for this data set.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.models import one
from solvent.modelling import candidates, competing
from solvent.modelling.data import Ints, Sample
from solvent.specification import Feature

SALES, TOTAL_SALES, COSTS = "sales / total assets", "total sales / total assets", "total costs /total sales"
SALES_TO_DEBT, DEBT = "sales / short-term liabilities", "short-term liabilities / total assets"
QUICK, CASH = (
    f"(current assets - {what}) / short-term liabilities" for what in ("inventory", "inventory - receivables")
)
RECEIVABLE_DAYS = "(receivables * 365) / sales"
# Those that contradict others in many rows: X9, X32, X34, X40, X56 and X58 of the data's own numbering.
DOUBTFUL = (
    SALES,
    "(current liabilities * 365) / cost of products sold",
    "operating expenses / total liabilities",
    CASH,
    "(sales - cost of products sold) / sales",
    COSTS,
)


def groups(frame: pd.DataFrame) -> dict[str, "pd.Series[bool]"]:
    """Rows by how they were computed, (n,) each; what cannot be computed belongs to no group."""
    sales = frame[SALES_TO_DEBT] * frame[DEBT]  # over total assets, the long way
    other_income = frame[TOTAL_SALES] > 1.001 * sales
    another = (frame[SALES] * frame[COSTS] - 1).abs() < 1e-3
    receivables = frame[RECEIVABLE_DAYS] / 365 * frame[SALES_TO_DEBT]
    gap = (frame[QUICK] - receivables - frame[CASH]).abs() - 2e-3 * frame[QUICK].abs().clip(lower=0.05)
    return {
        f"'{SALES}' is total sales / total costs": another,
        "of firms with other income: it is that": other_income & another,
        "of firms with other income: it is sales / total assets": other_income & ~another,
        f"'{CASH}' is the quick ratio without receivables": gap <= 0,
        f"'{CASH}' is something else": gap > 0,
    }


def auc(sample: Sample, seed: int) -> float:
    """Mean over the folds of a seed: the headline's first setting, not searched."""
    settings = one.training("polish", seed)
    grid = {"xgboost": settings.grids["xgboost"][:1]}
    run = competing.out_of_fold(candidates.named("xgboost"), sample, replace(settings, grids=grid))
    return float(np.mean(one.by_fold(run, sample.y)["auc"]))


def lines(frame: pd.DataFrame, bad: Ints) -> list[str]:
    """A line per group: rows, bankrupt ones, their share."""
    return [f"{rows.sum():>6} rows, {bad[rows].mean():>5.1%} bankrupt: {name}" for name, rows in groups(frame).items()]


def main() -> None:
    if not os.environ.get("SOLVENT_DATA"):
        sys.exit("SOLVENT_DATA is not set: set it to the folder of the public data sets (docs/benchmarks.md).")
    sample, seed = one.sample("polish", Path(os.environ["SOLVENT_DATA"])), one.protocol()["development_seeds"][0]
    print(*lines(sample.frame, sample.y), sep="\n")
    print(f"AUC {auc(sample, seed):.4f} by the columns as they are (seed {seed})")
    name = f"{TOTAL_SALES} - {SALES}"
    frame = sample.frame.assign(**{name: sample.frame[TOTAL_SALES] - sample.frame[SALES]})
    more = replace(sample, frame=frame, features=(*sample.features, Feature(name, "numeric", (), name)))
    print(f"AUC {auc(more, seed):.4f} with '{name}' beside them")
    fewer = replace(sample, features=tuple(f for f in sample.features if f.name not in DOUBTFUL))
    print(f"AUC {auc(fewer, seed):.4f} without the {len(DOUBTFUL)} columns that contradict others")


if __name__ == "__main__":
    main()
