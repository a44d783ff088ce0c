"""Whether a feature knows the answer: a level without exceptions, a column known too late, a feature that suffices.

What is found is written down with its figures; `solvent.gates` compares them with the specification's bounds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from solvent import contracts
from solvent.modelling.cells import MISSING, auc, cells, rates_of_others
from solvent.modelling.data import Ints
from solvent.specification import Feature, Specification

MOST_VALUES = 50  # a number with more distinct values than this has no levels
MOST_REPORTED = 20
BINS = 20


def judge(frame: pd.DataFrame, y: Ints, specification: Specification, features: Sequence[Feature]) -> dict[str, Any]:
    """{"levels", "known_afterwards", "feature_auc"} of the labelled rows.

    `levels`: those of which all rows or none are bad, with the binomial probability of that under the base rate, the
    least probable first. A missing value is a level, too. `known_afterwards`: features whose own column or a source is
    known only with the outcome. `feature_auc`: by each feature's cells alone, out of fold, (0.5: it says nothing).
    """
    levels = [found for f in features for found in _pure(frame[f.name], y, f)]
    levels.sort(key=lambda found: (found["probability"], found["feature"], found["level"]))
    return {
        "levels": levels[:MOST_REPORTED],
        "known_afterwards": [found for f in features for found in _late(f, specification)],
        "feature_auc": {f.name: _own_auc(frame[f.name], y, f) for f in features},
    }


def _pure(values: "pd.Series[Any]", y: Ints, feature: Feature) -> list[dict[str, Any]]:
    names: tuple[str, ...]
    if feature.kind == "numeric" and values.nunique() > MOST_VALUES:
        # The bins of a number prove nothing; its being missing may.
        codes, names, possible = values.isna().to_numpy().astype(np.int64), ("", MISSING), [1]
    else:
        codes, names = cells(values, feature.kind, MOST_VALUES)
        possible = list(range(len(names)))
    base = float(y.mean())
    rows = np.bincount(codes, minlength=len(names))
    bad = np.bincount(codes, weights=y, minlength=len(names))
    found = []
    for code in possible:
        if rows[code] and bad[code] in (0, rows[code]):
            by_chance = base if bad[code] else 1 - base
            found.append(
                {
                    "feature": feature.name,
                    "level": names[code],
                    "rows": int(rows[code]),
                    "bad_rate": float(bad[code] / rows[code]),
                    "base_rate": base,
                    "probability": float(by_chance ** int(rows[code])),
                }
            )
    return found


def _late(feature: Feature, specification: Specification) -> list[dict[str, str]]:
    """By the contracts. One that mixes in what was known earlier is left to its statement (earlier loans' delays)."""
    known = contracts.load()
    own = f"{specification.features_table}.{feature.name}"
    late = {c: _known_at(known, c) == "outcome" for c in (own, *feature.sources)}
    if not late[own] and not all(late[source] for source in feature.sources):
        return []
    return [{"feature": feature.name, "column": column} for column, afterwards in late.items() if afterwards]


def _known_at(known: Mapping[str, contracts.Contract], column: str) -> str:
    table, name = column.split(".", 1)
    return known[table].column(name).known_at


def _own_auc(values: "pd.Series[Any]", y: Ints, feature: Feature) -> float:
    codes, _ = cells(values, feature.kind, BINS)
    return auc(y, rates_of_others(codes, y.astype(np.float64)))
