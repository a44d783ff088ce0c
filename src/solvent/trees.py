"""A boosted model as it is served: the whole pipeline as ONNX, its inputs checked, its reasons by exact TreeSHAP.

numpy and onnxruntime, no pandas. xgboost is needed for reasons alone: where it is missing (a Lambda), whoever asks for
reasons is refused, because nothing else explains these trees exactly.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from solvent.documents import TERMS, exactly, number, once, read, require, terms, text, texts
from solvent.scoring import (
    LARGEST_NUMBER,
    NOT_GIVEN,
    InvalidApplicant,
    InvalidModel,
    Reason,
    Score,
    Terms,
    check_names,
    check_number,
    check_text,
    shown,
)

FORMAT = "solvent-trees/1"
# What stands in the graph's text inputs for null, and for any level that training has not seen.
NULL, UNSEEN = "\N{SYMBOL FOR NULL}", "\N{SYMBOL FOR NULL}?"
_INPUT_KEYS = {"name", "kind", "text", "levels", "minimum", "maximum", "monotone", "reference"}

Value = float | str | None
Row = tuple[Value, ...]  # in the order of the model's inputs
Array = np.ndarray[Any, Any]
Contributions = Callable[[Array], Array]  # matrix (n, columns) -> margins by column and the base's, (n, columns + 1)


@dataclass(frozen=True)
class TreeInput:
    """One input as a request gives it. `reference` is the value that reasons compare with; None is "not known"."""

    name: str
    kind: str
    text: str
    levels: tuple[str, ...]
    minimum: float
    maximum: float
    monotone: int
    reference: Value

    def check(self, value: Any) -> Value:
        """The value, a number as a float. Raises InvalidApplicant."""
        if value is None:
            return None
        if self.kind == "numeric":
            check_number(self.name, value, self.minimum, self.maximum)
            return float(value)
        check_text(self.name, value)
        return str(value)

    def unseen(self, value: Value) -> bool:
        """Whether a value is a level that no training row had."""
        return self.kind == "categorical" and value is not None and value not in self._places

    def words(self, value: Value) -> str:
        """A value for people."""
        if value is None:
            return NOT_GIVEN
        return value.replace("_", " ") if isinstance(value, str) else shown(value)

    def column(self, values: Sequence[Value]) -> Sequence[Value]:
        """What the graph takes: numbers and null, or text."""
        if self.kind == "numeric":
            return values
        known = self._places
        return [NULL if value is None else value if value in known else UNSEEN for value in values]

    def encode(self, values: Sequence[Value]) -> Array:
        """What the trees read, as `solvent.modelling.boosted.Input.encode` has it: (n, columns)."""
        if self.kind == "numeric":
            return np.array(values, dtype=np.float32).reshape(-1, 1)
        found = np.zeros((len(values), len(self.levels) + 1), dtype=np.float32)
        for row, value in enumerate(values):
            place = len(self.levels) if value is None else self._places.get(str(value))
            if place is not None:
                found[row, place] = 1.0
        return found

    @cached_property
    def _places(self) -> dict[str, int]:
        return {level: place for place, level in enumerate(self.levels)}


@dataclass(frozen=True, kw_only=True)
class Trees(Terms):
    """A loaded boosted model. `slope` is the calibration's: log-odds of default per unit of the trees' margin."""

    features: tuple[TreeInput, ...]
    slope: float
    session: Any  # onnxruntime.InferenceSession
    contributions: Contributions | None

    explains_freely = False

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset([*(f.name for f in self.features), *self.ignored])

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """As of a scorecard: the order of a request without names."""
        return tuple(sorted(self._known))

    @cached_property
    def numeric(self) -> frozenset[str]:
        """Names of the numeric inputs."""
        return frozenset(f.name for f in self.features if f.kind == "numeric")

    def prepare(self, applicant: Mapping[str, Any]) -> Row:
        """The checked values of one applicant, {feature name: value or None}. Raises InvalidApplicant."""
        if applicant.keys() != self._used:
            check_names(applicant, (f.name for f in self.features), self._known)
        return tuple([f.check(applicant[f.name]) for f in self.features])

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(f.name for f in self.features)

    def probabilities(self, prepared: Sequence[Row]) -> list[float]:
        """Calibrated probabilities of default, in one call of the graph."""
        columns = [f.column(values) for f, values in zip(self.features, zip(*prepared, strict=True), strict=True)]
        inputs: dict[str, Array] = {}
        for kind, dtype in (("numeric", np.float64), ("categorical", object)):  # a number that is null is a NaN
            named = {f.name: column for f, column in zip(self.features, columns, strict=True) if f.kind == kind}
            block = np.array(list(named.values()), dtype=dtype).reshape(len(named), len(prepared), 1)
            inputs.update(zip(named, block, strict=True))
        answer: Array = self.session.run(None, inputs)[0]
        return answer.ravel().astype(np.float64).tolist()

    def scores(self, prepared: Sequence[Row], *, reasons: Sequence[bool]) -> list[Score]:
        """Probability, points, band and decision of each applicant, and reasons of those for whom they are wanted.

        Raises InvalidApplicant when reasons are wanted and this process cannot explain.
        """
        probabilities = self.probabilities(prepared) if prepared else []
        asked = [at for at, wanted in enumerate(reasons) if wanted]
        found = self._reasons([prepared[at] for at in asked], [probabilities[at] for at in asked]) if asked else []
        why = dict(zip(asked, found, strict=True))
        return [
            self.answer(
                _log_odds(probability),
                probability,
                why.get(at),
                [f.name for f, value in zip(self.features, row, strict=True) if f.unseen(value)],
            )
            for at, (row, probability) in enumerate(zip(prepared, probabilities, strict=True))
        ]

    def _reasons(self, rows: Sequence[Row], probabilities: Sequence[float]) -> list[tuple[Reason, ...]]:
        """The features that TreeSHAP says raised a probability and whose reference value gives a lower one.

        Both must hold: a contribution compares with the average of the training sample, and an applicant is told of a
        value that could be better. All applicants' counterfactuals are scored in one call.
        """
        shares = self._shares(rows)
        raised = [[at for at in np.argsort(-share, kind="stable") if share[at] > 1e-9] for share in shares]
        moved = [(*row[:at], self.features[at].reference, *row[at + 1 :]) for row, c in zip(rows, raised, strict=True)
                 for at in c]  # fmt: skip
        lower = iter(self.probabilities(moved) if moved else [])
        found = []
        for row, probability, share, candidates in zip(rows, probabilities, shares, raised, strict=True):
            true = [at for at in candidates if next(lower) < probability]
            found.append(tuple(self._reason(at, row[at], float(share[at])) for at in true[: self.reasons]))
        return found

    def _reason(self, at: int, value: Value, share: float) -> Reason:
        feature = self.features[at]
        return Reason.of(feature.name, feature.text, feature.words(value), -self.factor * self.slope * share)

    def _shares(self, rows: Sequence[Row]) -> Array:
        """Each feature's part of each margin, (n, features): TreeSHAP, summed over a feature's columns."""
        if self.contributions is None:
            raise InvalidApplicant(
                "reasons", "cannot be given here: this model is explained by TreeSHAP alone, and xgboost is not "
                "installed. Ask without reasons, or where it is"
            )  # fmt: skip
        encoded = [f.encode(values) for f, values in zip(self.features, zip(*rows, strict=True), strict=True)]
        starts = np.cumsum([0, *(part.shape[1] for part in encoded[:-1])])
        return np.add.reduceat(self.contributions(np.hstack(encoded))[:, :-1], starts, axis=1)


def load(document: str | bytes, graph: bytes, booster: bytes) -> Trees:
    """A model of its document, its ONNX graph and XGBoost's own JSON. Raises InvalidModel."""
    plain = read(document, "model's document", FORMAT)
    exactly(plain, {*TERMS, "format", "inputs", "slope"}, "the model's document")
    require(isinstance(plain["inputs"], list) and plain["inputs"] != [], "inputs must be a list of some.")
    found = Trees(
        **terms(plain),
        features=tuple(_input(one) for one in plain["inputs"]),
        slope=number(plain, "slope"),
        session=session(graph),
        contributions=_explainer(booster),
    )
    once([*(f.name for f in found.features), *found.ignored])
    require(found.slope > 0, "slope must be above zero.")
    names = {one.name for one in found.session.get_inputs()}
    require(names == {f.name for f in found.features}, f"the graph takes {sorted(names)}, not the document's inputs.")
    return found


def _input(plain: Any) -> TreeInput:
    require(isinstance(plain, dict), "an input is an object.")
    name, kind = text(plain, "name"), text(plain, "kind")
    exactly(plain, _INPUT_KEYS, f"input {name}")
    require(kind in ("numeric", "categorical"), f"{name}: kind is numeric or categorical, not {kind!r}.")
    levels, reference = texts(plain, "levels"), plain["reference"]
    require(len(set(levels)) == len(levels) and not {NULL, UNSEEN} & set(levels), f"{name}: levels must be distinct.")
    if reference is not None:
        reference = number(plain, "reference") if kind == "numeric" else text(plain, "reference")
    minimum, maximum = number(plain, "minimum"), number(plain, "maximum")
    require(-LARGEST_NUMBER <= minimum < maximum <= LARGEST_NUMBER, f"{name}: minimum must be below maximum.")
    require(plain["monotone"] in (-1, 0, 1), f"{name}: monotone is -1, 0 or 1.")
    return TreeInput(name, kind, text(plain, "text"), levels, minimum, maximum, plain["monotone"], reference)


def session(graph: bytes) -> Any:
    """onnxruntime on a graph, one thread. Raises InvalidModel where it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InvalidModel(f"A boosted model is served by onnxruntime, which is not installed here: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _explainer(booster: bytes) -> Contributions | None:
    try:
        import xgboost
    except ImportError:
        return None
    trees = xgboost.Booster({"nthread": 1}, model_file=bytearray(booster))

    def contributions(matrix: Array) -> Array:
        return np.asarray(trees.predict(xgboost.DMatrix(matrix, nthread=1), pred_contribs=True))

    return contributions


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-15), 1 - 1e-15)
    return math.log(bounded / (1 - bounded))
