"""What every served model has: terms of a decision, and the form of an answer. Standard library only."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

LARGEST_NUMBER = 1e12
LONGEST_TEXT = 256
NOT_GIVEN = "not given"


class InvalidApplicant(ValueError):
    """An input that cannot be scored. `field` names the culprit; `status_code` is the HTTP status to answer with."""

    status_code = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class InvalidModel(ValueError):
    """A model that must not be served; the message says what is wrong with it."""


@dataclass(frozen=True)
class Reason:
    """Why a probability is higher than at the feature's reference. `points` is what the feature cost, below zero."""

    code: str
    feature: str
    text: str
    points: float

    @classmethod
    def of(cls, feature: str, text: str, words: str, points: float) -> "Reason":
        """The code says whether the value was bad or not known; `words` are the value's."""
        code = f"{feature.upper()}_MISSING" if words is NOT_GIVEN else feature.upper()
        return cls(code, feature, f"{text}: {words}", round(points, 2))

    @cached_property
    def json(self) -> str:
        """As an answer has it; kept, because a scorecard gives the same few reasons again and again."""
        return (
            f'{{"code": {quoted(self.code)}, "feature": {quoted(self.feature)}, '
            f'"text": {quoted(self.text)}, "points": {self.points!r}}}'
        )


class Score(NamedTuple):
    """The answer for one applicant. `reasons` is None where none were asked for.

    `unknown_levels` names features whose level no training row had.
    """

    probability: float
    score: int
    band: str
    decision: str
    reasons: tuple[Reason, ...] | None
    unknown_levels: tuple[str, ...] = ()

    def members(self) -> str:
        """The answer's JSON without its braces. The last two are there only where there is something to say.

        Written out, because encoding a dict takes longer than scoring an applicant.
        """
        found = (
            f'"probability": {self.probability!r}, "score": {self.score}, '
            f'"band": {quoted(self.band)}, "decision": {quoted(self.decision)}'
        )
        if self.reasons is not None:
            found += f', "reasons": [{", ".join([one.json for one in self.reasons])}]'
        if self.unknown_levels:
            found += f', "unknown_levels": [{", ".join(map(quoted, self.unknown_levels))}]'
        return found


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Whose model it is, and what its probabilities lead to.

    `entity` is the key of what is scored; `ignored` are the specification's features that this model was trained
    without; `words` are what approve, refer and decline are called.
    """

    portfolio: str
    model: str
    entity: str
    specification: str
    ignored: tuple[str, ...]
    points: float
    odds: float
    points_to_double_odds: float
    bands: tuple[tuple[str, float], ...]
    refer: float
    decline: float
    reasons: int
    words: tuple[str, str, str]

    @cached_property
    def factor(self) -> float:
        """Points per unit of log-odds."""
        return self.points_to_double_odds / math.log(2)

    @cached_property
    def _base(self) -> float:
        """Points at even odds."""
        return self.points - self.factor * math.log(self.odds)

    def terms(self) -> dict[str, Any]:
        """These fields alone, for a document."""
        return {name: getattr(self, name) for name in Terms.__dataclass_fields__}

    def decide(self, probability: float) -> str:
        """`decline` from the decline cut-off up, `refer` (to a person) from the refer cut-off up, else `approve`.

        Said in the model's own words.
        """
        approve, refer, decline = self.words
        if probability >= self.decline:
            return decline
        return refer if probability >= self.refer else approve

    def _band(self, probability: float) -> str:
        for name, bound in self.bands:
            if probability <= bound:
                return name
        raise AssertionError("the last band reaches to 1")

    def answer(
        self, log_odds: float, probability: float, reasons: tuple[Reason, ...] | None, unknown_levels: Iterable[str]
    ) -> Score:
        """An applicant's score by its log-odds and probability of default."""
        score = round(self._base - self.factor * log_odds)
        band, decision = self._band(probability), self.decide(probability)
        return Score(probability, score, band, decision, reasons, tuple(unknown_levels))


def check_names(applicant: Mapping[str, Any], used: Iterable[str], known: frozenset[str]) -> None:
    """Every input must be there, and nothing that is none: a misspelt name must not pass for a missing value.

    Raises InvalidApplicant.
    """
    if not known.issuperset(applicant):
        name = next(name for name in applicant if name not in known)
        raise InvalidApplicant(
            str(name)[:LONGEST_TEXT], "is not an input of this model; check the spelling or leave it out"
        )
    for name in used:
        if name not in applicant:
            raise InvalidApplicant(name, "is missing; give a value, or null if it is not known")


def check_number(name: str, value: Any, minimum: float, maximum: float) -> None:
    """Raises InvalidApplicant for what is no finite number within the contract's range."""
    if type(value) is not float and type(value) is not int:  # a bool is an int to isinstance
        raise InvalidApplicant(name, f"must be a number or null, not {_kind(value)}")
    # Compared before any conversion: an integer may be too large for a float. NaN fails every comparison.
    if not minimum <= value <= maximum:
        raise InvalidApplicant(name, f"must be a number between {minimum:g} and {maximum:g}")


def check_text(name: str, value: Any) -> None:
    """Raises InvalidApplicant for what is no text of bearable length."""
    if not isinstance(value, str):
        raise InvalidApplicant(name, f"must be text or null, not {_kind(value)}")
    if len(value) > LONGEST_TEXT:
        raise InvalidApplicant(name, f"must not be longer than {LONGEST_TEXT} characters")


def shown(number: float) -> str:
    """For people: `5,000`, `0.1539`; below a ten-thousandth as it is."""
    return f"{number:,.4f}".rstrip("0").rstrip(".") if abs(number) >= 1e-4 or number == 0 else f"{number:g}"


def sigmoid(log_odds: float) -> float:
    # Two branches, so that neither overflows.
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    power = math.exp(log_odds)
    return power / (1.0 + power)


def _kind(value: Any) -> str:
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
