"""A scorecard: the one definition of binning, points, probability, reasons, band and decision.

Pure standard library, so that the training job, the endpoint, a Lambda and a test all compute the same number from
the same JSON document. A scorecard is a logistic regression on binned inputs, hence additive in the log-odds: every
feature's part of a score is exact, and no explainer is needed (reasons: Regulation B, 12 CFR 1002.9(b)(2)).
"""

import json
import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

FORMAT = "solvent-scorecard/2"
LARGEST_NUMBER = 1e12
LONGEST_TEXT = 256
_NOT_GIVEN = "not given"
_UNKNOWN = "a value that training has not seen"


class InvalidApplicant(ValueError):
    """An input that cannot be scored. `field` names the culprit; `status_code` is the HTTP status to answer with."""

    status_code = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class InvalidScorecard(ValueError):
    """A scorecard document that must not be served; the message says what is wrong with it."""


@dataclass(frozen=True)
class NumericFeature:
    """Bins (-inf, e0], (e0, e1] ... (en, inf) and one for "not known". Weights are log-odds of default."""

    name: str
    text: str
    edges: tuple[float, ...]
    weights: tuple[float, ...]
    missing: float
    reference: float  # mean weight over the training sample: what an average applicant gets
    minimum: float = -LARGEST_NUMBER  # the contract's range: what lies outside cannot have been trained on
    maximum: float = LARGEST_NUMBER

    def weigh(self, value: Any) -> tuple[float, str]:
        """The weight of a value's bin, and the bin in words. Raises InvalidApplicant."""
        if value is None:
            return self.missing, _NOT_GIVEN
        if type(value) is not float and type(value) is not int:  # a bool is an int to isinstance
            raise InvalidApplicant(self.name, f"must be a number or null, not {_kind(value)}")
        # Compared before any conversion: an integer may be too large for a float. NaN fails every comparison.
        if not self.minimum <= value <= self.maximum:
            raise InvalidApplicant(self.name, f"must be a number between {self.minimum:g} and {self.maximum:g}")
        index = bisect_left(self.edges, value)
        return self.weights[index], self._words(index)

    def _words(self, index: int) -> str:
        if not self.edges:
            return "any value"
        if index == 0:
            return f"{_shown(self.edges[0])} or less"
        if index == len(self.edges):
            return f"more than {_shown(self.edges[-1])}"
        return f"more than {_shown(self.edges[index - 1])}, up to {_shown(self.edges[index])}"


@dataclass(frozen=True)
class CategoricalFeature:
    """One bin per level seen in training, one for levels never seen (`other`) and one for "not known"."""

    name: str
    text: str
    levels: tuple[str, ...]
    weights: tuple[float, ...]
    other: float
    missing: float
    reference: float

    @cached_property
    def _index(self) -> dict[str, int]:
        return {level: index for index, level in enumerate(self.levels)}

    def weigh(self, value: Any) -> tuple[float, str]:
        """The weight of a value's level, and the level in words. Raises InvalidApplicant."""
        if value is None:
            return self.missing, _NOT_GIVEN
        if not isinstance(value, str):
            raise InvalidApplicant(self.name, f"must be text or null, not {_kind(value)}")
        if len(value) > LONGEST_TEXT:
            raise InvalidApplicant(self.name, f"must not be longer than {LONGEST_TEXT} characters")
        index = self._index.get(value)
        return (self.other, _UNKNOWN) if index is None else (self.weights[index], self.levels[index].replace("_", " "))


Feature = NumericFeature | CategoricalFeature


@dataclass(frozen=True)
class Reason:
    """Why a probability is higher than an average applicant's. `points` is what the feature cost, below zero."""

    code: str
    feature: str
    text: str
    points: float


@dataclass(frozen=True)
class Score:
    """The answer for one applicant. `unknown_levels` names features whose level no training row had."""

    probability: float
    score: int
    band: str
    decision: str
    reasons: tuple[Reason, ...]
    unknown_levels: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        answer = asdict(self)
        answer["reasons"] = list(answer["reasons"])
        # Present only when there is something to say, so that the usual answer stays small.
        unknown = answer.pop("unknown_levels")
        return {**answer, "unknown_levels": list(unknown)} if unknown else answer


@dataclass(frozen=True)
class Scorecard:
    """A fitted scorecard. `ignored` are the specification's features that this model was trained without.

    `entity` is the key of what is scored; `words` are what approve, refer and decline are called.
    """

    portfolio: str
    model: str
    entity: str
    specification: str
    features: tuple[Feature, ...]
    ignored: tuple[str, ...]
    intercept: float
    points: float
    odds: float
    points_to_double_odds: float
    bands: tuple[tuple[str, float], ...]
    refer: float
    decline: float
    reasons: int
    words: tuple[str, str, str]
    _known: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", frozenset([*(f.name for f in self.features), *self.ignored]))

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Every feature of the specification in alphabetical order, those that this model ignores included.

        A request without names (CSV) gives its values in this order, which a new training does not change.
        """
        return tuple(sorted(self._known))

    @cached_property
    def factor(self) -> float:
        """Points per unit of log-odds."""
        return self.points_to_double_odds / math.log(2)

    def log_odds(self, applicant: Mapping[str, Any]) -> float:
        """Log-odds of default. Raises InvalidApplicant."""
        self._check_fields(applicant)
        return self.intercept + math.fsum(f.weigh(applicant[f.name])[0] for f in self.features)

    def probability(self, applicant: Mapping[str, Any]) -> float:
        """Probability of default, between 0 and 1. Raises InvalidApplicant."""
        return _sigmoid(self.log_odds(applicant))

    def score(self, applicant: Mapping[str, Any]) -> Score:
        """Probability, points, band, decision and reasons of one applicant: {feature name: value or None}.

        Every feature must be there; null says "not known". A field that the model does not know is refused, so that a
        misspelt name cannot pass for a missing value. A level that training never saw gets the average weight of its
        feature and is named in `unknown_levels`: a new product code must not stop a nightly batch, nor go unnoticed.
        Raises InvalidApplicant naming the field.
        """
        self._check_fields(applicant)
        weights = [f.weigh(applicant[f.name]) for f in self.features]
        log_odds = self.intercept + math.fsum(weight for weight, _ in weights)
        probability = _sigmoid(log_odds)
        return Score(
            probability=probability,
            score=round(self.points - self.factor * (log_odds + math.log(self.odds))),
            band=next(name for name, bound in self.bands if probability <= bound),
            decision=self.decide(probability),
            reasons=self._reasons(weights),
            unknown_levels=tuple(
                f.name for f, (_, words) in zip(self.features, weights, strict=True) if words is _UNKNOWN
            ),
        )

    def decide(self, probability: float) -> str:
        """`decline` from the decline cut-off up, `refer` (to a person) from the refer cut-off up, else `approve`.

        Said in the model's own words.
        """
        approve, refer, decline = self.words
        if probability >= self.decline:
            return decline
        return refer if probability >= self.refer else approve

    def _check_fields(self, applicant: Mapping[str, Any]) -> None:
        if not self._known.issuperset(applicant):
            name = next(name for name in applicant if name not in self._known)
            raise InvalidApplicant(
                str(name)[:LONGEST_TEXT], "is not an input of this model; check the spelling or leave it out"
            )
        for feature in self.features:
            if feature.name not in applicant:
                raise InvalidApplicant(feature.name, "is missing; give a value, or null if it is not known")

    def _reasons(self, weights: list[tuple[float, str]]) -> tuple[Reason, ...]:
        """The features that raise this probability above the average applicant's, the strongest first.

        The model is additive, so replacing such a feature's value by the reference lowers the probability: a reason
        is always true. Features of average or better weight are never given.
        """
        raised = [
            (weight - feature.reference, position)
            for position, (feature, (weight, _)) in enumerate(zip(self.features, weights, strict=True))
            if weight - feature.reference > 1e-9
        ]
        raised.sort(key=lambda pair: (-pair[0], pair[1]))
        found = []
        for excess, position in raised[: self.reasons]:
            feature, words = self.features[position], weights[position][1]
            code = feature.name.upper()
            if words is _NOT_GIVEN:
                code += "_MISSING"
            found.append(Reason(code, feature.name, f"{feature.text}: {words}", -round(self.factor * excess, 2)))
        return tuple(found)

    def to_json(self) -> str:
        """The document that `from_json` reads back to an equal scorecard; byte-identical for equal scorecards."""
        document = asdict(self)
        del document["_known"]
        for feature, plain in zip(self.features, document["features"], strict=True):
            plain["kind"] = "numeric" if isinstance(feature, NumericFeature) else "categorical"
        return json.dumps({"format": FORMAT, **document}, indent=1, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Scorecard":
        """Read and check a document. Raises InvalidScorecard."""
        from solvent.scorecard_document import parse

        return parse(text)


def _sigmoid(log_odds: float) -> float:
    # Two branches, so that neither overflows.
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    power = math.exp(log_odds)
    return power / (1.0 + power)


def _shown(edge: float) -> str:
    """For people: `5,000`, `0.1539`; below a ten-thousandth as it is."""
    return f"{edge:,.4f}".rstrip("0").rstrip(".") if abs(edge) >= 1e-4 or edge == 0 else f"{edge:g}"


def _kind(value: Any) -> str:
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
