"""What failed, in words: the state, and the message that is buried in a state machine's error."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_CAUSE = 1500
# Where a service puts its message: Lambda, Glue, SageMaker, CloudFormation-style JSON, a nested execution.
_MESSAGES = ("errorMessage", "ErrorMessage", "FailureReason", "Cause", "cause", "message", "Message")


def explain(cause: str) -> str:
    """The message within a cause: Lambda, Glue, SageMaker and nested executions wrap theirs in JSON."""
    for _ in range(5):
        try:
            document = json.loads(cause)
        except ValueError:
            break
        found = next((document[k] for k in _MESSAGES if document.get(k)), None) if isinstance(document, dict) else None
        if not isinstance(found, str):
            break
        cause = found
    return cause if len(cause) <= LONGEST_CAUSE else cause[: LONGEST_CAUSE - 3] + "..."


def failed_state(events: Iterable[Mapping[str, Any]]) -> str | None:
    """The state that led to the one now running, from an execution's history, newest event first.

    The one now running is the state that records the failure. Its entry points back (`previousEventId`) to what came
    before it; the first state entered on that way is the one that failed. None when the history does not say.
    """
    current: Mapping[str, Any] | None = None
    wanted = None
    for event in events:
        entered = event.get("stateEnteredEventDetails")
        if current is None:
            if entered:
                current, wanted = event, event.get("previousEventId")
        elif not wanted or event["id"] == wanted:
            if entered:
                return str(entered["name"])
            wanted = event.get("previousEventId")
    return None
