"""Acting as somebody: temporary credentials of roles, clients that use them, and what their policies allow."""

import hashlib
import re
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

from embedded_aws import adapter, decisions
from embedded_aws.service.errors import ApiError
from embedded_aws.service.place import region, url

OPERATOR_KEY = "test"  # the person at the laptop: root-like, account 000000000000

_QUICK = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=300)


def role_credentials(role_arn: str, session: str) -> dict[str, str]:
    """AWS_* variables with temporary credentials of a role, as an AWS service gets them by assuming it.

    The same role and session name always give the same key, so that clients can be cached.
    """
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{role_arn}/{session}".encode()).hexdigest()
    key, secret = f"ASIA{digest[:16].upper()}", digest[8:48]
    adapter.REGISTER_SESSION.get()(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session[:64]}",
            "UserId": f"AROA{digest[16:32].upper()}:{session[:64]}",
            "SecretAccessKey": secret,
            "SessionToken": digest,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": digest}


@lru_cache(maxsize=128)
def _client(service: str, region: str, key: str, secret: str, token: str | None) -> Any:
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token)
    return session.client(service, region_name=region, endpoint_url=url(), config=_QUICK)


def client(service: str, role_arn: str, session: str = "embedded-aws") -> Any:
    """A boto3 client that calls this embedded AWS with the credentials of a role. Never call it on the event loop."""
    credentials = role_credentials(role_arn, session)
    return _client(service, region(), *credentials.values())


def operator_client(service: str) -> Any:
    """A boto3 client of the operator, for the work that AWS itself does behind the scenes."""
    return _client(service, region(), OPERATOR_KEY, OPERATOR_KEY, None)


def authorize(
    role_arn: str,
    action: str,
    resource: str = "*",
    context: dict[str, Any] | None = None,
    session: str = "authorize",
) -> None:
    """Raise ApiError AccessDeniedException, in AWS's words, unless the role's policies allow the action.

    `context` holds the condition keys of the request (`iam:PassedToService`); `session` names the role's session.
    """
    key = role_credentials(role_arn, session)["AWS_ACCESS_KEY_ID"]
    unsigned = adapter.ANONYMOUS.get().set(False)  # the request under way may be, the role's own call is not
    try:
        denied = adapter.IAM_ENFORCE.get()(
            key, action, action.split(":")[0], region(), resource_arn=resource, service_context=context
        )
    finally:
        adapter.ANONYMOUS.get().reset(unsigned)
    if denied is not None:
        principal = getattr(denied, "principal_arn", role_arn)
        action, resource = decisions.refused.get() or (action, resource)
        raise ApiError(
            "AccessDeniedException",
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action",
            403,
        )


def act_as(role_arn: str, session: str, headers: dict[str, str]) -> dict[str, str]:
    """The headers of a call within the process as if the role had signed it; handlers see the role as the caller."""
    key = role_credentials(role_arn, session)["AWS_ACCESS_KEY_ID"]
    signed = re.sub(r"Credential=[^/]*/", f"Credential={key}/", headers.get("authorization", ""))
    headers = {**headers, "authorization": signed}
    adapter.PIN_CALLER.get()(headers)
    return headers
