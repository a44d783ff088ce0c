"""The operator's signatures are checked as everybody else's, and IAM-signed HTTP APIs refuse as API Gateway does.

ministack checks the signatures of users' and roles' keys (core/sigv4.py), but takes the operator's key, an
Authorization header that is no signature at all, and S3 without one, as the operator; it looks neither at the service
and region of the credential scope nor at whether the hash in x-amz-content-sha256 is the body's.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ministack.core import sigv4

from embedded_aws import adapter
from embedded_aws.service import Response

Headers = dict[str, str]

_keeping: ContextVar[bool] = ContextVar("solvent_keeping_signature", default=False)
_foreign: ContextVar[tuple[str, str] | None] = ContextVar("solvent_foreign_authorization", default=None)
_unsigned: ContextVar[bool] = ContextVar("solvent_unsigned", default=False)
_body: ContextVar[bytes] = ContextVar("solvent_body", default=b"")


def is_root_key(inner: Any, key: str) -> bool:
    """While a request is kept for its check, the operator's key is one like any other."""
    return bool(inner(key)) and not _keeping.get()


@contextmanager
def _keep() -> Any:
    token = _keeping.set(True)
    try:
        yield
    finally:
        _keeping.reset(token)


def pin_request(
    inner: Any, method: str, path: str, query: dict[str, Any], headers: Sequence[tuple[bytes, bytes]]
) -> None:
    """Keep the request for the check of its signature, whoever signed; note an Authorization that is no signature."""
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    authorization = given.get("authorization", "")
    _unsigned.set(not authorization)
    foreign = bool(authorization) and not authorization.startswith(("AWS4-HMAC-SHA256 ", "AWS "))
    _foreign.set(sigv4.foreign_authorization_failure(given) if foreign else None)
    with _keep():
        inner(method, path, query, headers)


def pin_body(inner: Any, body: bytes) -> None:
    """Keep the body as it arrived."""
    _body.set(body)
    inner(body)


def enforce(inner: Any, key: str, action: str, service: str, *arguments: Any, **named: Any) -> Any:
    """Refuse an Authorization header that names no key, and S3 without one: ministack takes both for the operator."""
    if (failure := _foreign.get()) and not key and action != "execute-api:Invoke":
        return adapter.AUTH_ERROR.get()(*failure)
    if service == "s3" and _unsigned.get() and not key:  # new buckets block public access, on AWS too
        return adapter.AUTH_ERROR.get()("AccessDenied", "Access Denied")
    return inner(key, action, service, *arguments, **named)


def enforce_api(
    inner: Any, api: str, stage: str, method: str, path: str, headers: Headers, query: dict[str, Any], **named: Any
) -> Response | None:
    """Authorize a call of an API; whatever is wrong with the signature of an AWS_IAM route, the answer is the same."""
    if adapter.HTTP_API_AUTHORIZATION.get()(api, stage, method, path) != "AWS_IAM":
        refused: Response | None = inner(api, stage, method, path, headers, query, **named)
        return refused
    if not _signed_for(api, headers) or inner(api, stage, method, path, headers, query, **named) is not None:
        return 403, {"Content-Type": "application/json"}, json.dumps({"message": "Forbidden"}).encode()
    return None


def _signed_for(api: str, headers: Headers) -> bool:
    """Whether there is a signature for this service, in the API's region, over this body; `inner` recomputes it."""
    if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        return False
    signature = sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple):
        return False
    _, region = adapter.HTTP_API_SCOPE.get()(api)
    body = hashlib.sha256(_body.get()).hexdigest()
    return (signature.service, signature.region) == ("execute-api", region) and hmac.compare_digest(
        headers.get("x-amz-content-sha256", body).encode(), body.encode()
    )


def install() -> None:
    """Called once, before the first request."""
    adapter.IS_ROOT_KEY.wrap(is_root_key)
    adapter.PIN_REQUEST.wrap(pin_request)
    adapter.PIN_BODY.wrap(pin_body)
    adapter.IAM_ENFORCE.wrap(enforce)
    adapter.ENFORCE_API.wrap(enforce_api)
