"""Opening a state machine's DefinitionString to change it, and closing it with its references as they were."""

import json
import re
from typing import Any

_MARK = "reference-{}-of-the-template"
_MARKS = re.compile(r"(reference-\d+-of-the-template)")


def opened(text: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The definition with a mark for each reference, and what each mark stands for."""
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    references: dict[str, Any] = {}
    pieces = []
    for part in parts:
        if not isinstance(part, str):
            mark = _MARK.format(len(references))
            references[mark] = part
            part = mark
        pieces.append(part)
    return json.loads("".join(pieces)), references


def closed(definition: dict[str, Any], references: dict[str, Any]) -> dict[str, Any]:
    """The DefinitionString of a definition that `opened` gave."""
    pieces = [piece for piece in _MARKS.split(json.dumps(definition)) if piece]
    return {"Fn::Join": ["", [references.get(piece, piece) for piece in pieces]]}
