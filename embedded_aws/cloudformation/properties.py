"""No property is dropped in silence: each is applied, knowingly ignored with a reason, or fails the deploy.

`properties.yaml` says which. ministack accepts any property of any type and drops what it does not know, so that a
template could lose its encryption on the way to the laptop and nobody would notice.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("properties.yaml")
LEVELS = ("executed", "recorded", "helper")


class PropertyError(ValueError):
    """A resource type or property that the table does not know; fails the resource, and the stack rolls back."""


@dataclass(frozen=True)
class TypeEntry:
    """What the embedded AWS does with one resource type.

    `level`: executed (it works), recorded (accepted and described, without behaviour), helper (a CDK helper, done in
    Python). `note` says what that means here. `applied` are the properties that share the type's level; `recorded`
    and `ignored` map a property to the reason why it has no effect: the API gives it back, or not even that. In
    `recorded`, "Targets.DeadLetterConfig" is a part of a property that is applied otherwise.
    """

    name: str
    level: str
    note: str
    applied: frozenset[str]
    recorded: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> frozenset[str]:
        """Every property that does not fail the deploy."""
        return self.applied | {name for name in self.recorded if "." not in name} | frozenset(self.ignored)

    @property
    def executed(self) -> frozenset[str]:
        """The properties that have their effect."""
        return self.applied if self.level == "executed" else frozenset()


@cache
def table() -> dict[str, TypeEntry]:
    """Resource type -> entry. Raises ValueError when the file contradicts itself."""
    entries = {}
    for name, raw in yaml.safe_load(TABLE.read_text()).items():
        without_effect = raw.get("recorded", {}), raw.get("ignored", {})
        entry = TypeEntry(name, raw["level"], raw["note"], frozenset(raw.get("applied", [])), *without_effect)
        listed = [*entry.applied, *entry.recorded, *entry.ignored]
        wrong = {name for name in listed if listed.count(name) > 1}
        wrong |= {part for part in listed if "." in part and part.partition(".")[0] not in entry.applied}
        if entry.level not in LEVELS or wrong:
            raise ValueError(
                f"{TABLE.name}: {name}: level {entry.level!r}; listed twice, or parts of nothing: {sorted(wrong)}"
            )
        entries[name] = entry
    return entries


def check(resource_type: str, properties: dict[str, Any]) -> None:
    """Raise PropertyError, naming type, property and file, for anything the table does not account for."""
    entry = table().get(resource_type)
    if entry is None:
        raise PropertyError(
            f"The embedded AWS does not know how to treat {resource_type}. Say what it executes, records or ignores "
            f"of it in embedded_aws/cloudformation/{TABLE.name} (and register a handler if it must do something)."
        )
    unknown = sorted(set(properties) - entry.accepted)
    if unknown:
        raise PropertyError(
            f"{resource_type}: the embedded AWS would drop {', '.join(unknown)} in silence. Apply it, or list it under "
            f"`recorded` or `ignored` with the reason, in embedded_aws/cloudformation/{TABLE.name}."
        )


def guard(handlers: dict[str, dict[str, Any]]) -> None:
    """Put the check before creation and update of every type that ministack or we handle."""
    for resource_type, handler in handlers.items():
        if resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource":
            continue  # their properties are the function's business
        if "create" in handler:
            handler["create"] = _checked_create(resource_type, handler["create"])
        if "update" in handler:
            handler["update"] = _checked_update(resource_type, handler["update"])


def _checked_create(resource_type: str, inner: Any) -> Any:
    def create(logical_id: str, properties: dict[str, Any], stack: str, *more: Any) -> Any:
        check(resource_type, properties)
        physical_id, attributes = inner(logical_id, properties, stack, *more)
        # Fn::GetAtt of a property that ministack forgot to return: AWS answers what the template set.
        scalars = {k: v for k, v in properties.items() if isinstance(v, str | int)}
        return physical_id, {**scalars, **(attributes or {})}

    return create


def _checked_update(resource_type: str, inner: Any) -> Any:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any) -> Any:
        check(resource_type, new)
        physical_id, attributes = inner(physical_id, old, new, *more)
        return physical_id, {**{k: v for k, v in new.items() if isinstance(v, str | int)}, **(attributes or {})}

    return update
