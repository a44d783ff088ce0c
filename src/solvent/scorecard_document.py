"""From a scorecard's JSON document to a Scorecard, strictly: what is not sound is not served."""

from typing import Any

from solvent.documents import TERMS, exactly, number, numbers, once, read, require, terms, text, texts
from solvent.scorecard import FORMAT, CategoricalFeature, Feature, NumericFeature, Scorecard
from solvent.scoring import LARGEST_NUMBER

_FEATURE_KEYS = {
    "numeric": {"kind", "name", "text", "edges", "weights", "missing", "reference", "minimum", "maximum"},
    "categorical": {"kind", "name", "text", "levels", "weights", "other", "missing", "reference"},
}


def parse(source: str | bytes) -> Scorecard:
    """A checked Scorecard. Raises InvalidModel saying which key is wrong and how."""
    document = read(source, "scorecard", FORMAT)
    exactly(document, {*TERMS, "format", "features", "intercept"}, "the scorecard")
    require(isinstance(document["features"], list) and document["features"] != [], "features must be a list of some.")
    card = Scorecard(
        **terms(document),
        features=tuple(_feature(f) for f in document["features"]),
        intercept=number(document, "intercept"),
    )
    once([*(f.name for f in card.features), *card.ignored])
    return card


def _feature(plain: Any) -> Feature:
    kind = str(plain.get("kind")) if isinstance(plain, dict) else "nothing"
    require(kind in _FEATURE_KEYS, f"a feature's kind is numeric or categorical, not {kind!r}.")
    name = text(plain, "name")
    exactly(plain, _FEATURE_KEYS[kind], f"feature {name}")
    weights = numbers(plain, "weights")
    if kind == "numeric":
        edges = numbers(plain, "edges")
        require(all(a < b for a, b in zip(edges, edges[1:], strict=False)), f"{name}: edges must rise strictly.")
        require(len(weights) == len(edges) + 1, f"{name}: {len(edges)} edges need {len(edges) + 1} weights.")
        missing, reference, minimum, maximum = (
            number(plain, key) for key in ("missing", "reference", "minimum", "maximum")
        )
        require(-LARGEST_NUMBER <= minimum < maximum <= LARGEST_NUMBER, f"{name}: minimum must be below maximum.")
        return NumericFeature(name, text(plain, "text"), edges, weights, missing, reference, minimum, maximum)
    levels = texts(plain, "levels")
    require(len(set(levels)) == len(levels), f"{name}: a level is there twice.")
    require(len(weights) == len(levels), f"{name}: {len(levels)} levels need as many weights.")
    other, missing, reference = (number(plain, key) for key in ("other", "missing", "reference"))
    return CategoricalFeature(name, text(plain, "text"), levels, weights, other, missing, reference)
