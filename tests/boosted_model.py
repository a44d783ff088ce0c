"""A small boosted model on invented applicants, with everything that may go wrong on the way to a graph."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from solvent.modelling import boosted
from solvent.modelling.boosted import Boosted, Calibration, Input
from solvent.scoring import Terms

LEVELS = ("car_new", "repairs", "house")
INPUTS = (
    Input("amount", "numeric", "Amount of the loan", minimum=0.0, maximum=1e6, monotone=1, reference=5000.0),
    Input("purpose", "categorical", "Purpose of the loan", LEVELS, reference="house"),
    Input("income", "numeric", "Income", reference=40_000.0),
    Input("job", "categorical", "Job", ("skilled", "none"), reference="skilled"),
    Input("rate", "numeric", "Instalment as a share of income", reference=0.2),
)
TERMS = Terms(
    portfolio="lending", model="application", entity="loan_id", specification="0" * 64, ignored=("telephone",),
    points=600.0, odds=50.0, points_to_double_odds=20.0, bands=(("A", 0.05), ("B", 0.2), ("C", 1.0)), refer=0.2,
    decline=0.4, reasons=4, words=("approve", "refer", "decline"),
)  # fmt: skip


def applicants(rows: int, seed: int) -> pd.DataFrame:
    """Random applicants; a value in twelve is null, a level in twelve one that training has not seen."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "amount": draw.gamma(2, 4000, rows),
        "purpose": draw.choice([*LEVELS, "spaceship"], rows, p=[0.4, 0.3, 0.22, 0.08]),
        "income": draw.lognormal(10.5, 0.5, rows),
        "job": draw.choice(["skilled", "none", ""], rows, p=[0.7, 0.22, 0.08]),
        "rate": draw.random(rows),
    })  # fmt: skip
    return frame.astype("object").mask(draw.random(frame.shape) < 1 / 12, None)


@cache
def fitted() -> Boosted:
    """40 trees on 2,000 applicants, with a calibration that moves every probability."""
    frame = applicants(2000, 0)
    frame.loc[~frame["purpose"].isin(LEVELS), "purpose"] = None
    risk = frame["amount"].fillna(4000) / 6000 - (frame["purpose"] == "house") + 2 * frame["rate"].fillna(0.5) - 2.5
    draw = np.random.default_rng(1)
    y = (draw.random(len(frame)) < 1 / (1 + np.exp(-risk.to_numpy(dtype=np.float64)))).astype(np.int64)
    settings: dict[str, Any] = {"max_depth": 4, "eta": 0.2, "seed": 0, "nthread": 1}
    found = boosted.fit(frame, y, INPUTS, rounds=40, parameters=settings)
    return Boosted(found.booster, found.inputs, Calibration(0.8, -0.3))
