"""The vocabulary of faults: each word makes one change to a resource of a template, or says that it cannot.

Paths are dotted; a number is a place in a list (`ConfigParameters.0.ParameterValue`).
"""

from collections.abc import Callable
from typing import Any

from gates.assembly import as_list
from gates.faults.definition import closed, opened

Json = dict[str, Any]
Change = Callable[[Json], None]
_DOCUMENTS = ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")


class NoTarget(Exception):
    """The fault has nothing to be seeded into: what it names is not in the assembly."""


def put(path: str, value: Any) -> Change:
    """Set a property, new or not; what it lies in must exist."""
    return lambda resource: _put(resource["Properties"], path, value)


def drop(path: str) -> Change:
    """Remove a property."""
    return lambda resource: _drop(resource["Properties"], path)


def append(path: str, value: Any) -> Change:
    """Add to a list among the properties."""
    return lambda resource: _at(resource["Properties"], path.split(".")).append(value)


def attribute(name: str, value: Any) -> Change:
    """Set what stands beside the properties: `DeletionPolicy`, `DependsOn`. In a stack: `Resources.<id>`."""
    return lambda resource: _put(resource, name, value)


def without_attribute(name: str) -> Change:
    """Remove what stands beside the properties. In a stack: `Outputs.<id>`."""
    return lambda resource: _drop(resource, name)


def state(name: str, path: str, value: Any) -> Change:
    """Set a field of a state of a state machine; the machine's own where `name` is empty."""
    return lambda resource: _edit(resource, name, lambda found: _put(found, path, value))


def without_state_field(name: str, path: str) -> Change:
    """Remove a field of a state of a state machine."""
    return lambda resource: _edit(resource, name, lambda found: _drop(found, path))


def statement(**given: Any) -> Change:
    """Add a statement to a role's, key's, bucket's, topic's or queue's policy, or to a trust policy."""
    return lambda resource: _statements(resource).append({"Effect": "Allow", **given})


def changed_statement(action: str, path: str, value: Any, **wanted: Any) -> Change:
    """Set a key of the first statement with this action, and with these values (`Sid="..."`)."""
    return lambda resource: _put(_with_action(resource, action, **wanted), path, value)


def widened_statement(action: str, path: str, **wanted: Any) -> Change:
    """Remove a key, such as the condition, of the first statement with this action, and with these values."""
    return lambda resource: _drop(_with_action(resource, action, **wanted), path)


def without_statement(action: str, **wanted: Any) -> Change:
    """Remove the first statement with this action, and with these values."""
    return lambda resource: _statements(resource).remove(_with_action(resource, action, **wanted))


def without_action(action: str) -> Change:
    """Remove an action from the first statement that has it; the statement, too, when nothing is left in it."""

    def change(resource: Json) -> None:
        found = _with_action(resource, action)
        found["Action"] = [a for a in as_list(found["Action"]) if a != action]
        if not found["Action"]:
            _statements(resource).remove(found)

    return change


def another_action(action: str, beside: str) -> Change:
    """Add an action to the first statement that has the other one."""

    def change(resource: Json) -> None:
        found = _with_action(resource, beside)
        found["Action"] = [*as_list(found["Action"]), action]

    return change


def _at(node: Any, keys: list[str]) -> Any:
    for key in keys:
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise NoTarget(f"there is no {key} of {'.'.join(keys)}") from None
    return node


def _put(node: Any, path: str, value: Any) -> None:
    *way, last = path.split(".")
    parent = _at(node, way)
    if isinstance(parent, list):
        _at(parent, [last])
        parent[int(last)] = value
    else:
        parent[last] = value


def _drop(node: Any, path: str) -> None:
    *way, last = path.split(".")
    parent = _at(node, way)
    _at(parent, [last])
    del parent[int(last) if isinstance(parent, list) else last]


def _edit(machine: Json, name: str, change: Change) -> None:
    definition, references = opened(machine["Properties"]["DefinitionString"])
    change(_at(definition, ["States", name]) if name else definition)
    machine["Properties"]["DefinitionString"] = closed(definition, references)


def _statements(resource: Json) -> list[Json]:
    for name in _DOCUMENTS:
        if name in resource["Properties"]:
            found: list[Json] = resource["Properties"][name]["Statement"]
            return found
    raise NoTarget(f"{resource['Type']} has no policy")


def _with_action(resource: Json, action: str, **wanted: Any) -> Json:
    for found in _statements(resource):
        if action in as_list(found.get("Action", [])) and all(found.get(k) == v for k, v in wanted.items()):
            return found
    raise NoTarget(f"no statement has {action}")
