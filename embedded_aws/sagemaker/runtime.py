"""SageMaker Runtime: InvokeEndpoint."""

import json
import time
from urllib.parse import unquote

from embedded_aws.sagemaker import capture, fleets, store
from embedded_aws.service import ApiError, raw

MAX_BODY_BYTES = 25 * 1024 * 1024
Answer = tuple[int, dict[str, str], bytes]


def operation(method: str, path: str) -> str:
    """The runtime names its operation by the path."""
    return (
        "InvokeEndpoint"
        if method == "POST" and path.startswith("/endpoints/") and path.endswith("/invocations")
        else ""
    )


def endpoint_of(path: str) -> str:
    """The endpoint's name in a path of the runtime."""
    return unquote(path.split("/")[2])


@raw
def invoke_endpoint(path: str, headers: dict[str, str], body: bytes) -> Answer:
    """The container's answer; its errors become ModelError (424) with the original status and message."""
    name = endpoint_of(path)
    if len(body) > MAX_BODY_BYTES:
        raise ApiError("ValidationError", f"The request has {len(body)} bytes; InvokeEndpoint takes {MAX_BODY_BYTES}.")
    accept = headers.get("accept", "")
    for _ in range(3):  # a container that is replaced just now breaks off: the request goes to its successor
        variant, container = fleets.route(name, headers.get("x-amzn-sagemaker-target-variant"))
        try:
            status, answer, kind = container.invoke(
                body,
                headers.get("content-type", "application/json"),
                "application/json" if accept in ("", "*/*") else accept,
            )
            break
        except TimeoutError:
            return _model_error(name, 0, "the container did not answer within 60 seconds")
        except OSError:
            time.sleep(0.05)
    else:
        return _model_error(name, 500, "the container is gone")
    if status >= 400:
        return _model_error(name, status, answer.decode(errors="replace"))
    sent = headers.get("content-type", "application/json")
    capture.keep(name, variant, (body, sent), (answer, kind), headers.get("x-amzn-sagemaker-inference-id"))
    # Lower case: ministack rewrites "Content-Type" to the protocol's own, but this one is the container's.
    return 200, {"content-type": kind, "x-Amzn-Invoked-Production-Variant": variant}, answer


def _model_error(name: str, status: int, message: str) -> Answer:
    side = "client" if 400 <= status < 500 else "server"
    _, _, _, region, account, _ = store.arn("endpoint", name).split(":", 5)
    content = {
        "Message": f'Received {side} error ({status}) from primary with message "{message}". See the log group '
        f"{fleets.LOG_GROUP}{name} in account {account} for more information.",
        "OriginalStatusCode": status,
        "OriginalMessage": message,
        "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{fleets.LOG_GROUP}{name}",
    }
    return 424, {"Content-Type": "application/json", "x-amzn-ErrorType": "ModelError"}, json.dumps(content).encode()
