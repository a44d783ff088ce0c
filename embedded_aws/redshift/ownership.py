"""Who may look at a statement: policies name its owner with `redshift-data:statement-owner-iam-userid`.

Source: docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html.
"""

import contextvars
import json
from typing import Any

from embedded_aws import adapter

KEY = "redshift-data:statement-owner-iam-userid"
_user_id: contextvars.ContextVar[str] = contextvars.ContextVar("embedded_aws_user_id", default="")


def user_id() -> str:
    """`aws:userid` of the caller of the current request; empty for the operator."""
    return _user_id.get()


def register(owner_of: Any) -> None:
    """Give each call that names a statement its owner as a condition key. `owner_of(statement id)` -> user id."""

    def principal(inner: Any, credential: Any) -> Any:
        if not _user_id.get():  # the request's caller; what is authorized in its course changes nothing
            _user_id.set(credential.principal_id)
        return inner(credential)

    def context(inner: Any, service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        keys = dict(inner(service, action, body, parameters))
        if service == "redshift-data":
            _user_id.set("")
            try:
                statement = str(json.loads(body or b"{}").get("Id", ""))
            except ValueError:
                return keys
            if statement:
                keys[KEY] = owner_of(statement.partition(":")[0])
        return keys

    adapter.PRINCIPAL_KEYS.wrap(principal)
    adapter.REQUEST_CONTEXT.wrap(context)
