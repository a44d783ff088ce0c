"""Custom resources of our own functions really run, and one that crashes fails its stack within seconds.

AWS waits an hour for the answer of a function that has crashed. Here the crash itself is the answer, with its reason.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import threading
from typing import Any

from embedded_aws import adapter

SECONDS_AFTER_RETURN = 5.0  # for an answer that a function handed to someone else before it returned


def install() -> None:
    """Watch each invocation that CloudFormation makes."""

    def execute(inner: Any, record: Any, event: Any) -> Any:
        result = inner(record, event)
        if isinstance(event, dict) and "ResponseURL" in event and "LogicalResourceId" in event:
            _conclude(event, result if isinstance(result, dict) else {})
        return result

    adapter.EXECUTE_FUNCTION.wrap(execute)


def _conclude(event: dict[str, Any], result: dict[str, Any]) -> None:
    token = event["ResponseURL"].rsplit("/", 1)[-1]
    name = event["ServiceToken"] if "ServiceToken" in event else event["ResourceProperties"].get("ServiceToken", "")
    function = str(name).rsplit(":", 1)[-1]
    if result.get("error"):
        body = result.get("body") or {}
        reason = f"{body.get('errorType')}: {body.get('errorMessage')}" if isinstance(body, dict) else str(body)
        _fail(event, token, f"The function {function} crashed: {reason}")
        return
    why = f"The function {function} returned without answering the ResponseURL"
    threading.Timer(SECONDS_AFTER_RETURN, _fail, (event, token, why)).start()


def _fail(event: dict[str, Any], token: str, reason: str) -> None:
    pending = adapter.CUSTOM_RESOURCES_PENDING.get().get(token)
    if pending is None or pending["result"] is not None:
        return
    answer = {
        "Status": "FAILED",
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
    }
    adapter.CUSTOM_RESOURCE_ANSWER.get()(token, answer)
