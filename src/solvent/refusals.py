"""What a model's container says when it refuses a request, as SageMaker passes it on (`OriginalMessage`)."""

import json
from typing import Any


def refusal(original: str) -> dict[str, Any] | None:
    """The JSON object that the message begins with, or None. What follows it is the container's stack trace.

    sagemaker-inference (`Transformer.handle_error`) answers with "<message>\n<traceback>".
    """
    try:
        value, _ = json.JSONDecoder().raw_decode(original.lstrip())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def reason(original: str) -> str:
    """One sentence for a person: the refusal's `error`, else the message's first line; empty if there is none."""
    found = refusal(original)
    if found and isinstance(found.get("error"), str):
        return str(found["error"])
    return original.strip().partition("\n")[0]
