"""What AWS does with a role beside what our code calls: the entries of tests/stacks/implicit_actions.yaml, applied."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gates.assembly import ROOT, Assembly
from gates.iam import calls
from gates.iam.roles import Role, User, tasks, text

ENTRIES = ROOT / "tests" / "stacks" / "implicit_actions.yaml"


@dataclass(frozen=True)
class Entry:
    """One integration or feature: `when` it is there, AWS does `actions` with the role, as `page` says."""

    name: str
    when: tuple[Mapping[str, Any], ...]
    actions: frozenset[str]
    page: str
    only: str | None = None


@cache
def entries(path: Path = ENTRIES) -> tuple[Entry, ...]:
    """All entries, as they are in the file."""
    return tuple(
        Entry(item["name"], tuple(item["when"]), frozenset(item["actions"]), item["page"], item.get("only"))
        for item in yaml.safe_load(path.read_text())
    )


class Implicit:
    """The entries, applied to the roles of one assembly."""

    def __init__(self, assembly: Assembly, root: Path = ROOT) -> None:
        self._root = root
        self._tasks = [task.task for machine in tasks(assembly).values() for task in machine]
        self._encrypted = _encrypted(assembly)
        self._options = _options(assembly)

    def of(self, role: Role, called: set[str]) -> dict[str, frozenset[str]]:
        """Name of entry -> actions, of all entries that hold; one may bring about the next (S3, then its key)."""
        found: dict[str, frozenset[str]] = {}
        while True:
            needed = called.union(*found.values())
            more = {entry.name: entry.actions for entry in entries() if self._holds(entry, role, needed)}
            if more == found:
                return found
            found = more

    def _holds(self, entry: Entry, role: Role, needed: set[str]) -> bool:
        return any(self._fits(condition, user, role, needed) for condition in entry.when for user in role.users)

    def _fits(self, condition: Mapping[str, Any], user: User, role: Role, needed: set[str]) -> bool:
        tests = {
            "user": lambda kind: user.kind == kind,
            "task": lambda pattern: fnmatchcase(user.task, pattern),
            "has": lambda path: bool(_at(user.properties, path)),
            "lacks": lambda path: not any(_at(other.properties, path) for other in role.users),
            "equals": lambda values: all(_at(user.properties, path) == value for path, value in values.items()),
            "needs": lambda pattern: any(fnmatchcase(action, pattern) for action in needed),
            "encrypted": lambda kind: kind in self._encrypted,
            "option": lambda name: name in self._options,
            "says": lambda words: words in calls.texts(user, self._root),
            "elsewhere": lambda pattern: any(fnmatchcase(task, pattern) for task in self._tasks),
        }
        return all(tests[name](wanted) for name, wanted in condition.items())


def _options(assembly: Assembly) -> set[str]:
    """The options of the warehouse that are on."""
    made = assembly.of("Custom::WarehouseMigrations").values()
    return {name for properties in made for name in str(properties.get("Options", "")).split(",")}


def _encrypted(assembly: Assembly) -> set[str]:
    """Types of which some resource names a key of our own."""
    keys = [f"<{where}>" for where in assembly.of("AWS::KMS::Key")]
    return {
        resource["Type"]
        for where, resource in assembly.everything()
        if _names(keys, json.dumps(text(assembly, where, resource.get("Properties", {}))))
    }


def _names(keys: Iterable[str], written: str) -> bool:
    return any(key in written for key in keys)


def _at(properties: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, also where it is a path of a state's input (`RoleArn.$`); None without one."""
    value: Any = properties
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part, value.get(f"{part}.$"))
    return value
