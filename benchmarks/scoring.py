"""One applicant, from a dict to a decision with reasons: the scorecard against scikit-learn with pandas.

Both sides answer from the same fitted model: the peer is what the scorecard was exported from: bins by pandas and
numpy, the weights that scikit-learn found, and the calibration. The training data are random; only time is measured.
"""

import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.report import Check, write
from solvent import contracts, modelling, specification

ROUNDS = 7
PROTOCOL = (
    "Random training data, 1,000 rows, seed 0. Microseconds of CPU for one applicant given as a dict, median of "
    f"{ROUNDS} rounds. The peer gives the probability only; the scorecard validates and gives reasons, too."
)


def microseconds(call: Callable[[], Any], times: int) -> float:
    """CPU microseconds of one call: the median over rounds of the mean over `times` calls."""
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - begun) / times * 1e6)
    return statistics.median(rounds)


def measure() -> bool:
    chosen = specification.load("lending")
    alone = dataclasses.replace(chosen.training, candidates=("scorecard",))
    fitted = modelling.train(random_frame(1000), specification=dataclasses.replace(chosen, training=alone))
    applicant = json.loads((Path(__file__).parents[1] / "examples" / "applicant.json").read_text())
    features = {f.name: applicant[f.name] for f in chosen.features}
    ours, peer = (
        fitted.scorecard.score(features).probability,
        float(fitted.fit.probabilities(pd.DataFrame([features]))[0]),
    )
    if abs(ours - peer) > 1e-9:
        raise SystemExit(f"The two sides disagree: {ours} and {peer}.")
    scorecard = microseconds(lambda: fitted.scorecard.score(features), 2000)
    pipeline = microseconds(lambda: fitted.fit.probabilities(pd.DataFrame([features])), 50)
    checks = [Check("scikit-learn with pandas / scorecard", round(pipeline / scorecard, 1), 50, "times", "higher")]
    return write(
        "scoring", PROTOCOL, checks, {"microseconds": {"scorecard": round(scorecard, 2), "peer": round(pipeline, 1)}}
    )


def random_frame(rows: int) -> pd.DataFrame:
    """Features within their contracts' ranges and a label that depends on two of them."""
    generator, contract = np.random.default_rng(0), contracts.load()["application_features"]
    chosen = specification.load("lending")
    frame = pd.DataFrame(
        {"loan_id": [f"L{i:06}" for i in range(rows)], "customer_id": [f"C{i:06}" for i in range(rows)]}
    )
    for feature in chosen.features:
        values = contract.column(feature.name).values
        frame[feature.name] = generator.choice(values, rows) if values else generator.gamma(2, 10, rows)
    frame[chosen.label.column] = (generator.random(rows) < 0.1 + 0.01 * frame["amount"].clip(0, 60)).astype(int)
    return frame
