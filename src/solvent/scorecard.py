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
from operator import attrgetter
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
_EXCESS, _OVER_NEXT = attrgetter("excess"), attrgetter("over_next")


@dataclass(frozen=True, slots=True, eq=False)
class Bin:
    """Where a value falls. `excess` is the weight above the reference's, `over_next` above the next better bin's.

    `unseen` marks the bin of levels that training has not seen. A model has one object for each of its bins, so they
    are told apart by identity.
    """

    feature: str
    words: str
    weight: float
    excess: float
    over_next: float = 0.0
    unseen: bool = False


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

    def weigh(self, value: Any) -> Bin:
        """The bin of a value. Raises InvalidApplicant."""
        if value is None:
            return self._null
        check_number(self.name, value, self.minimum, self.maximum)
        return self.bins[bisect_left(self.edges, value)]

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """The bins in the order of the weights."""
        return tuple(
            Bin(self.name, self._words(index), weight, weight - self.reference, weight - self._next(index))
            for index, weight in enumerate(self.weights)
        )

    @cached_property
    def _null(self) -> Bin:
        return Bin(self.name, NOT_GIVEN, self.missing, self.missing - self.reference)

    def places(self) -> list[Bin]:
        """Wherever a value may fall."""
        return [*self.bins, self._null]

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

    def weigh(self, value: Any) -> Bin:
        """The bin of a value. Raises InvalidApplicant."""
        if value is None:
            return self._null
        check_text(self.name, value)
        return self.bins.get(value, self._unseen)

    @cached_property
    def bins(self) -> dict[str, Bin]:
        """The bin of each level."""
        return {
            level: Bin(self.name, level.replace("_", " "), weight, weight - self.reference)
            for level, weight in zip(self.levels, self.weights, strict=True)
        }

    @cached_property
    def _null(self) -> Bin:
        return Bin(self.name, NOT_GIVEN, self.missing, self.missing - self.reference)

    @cached_property
    def _unseen(self) -> Bin:
        return Bin(self.name, _UNKNOWN, self.other, self.other - self.reference, unseen=True)

    def places(self) -> list[Bin]:
        """Wherever a value may fall."""
        return [*self.bins.values(), self._unseen, self._null]


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
    def inputs(self) -> tuple[str, ...]:
        """Every feature of the specification in alphabetical order, those that this model ignores included.

        A request without names (CSV) gives its values in this order, which a new training does not change.
        """
        return tuple(sorted(self._known))

    @cached_property
    def numeric(self) -> frozenset[str]:
        """Names of the numeric features."""
        return frozenset(f.name for f in self.features if isinstance(f, NumericFeature))

    def prepare(self, applicant: Mapping[str, Any]) -> list[Bin]:
        """The bins of one applicant: {feature name: value or None}, checked.

        Every feature must be there; null says "not known". A level that training never saw gets the weight `other` of
        its feature and is named in the answer's `unknown_levels`: a new product code must not stop a nightly batch, nor
        go unnoticed. Raises InvalidApplicant naming the field.
        """
        if applicant.keys() != self._used:
            check_names(applicant, (f.name for f in self.features), self._known)
        found = []
        # The usual values without a call for each: `Feature.weigh` has the last word.
        for name, feature, bins, edges, minimum, maximum in self._plan:
            value = applicant[name]
            if edges is None:  # a known level is its own check
                placed = bins.get(value) if value.__class__ is str else None
            elif value.__class__ in _NUMBERS and minimum <= value <= maximum:
                placed = bins[bisect_left(edges, value)]
            else:
                placed = None
            found.append(placed or feature.weigh(value))
        return found

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(f.name for f in self.features)

    @cached_property
    def _plan(self) -> list[tuple[str, Feature, Any, tuple[float, ...] | None, float, float]]:
        """Each feature with its name, bins, edges (None: it has levels) and range."""
        return [
            (f.name, f, f.bins, f.edges, f.minimum, f.maximum)
            if isinstance(f, NumericFeature)
            else (f.name, f, f.bins, None, 0.0, 0.0)
            for f in self.features
        ]

    def probabilities(self, prepared: Sequence[list[Bin]]) -> list[float]:
        """Probabilities of default, between 0 and 1."""
        return [sigmoid(self._log_odds(bins)) for bins in prepared]

    def scores(self, prepared: Sequence[list[Bin]], *, reasons: Sequence[bool]) -> list[Score]:
        """Probability, points, band and decision of each applicant, and reasons of those for whom they are wanted."""
        return [self._score(bins, wanted) for bins, wanted in zip(prepared, reasons, strict=True)]

    def log_odds(self, applicant: Mapping[str, Any]) -> float:
        """Log-odds of default. Raises InvalidApplicant."""
        return self._log_odds(self.prepare(applicant))

    def probability(self, applicant: Mapping[str, Any]) -> float:
        """Probability of default, between 0 and 1. Raises InvalidApplicant."""
        return sigmoid(self.log_odds(applicant))

    def score(self, applicant: Mapping[str, Any]) -> Score:
        """`scores` of one applicant. Raises InvalidApplicant."""
        return self._score(self.prepare(applicant), True)

    def _log_odds(self, bins: list[Bin]) -> float:
        return self.intercept + math.fsum([b.weight for b in bins])

    def _score(self, bins: list[Bin], reasons: bool) -> Score:
        log_odds = self._log_odds(bins)
        probability = sigmoid(log_odds)
        found = self._reasons(bins, approved=probability < self.refer) if reasons else None
        return self.answer(log_odds, probability, found, [b.feature for b in bins if b.unseen])

    def _reasons(self, bins: list[Bin], *, approved: bool) -> tuple[Reason, ...]:
        """The features that raise this probability above what their reference value would give, the strongest first.

        The model is additive, so replacing such a value by the reference lowers the probability: a reason is always
        true. Who is not approved though nothing is worse than its reference (an average applicant may be too great a
        risk) is told where the next more favourable bin lowers it; only features with monotone bins have one.
        """
        raised = sorted([b for b in bins if b.excess > 1e-9], key=_EXCESS, reverse=True)
        if raised or approved:
            return tuple([self._worse[b] for b in raised[: self.reasons]])
        improvable = sorted([b for b in bins if b.over_next > 1e-9], key=_OVER_NEXT, reverse=True)
        return tuple([self._improvable[b] for b in improvable[: self.reasons]])

    @cached_property
    def _worse(self) -> dict[Bin, Reason]:
        """Each bin against the reference, as a reason."""
        return {b: self._reason(f, b, b.excess) for f in self.features for b in f.places()}

    @cached_property
    def _improvable(self) -> dict[Bin, Reason]:
        """Each bin against the next more favourable one, as a reason."""
        return {b: self._reason(f, b, b.over_next) for f in self.features for b in f.places()}

    def _reason(self, feature: Feature, given: Bin, excess: float) -> Reason:
        return Reason.of(feature.name, feature.text, given.words, -self.factor * excess)

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
