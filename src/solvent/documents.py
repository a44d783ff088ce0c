"""Reading a model's JSON document strictly: what is not sound is not served. Raises InvalidModel throughout."""

import json
import math
from collections.abc import Callable
from typing import Any

from solvent.scoring import InvalidModel, Terms

TERMS = frozenset(Terms.__dataclass_fields__)


def read(text: str | bytes, what: str, form: str) -> dict[str, Any]:
    """A JSON object of the given format."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidModel(f"The {what} is no JSON document: {error}") from error
    require(isinstance(document, dict), f"The {what} is no JSON object.")
    require(document.get("format") == form, f"format must be {form}, it is {document.get('format')!r}.")
    return dict(document)


def terms(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of Terms, checked."""
    odds, double = number(document, "odds"), number(document, "points_to_double_odds")
    require(odds > 0 and double > 0, "odds and points_to_double_odds must be above zero.")
    refer, decline, reasons = number(document, "refer"), number(document, "decline"), document["reasons"]
    require(0 <= refer <= decline <= 1, "cut-offs must be 0 <= refer <= decline <= 1.")
    require(type(reasons) is int and 0 < reasons <= 4, "reasons must be 1 to 4.")
    return {
        **{name: text(document, name) for name in ("portfolio", "model", "entity", "specification")},
        "ignored": texts(document, "ignored"),
        "points": number(document, "points"),
        "odds": odds,
        "points_to_double_odds": double,
        "bands": _bands(document["bands"]),
        "refer": refer,
        "decline": decline,
        "reasons": reasons,
        "words": _words(document),
    }


def once(names: list[str]) -> None:
    """No feature may be named twice."""
    require(len(names) == len(set(names)), "a feature is named twice.")


def _words(document: dict[str, Any]) -> tuple[str, str, str]:
    found = texts(document, "words")
    require(len(set(found)) == 3, "words must be three: for approve, refer and decline.")
    return found[0], found[1], found[2]


def _bands(plain: Any) -> tuple[tuple[str, float], ...]:
    require(isinstance(plain, list) and plain != [], "bands must be a list of some.")
    for band in plain:
        require(
            isinstance(band, list) and len(band) == 2 and isinstance(band[0], str), "a band is [name, upper bound]."
        )
        require(_is_number(band[1]), f"the bound of band {band[0]} must be a number.")
    bounds = [float(bound) for _, bound in plain]
    require(bounds == sorted(bounds) and bounds[-1] == 1.0, "bands must have rising upper bounds, the last one 1.0.")
    return tuple((name, float(bound)) for name, bound in plain)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) and abs(value) < 1e300 or isinstance(value, float) and math.isfinite(value)


def number(plain: dict[str, Any], key: str) -> float:
    require(_is_number(plain[key]), f"{key} must be a finite number, it is {plain[key]!r}.")
    return float(plain[key])


def text(plain: dict[str, Any], key: str) -> str:
    require(isinstance(plain.get(key), str) and plain[key] != "", f"{key} must be text.")
    return str(plain[key])


def numbers(plain: dict[str, Any], key: str) -> tuple[float, ...]:
    return tuple(float(value) for value in _listed(plain, key, _is_number, "finite numbers"))


def texts(plain: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(_listed(plain, key, lambda value: isinstance(value, str), "texts"))


def _listed(plain: dict[str, Any], key: str, accepts: Callable[[Any], bool], what: str) -> list[Any]:
    values = plain[key]
    require(isinstance(values, list) and all(accepts(value) for value in values), f"{key} must be a list of {what}.")
    return list(values)


def exactly(plain: dict[str, Any], keys: set[str], where: str) -> None:
    require(set(plain) == keys, f"{where}: missing {sorted(keys - set(plain))}, not known {sorted(set(plain) - keys)}.")


def require(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidModel(message)
