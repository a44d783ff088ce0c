"""The REST API over the endpoint: HTTP API payload 2.0 in, status and JSON out. A score is the endpoint's, as it is."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from solvent.logs import log
from solvent.refusals import reason, refusal

LARGEST_BODY = 256 * 1024
_JSON = {"content-type": "application/json", "cache-control": "no-store"}


class Api:
    """`runtime` is a boto3 client `sagemaker-runtime`."""

    def __init__(self, *, runtime: Any, endpoint: str, environment: str, version: str) -> None:
        self._runtime, self._endpoint = runtime, endpoint
        self._about = {"status": "ok", "version": version, "environment": environment}

    def respond(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request. Whatever the caller sends, this is an answer and not an exception."""
        context = event.get("requestContext") or {}
        route = f"{(context.get('http') or {}).get('method', '')} {event.get('rawPath', '')}"
        path = route.rstrip("/")
        if path.endswith("/v1/health") and path.startswith("GET "):
            status, body = 200, json.dumps(self._about)
        elif path.endswith("/v1/score") and path.startswith("POST "):
            status, body = self._score(event)
        else:
            status, body = 404, _error("There is no such resource. There are GET /v1/health and POST /v1/score.")
        request_id = str(context.get("requestId", ""))
        log("request", route=route[:80], status=status, request_id=request_id)
        headers = {**_JSON, "x-request-id": request_id}
        if status == 503:
            headers["retry-after"] = "5"
        return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}

    def _score(self, event: Mapping[str, Any]) -> tuple[int, str]:
        headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            return 415, _error("The content type must be application/json.")
        try:
            body = _body(event)
        except (binascii.Error, ValueError):
            return 400, _error("The request's body cannot be decoded.")
        if not body.strip():
            return 400, _error("The request has no body. Send an applicant as a JSON object.")
        if len(body) > LARGEST_BODY:
            return 413, _error(f"The request is larger than {LARGEST_BODY} bytes. Send fewer applicants at a time.")
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._endpoint, ContentType="application/json", Accept="application/json", Body=body
            )
            return 200, answer["Body"].read().decode()
        except ClientError as error:
            return _refused(error)
        except BotoCoreError as error:
            log("endpoint_unreachable", level="ERROR", error=type(error).__name__)
            return 503, _error("The model cannot be reached at the moment. Try again.")


def _refused(error: ClientError) -> tuple[int, str]:
    """The endpoint's own 4xx as it is; everything else as 502 or 503 without inner details."""
    code = error.response["Error"]["Code"]
    original = error.response.get("OriginalStatusCode")
    if code == "ModelError" and isinstance(original, int) and 400 <= original < 500:
        message = str(error.response.get("OriginalMessage", ""))
        if found := refusal(message):
            return original, json.dumps(found)
        return original, _error(reason(message)[:1000] or "The model refused the request.")
    log("endpoint_failed", level="ERROR", code=code, original_status=original)
    if code in ("ValidationError", "ValidationException"):
        return 503, _error("There is no model yet: nothing has been trained and deployed in this environment.")
    if code in ("ThrottlingException", "ServiceUnavailable", "ModelNotReadyException", "InternalDependencyException"):
        return 503, _error("The model is busy. Try again.")
    return 502, _error("The model failed to answer.")


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else str(body).encode()


def _error(message: str) -> str:
    return json.dumps({"error": message})
