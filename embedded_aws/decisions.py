"""What IAM decided: what was refused in place of a call, and on request a line for everything that a role asked for."""

import json
import os
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from embedded_aws import adapter

FILE = "SOLVENT_DECISIONS"  # an environment variable: the file that `make check-iam` reads; nothing is written without

# The action and resource that were refused in place of the call's own: the key of what it touches.
refused: ContextVar[tuple[str, str] | None] = ContextVar("solvent_refused", default=None)
_lock = threading.Lock()


def note(key: str, action: str, resource: str, *, allowed: bool) -> None:
    """Keep one decision on a role's session: role, action, resource and whether it was allowed."""
    path = os.environ.get(FILE)
    principal = str((adapter.CALLER_IDENTITY.get()(key) or {}).get("userArn", "")) if path else ""
    if path and ":assumed-role/" in principal:
        role = principal.split("/")[1]
        line = json.dumps({"role": role, "action": action, "resource": resource, "allowed": allowed})
        with _lock, Path(path).open("a") as file:
            file.write(line + "\n")


def denied_response(
    inner: Any, service: str, action: str, principal: str, request_id: str, *, resource_arn: str = "*", **more: Any
) -> Any:
    """Around the answer to a refused call: name what was refused."""
    action, resource_arn = refused.get() or (action, resource_arn)
    return inner(service, action, principal, request_id, resource_arn=resource_arn, **more)
