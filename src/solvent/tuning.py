"""SageMaker's tuning job for boosting: which settings it tries, how a trial answers, and what becomes of the winner.

AWS's XGBoost image reports the algorithm's own metrics only, also to a script of ours, and lets the algorithm's own
hyperparameters be tuned: so a trial prints its AUC in the algorithm's words. It is out of fold, by the folds of
training. https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from solvent.specification import Specification

OBJECTIVE = "validation:auc"
CANDIDATE = "xgboost"
NOTE = "xgboost's settings were searched on these rows by a tuning job: its figures flatter"


@dataclass(frozen=True)
class Range:
    """From `low` to `high`; integers if both are; `logarithmic` where the steps are ratios."""

    low: float
    high: float
    logarithmic: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


RANGES = {
    "colsample_bytree": Range(0.3, 1.0),
    "eta": Range(0.01, 0.3, logarithmic=True),
    "max_depth": Range(2, 8),
    "num_round": Range(50, 600),
    "subsample": Range(0.5, 1.0),
}
_OURS = {"num_round": "rounds"}  # the algorithm's name -> that of the specification's grids


def tried(hyperparameters: Mapping[str, Any]) -> dict[str, float]:
    """What a tuning job has chosen among a training job's hyperparameters, all of them texts; empty outside of one.

    Raises ValueError where one is no number or outside of its range.
    """
    found: dict[str, float] = {}
    for name, allowed in RANGES.items():
        if name in hyperparameters:
            try:
                value = float(str(hyperparameters[name]).strip('"'))
            except ValueError:
                raise ValueError(f"hyperparameter {name}: {hyperparameters[name]!r} is no number") from None
            if not allowed.low <= value <= allowed.high:
                raise ValueError(f"hyperparameter {name}: {value:g} is not from {allowed.low:g} to {allowed.high:g}")
            found[name] = int(value) if allowed.whole else value
    return found


def settled(specification: Specification, chosen: Mapping[str, float]) -> Specification:
    """The specification with boosting's grid reduced to these settings; what they leave open stays as it was."""
    if not chosen:
        return specification
    first = dict((specification.training.grids.get(CANDIDATE) or ({"weighted": 0},))[0])
    entry = {**first, **{_OURS.get(name, name): value for name, value in chosen.items()}}
    training = specification.training
    return replace(specification, training=replace(training, grids={**training.grids, CANDIDATE: (entry,)}))


def answer(auc: float) -> str:
    """The line of a trial's log that AWS reads OBJECTIVE from, in the container's own form: `#011` is a tab."""
    return f"[0]#011{OBJECTIVE.replace(':', '-')}:{auc:.6f}"
