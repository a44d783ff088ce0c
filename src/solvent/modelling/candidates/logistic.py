"""Logistic regression (L1 or L2) on quantile-normal numbers and one-hot categories."""

from sklearn.linear_model import LogisticRegression

from solvent.modelling.candidates import Parameters
from solvent.modelling.candidates.pipeline import Peer


def _regression(parameters: Parameters, seed: int) -> LogisticRegression:
    return LogisticRegression(
        C=parameters["C"],
        l1_ratio={"l1": 1.0, "l2": 0.0}[parameters["penalty"]],
        solver="liblinear" if parameters["penalty"] == "l1" else "newton-cholesky",
        max_iter=500,
        random_state=seed,
    )


CANDIDATE = Peer(
    name="logistic",
    grid=(
        {"C": 0.03, "penalty": "l2"},
        {"C": 0.1, "penalty": "l2"},
        {"C": 0.01, "penalty": "l2"},
        {"C": 0.1, "penalty": "l1"},
    ),
    make=_regression,
    normal=True,
)
