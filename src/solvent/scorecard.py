"""A scorecard: the one definition of binning, points, probability, reasons, band and decision.

Pure standard library, so that the training job, the endpoint, a Lambda and a test all compute the same number from
the same JSON document. A scorecard is a logistic regression on binned inputs, hence additive in the log-odds: every
feature's part of a score is exact, and no explainer is needed (reasons: Regulation B, 12 CFR 1002.9(b)(2)).
"""

import json
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from solvent.scoring import (
    LARGEST_NUMBER,
    NOT_GIVEN,
    Reason,
    Score,
    Terms,
    check_names,
    check_number,
    check_text,
    shown,
    sigmoid,
)

FORMAT = "solvent-scorecard/2"
_UNKNOWN = "a value that training has not seen"
_NUMBERS = (float, int)  # and no bool, which is an int to isinstance

# The weight of a value's bin, the bin in words, the weight above the reference, and above the next more favourable bin.
Weighed = tuple[float, str, float, float]


@dataclass(frozen=True)
class NumericFeature:
    """Bins (-inf, e0], (e0, e1] ... (en, inf) and one for "not known". Weights are log-odds of default."""

    name: str
    text: str
    edges: tuple[float, ...]
    weights: tuple[float, ...]
    missing: float
    reference: float  # what reasons compare with: the weight of the reference value
    minimum: float = -LARGEST_NUMBER  # the contract's range: what lies outside cannot have been trained on
    maximum: float = LARGEST_NUMBER

    def weigh(self, value: Any) -> Weighed:
        """The bin of a value. Raises InvalidApplicant."""
        if value is None:
            return self.missing, NOT_GIVEN, self.missing - self.reference, 0.0
        check_number(self.name, value, self.minimum, self.maximum)
        return self.bins[bisect_left(self.edges, value)]

    @cached_property
    def bins(self) -> tuple[Weighed, ...]:
        """The bins in the order of the weights."""
        return tuple(
            (weight, self._words(index), weight - self.reference, weight - self._next(index))
            for index, weight in enumerate(self.weights)
        )

    def _next(self, index: int) -> float:
        """The weight of the next more favourable bin; the bin's own where none is or the bins are not monotone."""
        weights = self.weights
        if list(weights) == sorted(weights):
            better = [weight for weight in weights[:index] if weight < weights[index]][-1:]
        elif list(weights) == sorted(weights, reverse=True):
            better = [weight for weight in weights[index:] if weight < weights[index]][:1]
        else:
            better = []
        return better[0] if better else weights[index]

    def _words(self, index: int) -> str:
        if not self.edges:
            return "any value"
        if index == 0:
            return f"{shown(self.edges[0])} or less"
        if index == len(self.edges):
            return f"more than {shown(self.edges[-1])}"
        return f"more than {shown(self.edges[index - 1])}, up to {shown(self.edges[index])}"


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

    def weigh(self, value: Any) -> Weighed:
        """The bin of a value. Raises InvalidApplicant."""
        if value is None:
            return self.missing, NOT_GIVEN, self.missing - self.reference, 0.0
        check_text(self.name, value)
        return self.bins.get(value) or (self.other, _UNKNOWN, self.other - self.reference, 0.0)

    @cached_property
    def bins(self) -> dict[str, Weighed]:
        """The bin of each level."""
        return {
            level: (weight, level.replace("_", " "), weight - self.reference, 0.0)
            for level, weight in zip(self.levels, self.weights, strict=True)
        }


Feature = NumericFeature | CategoricalFeature


@dataclass(frozen=True, kw_only=True)
class Scorecard(Terms):
    """A fitted scorecard."""

    features: tuple[Feature, ...]
    intercept: float

    explains_freely = True

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset([*(f.name for f in self.features), *self.ignored])

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.features)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Every feature of the specification in alphabetical order, those that this model ignores included.

        A request without names (CSV) gives its values in this order, which a new training does not change.
        """
        return tuple(sorted(self._known))

    @cached_property
    def numeric(self) -> frozenset[str]:
        """Names of the numeric features."""
        return frozenset(f.name for f in self.features if isinstance(f, NumericFeature))

    def prepare(self, applicant: Mapping[str, Any]) -> list[Weighed]:
        """The bins of one applicant: {feature name: value or None}, checked.

        Every feature must be there; null says "not known". A level that training never saw gets the weight `other` of
        its feature and is named in the answer's `unknown_levels`: a new product code must not stop a nightly batch, nor
        go unnoticed. Raises InvalidApplicant naming the field.
        """
        if not self._known.issuperset(applicant) or not applicant.keys() >= self._used:
            check_names(applicant, self._names, self._known)
        found = []
        for name, feature, bins, edges in self._plan:
            value = applicant[name]
            if edges is None:  # a known level is its own check
                weighed = bins.get(value) if value.__class__ is str else None
            elif value.__class__ in _NUMBERS and feature.minimum <= value <= feature.maximum:
                weighed = bins[bisect_left(edges, value)]
            else:
                weighed = None
            found.append(weighed or feature.weigh(value))
        return found

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(self._names)

    @cached_property
    def _plan(self) -> list[tuple[str, Any, Any, tuple[float, ...] | None]]:
        """What `prepare` does without a call for each of the usual values: `Feature.weigh` has the last word."""
        return [(f.name, f, f.bins, f.edges if isinstance(f, NumericFeature) else None) for f in self.features]

    def probabilities(self, prepared: Sequence[list[Weighed]]) -> list[float]:
        """Probabilities of default, between 0 and 1."""
        return [sigmoid(self._log_odds(weights)) for weights in prepared]

    def scores(self, prepared: Sequence[list[Weighed]], *, reasons: bool = True) -> list[Score]:
        """Probability, points, band, decision and reasons of each applicant."""
        return [self._score(weights, reasons) for weights in prepared]

    def log_odds(self, applicant: Mapping[str, Any]) -> float:
        """Log-odds of default. Raises InvalidApplicant."""
        return self._log_odds(self.prepare(applicant))

    def probability(self, applicant: Mapping[str, Any]) -> float:
        """Probability of default, between 0 and 1. Raises InvalidApplicant."""
        return sigmoid(self.log_odds(applicant))

    def score(self, applicant: Mapping[str, Any]) -> Score:
        """`scores` of one applicant. Raises InvalidApplicant."""
        return self._score(self.prepare(applicant), True)

    def _log_odds(self, weights: list[Weighed]) -> float:
        return self.intercept + math.fsum([w[0] for w in weights])

    def _score(self, weights: list[Weighed], reasons: bool) -> Score:
        log_odds = self._log_odds(weights)
        probability = sigmoid(log_odds)
        unknown = [name for name, weighed in zip(self._names, weights, strict=True) if weighed[1] is _UNKNOWN]
        found = self._reasons(weights, approved=probability < self.refer) if reasons else None
        return self.answer(log_odds, probability, found, unknown)

    def _reasons(self, weights: list[Weighed], *, approved: bool) -> tuple[Reason, ...]:
        """The features that raise this probability above what their reference value would give, the strongest first.

        The model is additive, so replacing such a value by the reference lowers the probability: a reason is always
        true. Who is not approved though nothing is worse than its reference (an average applicant may be too great a
        risk) is told where the next more favourable bin lowers it; only features with monotone bins have one.
        """
        raised = sorted([(-w[2], at) for at, w in enumerate(weights) if w[2] > 1e-9])
        if not raised and not approved:
            raised = sorted([(-w[3], at) for at, w in enumerate(weights) if w[3] > 1e-9])
        return tuple([self._reason(at, weights[at][1], -excess) for excess, at in raised[: self.reasons]])

    def _reason(self, at: int, words: str, excess: float) -> Reason:
        """One object for each bin: there are few, and they are given again and again."""
        found = self._given.get((at, words, excess))
        if found is None:
            feature = self.features[at]
            found = Reason.of(feature.name, feature.text, words, -self.factor * excess)
            self._given[at, words, excess] = found
        return found

    @cached_property
    def _given(self) -> dict[tuple[int, str, float], Reason]:
        return {}

    def to_json(self) -> str:
        """The document that `from_json` reads back to an equal scorecard; byte-identical for equal scorecards."""
        document = asdict(self)
        for feature, plain in zip(self.features, document["features"], strict=True):
            plain["kind"] = "numeric" if isinstance(feature, NumericFeature) else "categorical"
        return json.dumps({"format": FORMAT, **document}, indent=1, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Scorecard":
        """Read and check a document. Raises InvalidModel."""
        from solvent.scorecard_document import parse

        return parse(text)
