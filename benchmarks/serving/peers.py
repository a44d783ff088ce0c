"""The same models as a scikit-learn user has them: a Pipeline that takes a pandas frame."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier

from solvent.modelling.boosted import Boosted
from solvent.scorecard import NumericFeature, Scorecard


class Weights(TransformerMixin, BaseEstimator):
    """Each value to the weight of its bin, (n, features), as optbinning's processes transform to weight of evidence."""

    def __init__(self, card: Scorecard) -> None:
        self.card = card

    def fit(self, frame: pd.DataFrame, y: Any = None) -> "Weights":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, frame: pd.DataFrame) -> Any:
        found = np.empty((len(frame), len(self.card.features)))
        for at, feature in enumerate(self.card.features):
            values = frame[feature.name]
            if isinstance(feature, NumericFeature):
                weights = np.array(feature.weights)[np.searchsorted(feature.edges, values.astype("float64"))]
            else:
                known = dict(zip(feature.levels, feature.weights, strict=True))
                weights = values.map(known).astype("float64").fillna(feature.other)
            found[:, at] = np.where(values.isna(), feature.missing, weights)
        return found


def of_scorecard(card: Scorecard) -> Pipeline:
    """Bins by pandas and numpy, then scikit-learn's logistic regression with the scorecard's own coefficients."""
    regression = LogisticRegression()
    regression.classes_ = np.array([0, 1])
    regression.coef_ = np.ones((1, len(card.features)))
    regression.intercept_ = np.array([card.intercept])
    return Pipeline([("weights", Weights(card)), ("regression", regression)])


def of_boosted(model: Boosted) -> Pipeline:
    """A ColumnTransformer with one-hot encoders, then XGBClassifier; without the calibration."""
    steps: list[Any] = []
    for one in model.inputs:
        levels = [np.array([*one.levels, None], dtype=object)]
        encoder = OneHotEncoder(categories=levels, handle_unknown="ignore", sparse_output=False)
        steps.append((one.name, "passthrough" if one.kind == "numeric" else encoder, [one.name]))
    columns = ColumnTransformer(steps)
    sample = {i.name: [0.0, None] if i.kind == "numeric" else [i.levels[0], None] for i in model.inputs}
    columns.fit(as_frame([dict(zip(sample, row, strict=True)) for row in zip(*sample.values(), strict=True)], model))
    trees = XGBClassifier(n_jobs=1)
    trees.load_model(bytearray(model.booster.save_raw("json")))
    return Pipeline([("columns", columns), ("trees", trees)])


def as_frame(rows: list[dict[str, Any]], model: Scorecard | Boosted) -> pd.DataFrame:
    """Applicants as such a pipeline wants them: numbers as floats, texts as objects."""
    frame = pd.DataFrame(rows)
    if isinstance(model, Scorecard):
        numeric = sorted(model.numeric)
    else:
        numeric = [i.name for i in model.inputs if i.kind == "numeric"]
    texts = [name for name in frame if name not in numeric]
    return frame.astype({**dict.fromkeys(numeric, "float64"), **dict.fromkeys(texts, "object")})
