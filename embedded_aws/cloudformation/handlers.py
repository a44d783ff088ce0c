"""How a resource type is registered with ministack's CloudFormation."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from embedded_aws import adapter

Properties = dict[str, Any]
# (logical id, properties, stack name) -> (physical id, attributes for Fn::GetAtt)
Create = Callable[[str, Properties, str], tuple[str, dict[str, Any]]]
Delete = Callable[[str, Properties], Any]
# (physical id, old properties, new properties, stack name) -> (physical id, attributes)
Update = Callable[[str, Properties, Properties, str], tuple[str, dict[str, Any]]]

_off_loop: set[str] = set()


def all_types() -> dict[str, dict[str, Any]]:
    """Type -> its handlers, as ministack keeps them."""
    return adapter.RESOURCE_HANDLERS.get()


def register(resource_type: str, create: Create, delete: Delete, update: Update | None = None) -> None:
    """Add or replace a resource type whose handlers may call the embedded AWS over HTTP."""

    def in_place(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        delete(physical_id, old)
        return create(physical_id, new, stack)

    all_types()[resource_type] = {
        "create": _savable(create),
        "delete": delete,
        "update": _savable(update or in_place),
    }
    off_loop(resource_type)


def _savable(handler: Callable[..., tuple[str, dict[str, Any]]]) -> Callable[..., tuple[str, dict[str, Any]]]:
    """The handler; attributes that are not plain JSON fail the deploy: with them no stack could be saved at `down`."""

    def checked(*args: Any) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = handler(*args)
        json.dumps(attributes)
        return physical_id, attributes

    return checked


def off_loop(resource_type: str) -> None:
    """Provision this type on a thread: a handler that calls back over HTTP would deadlock on the event loop."""
    _off_loop.add(resource_type)


def physical_name(stack: str, logical_id: str, limit: int = 63) -> str:
    """A name as CloudFormation makes them: stack, logical id, a suffix; the same inputs give the same name."""
    suffix = hashlib.sha256(f"{stack}/{logical_id}".encode()).hexdigest()[:12].upper()
    return f"{stack}-{logical_id}"[: limit - 13] + f"-{suffix}"


def install() -> None:
    """Let our types run on threads."""
    adapter.RUNS_ON_THREAD.wrap(lambda inner, resource_type: resource_type in _off_loop or inner(resource_type))
