"""From a scorecard's JSON document to a Scorecard, strictly: what is not sound is not served."""

import json
import math
from collections.abc import Callable
from typing import Any

from solvent.scorecard import (
    FORMAT,
    LARGEST_NUMBER,
    CategoricalFeature,
    Feature,
    InvalidScorecard,
    NumericFeature,
    Scorecard,
)

_KEYS = {
    "format", "portfolio", "model", "entity", "specification", "features", "ignored", "intercept", "points", "odds",
    "points_to_double_odds", "bands", "refer", "decline", "reasons", "words",
}  # fmt: skip
_FEATURE_KEYS = {
    "numeric": {"kind", "name", "text", "edges", "weights", "missing", "reference", "minimum", "maximum"},
    "categorical": {"kind", "name", "text", "levels", "weights", "other", "missing", "reference"},
}


def parse(text: str | bytes) -> Scorecard:
    """A checked Scorecard. Raises InvalidScorecard saying which key is wrong and how."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidScorecard(f"The scorecard is no JSON document: {error}") from error
    _require(isinstance(document, dict), "The scorecard is no JSON object.")
    _require(document.get("format") == FORMAT, f"format must be {FORMAT}, it is {document.get('format')!r}.")
    _exactly(document, _KEYS, "the scorecard")
    _require(isinstance(document["features"], list) and document["features"] != [], "features must be a list of some.")
    card = Scorecard(
        portfolio=_text(document, "portfolio"),
        model=_text(document, "model"),
        entity=_text(document, "entity"),
        specification=_text(document, "specification"),
        features=tuple(_feature(f) for f in document["features"]),
        ignored=_texts(document, "ignored"),
        intercept=_number(document, "intercept"),
        points=_number(document, "points"),
        odds=_number(document, "odds"),
        points_to_double_odds=_number(document, "points_to_double_odds"),
        bands=_bands(document["bands"]),
        refer=_number(document, "refer"),
        decline=_number(document, "decline"),
        reasons=document["reasons"],
        words=_words(document),
    )
    names = [*(f.name for f in card.features), *card.ignored]
    _require(len(names) == len(set(names)), "a feature is named twice.")
    _require(card.odds > 0 and card.points_to_double_odds > 0, "odds and points_to_double_odds must be above zero.")
    _require(0 <= card.refer <= card.decline <= 1, "cut-offs must be 0 <= refer <= decline <= 1.")
    _require(type(card.reasons) is int and 0 < card.reasons <= 4, "reasons must be 1 to 4.")
    return card


def _feature(plain: Any) -> Feature:
    kind = str(plain.get("kind")) if isinstance(plain, dict) else "nothing"
    _require(kind in _FEATURE_KEYS, f"a feature's kind is numeric or categorical, not {kind!r}.")
    name = _text(plain, "name")
    _exactly(plain, _FEATURE_KEYS[kind], f"feature {name}")
    weights = _numbers(plain, "weights")
    if kind == "numeric":
        edges = _numbers(plain, "edges")
        _require(all(a < b for a, b in zip(edges, edges[1:], strict=False)), f"{name}: edges must rise strictly.")
        _require(len(weights) == len(edges) + 1, f"{name}: {len(edges)} edges need {len(edges) + 1} weights.")
        missing, reference, minimum, maximum = (
            _number(plain, key) for key in ("missing", "reference", "minimum", "maximum")
        )
        _require(-LARGEST_NUMBER <= minimum < maximum <= LARGEST_NUMBER, f"{name}: minimum must be below maximum.")
        return NumericFeature(name, _text(plain, "text"), edges, weights, missing, reference, minimum, maximum)
    levels = _texts(plain, "levels")
    _require(len(set(levels)) == len(levels), f"{name}: a level is there twice.")
    _require(len(weights) == len(levels), f"{name}: {len(levels)} levels need as many weights.")
    other, missing, reference = (_number(plain, key) for key in ("other", "missing", "reference"))
    return CategoricalFeature(name, _text(plain, "text"), levels, weights, other, missing, reference)


def _words(document: dict[str, Any]) -> tuple[str, str, str]:
    words = _texts(document, "words")
    _require(len(set(words)) == 3, "words must be three: for approve, refer and decline.")
    return words[0], words[1], words[2]


def _bands(plain: Any) -> tuple[tuple[str, float], ...]:
    _require(isinstance(plain, list) and plain != [], "bands must be a list of some.")
    for band in plain:
        _require(
            isinstance(band, list) and len(band) == 2 and isinstance(band[0], str), "a band is [name, upper bound]."
        )
        _require(_is_number(band[1]), f"the bound of band {band[0]} must be a number.")
    bounds = [float(bound) for _, bound in plain]
    _require(bounds == sorted(bounds) and bounds[-1] == 1.0, "bands must have rising upper bounds, the last one 1.0.")
    return tuple((name, float(bound)) for name, bound in plain)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) and abs(value) < 1e300 or isinstance(value, float) and math.isfinite(value)


def _number(plain: dict[str, Any], key: str) -> float:
    _require(_is_number(plain[key]), f"{key} must be a finite number, it is {plain[key]!r}.")
    return float(plain[key])


def _text(plain: dict[str, Any], key: str) -> str:
    _require(isinstance(plain.get(key), str) and plain[key] != "", f"{key} must be text.")
    return str(plain[key])


def _numbers(plain: dict[str, Any], key: str) -> tuple[float, ...]:
    return tuple(float(value) for value in _list(plain, key, _is_number, "finite numbers"))


def _texts(plain: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(_list(plain, key, lambda value: isinstance(value, str), "texts"))


def _list(plain: dict[str, Any], key: str, accepts: Callable[[Any], bool], what: str) -> list[Any]:
    values = plain[key]
    _require(isinstance(values, list) and all(accepts(value) for value in values), f"{key} must be a list of {what}.")
    return list(values)


def _exactly(plain: dict[str, Any], keys: set[str], where: str) -> None:
    _require(
        set(plain) == keys, f"{where}: missing {sorted(keys - set(plain))}, not known {sorted(set(plain) - keys)}."
    )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidScorecard(message)
