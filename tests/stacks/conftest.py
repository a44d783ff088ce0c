"""One synth per environment and test session, in process: no account, no network, no CLI."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import assemblies, node

os.environ.update(node.environment())  # before CDK starts Node

ENVIRONMENTS = ("dev", "prod")


class Assembly:
    """A synthesized environment, and how tests look into it."""

    def __init__(self, environment: str, folder: Path) -> None:
        self.environment, self.folder = environment, folder
        self.templates = assemblies.templates(folder)
        self.definitions = assemblies.definitions(folder)

    def of(self, kind: str) -> dict[str, dict]:
        """Properties of every resource of a type, by `<template>/<logical id>`."""
        return {where: resource.get("Properties", {}) for where, resource in assemblies.resources(self.folder, kind)}

    def one(self, kind: str, **wanted: object) -> dict:
        """The properties of the one resource of a type that has these property values."""
        found = [p for p in self.of(kind).values() if all(assemblies.plain(p.get(k)) == v for k, v in wanted.items())]
        assert len(found) == 1, f"{len(found)} of {kind} with {wanted} in {self.environment}"
        return found[0]

    def everything(self) -> Iterator[tuple[str, dict]]:
        yield from assemblies.resources(self.folder)

    def statements(self, role: str) -> list[dict]:
        """All policy statements of the role with this name suffix (`run-control`)."""
        name = f"solvent-{self.environment}-{role}"
        ids = [w for w, p in self.of("AWS::IAM::Role").items() if p.get("RoleName") == name]
        assert len(ids) == 1, f"{len(ids)} roles are named {name}"
        template, _, logical_id = ids[0].partition("/")
        return [
            statement
            for where, policy in self.of("AWS::IAM::Policy").items()
            if where.startswith(template) and {"Ref": logical_id} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def actions(self, role: str) -> set[str]:
        found: set[str] = set()
        for statement in self.statements(role):
            actions = statement["Action"]
            found |= {actions} if isinstance(actions, str) else set(actions)
        return found


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    from stacks import synthesis

    found = {}
    for environment in ENVIRONMENTS:
        folder = tmp_path_factory.mktemp("assembly") / environment
        synthesis.in_process(environment, folder).synth()
        found[environment] = Assembly(environment, folder)
    return found


@pytest.fixture(params=ENVIRONMENTS)
def assembly(request: pytest.FixtureRequest, synthesized: dict[str, Assembly]) -> Assembly:
    return synthesized[request.param]


@pytest.fixture
def dev(synthesized: dict[str, Assembly]) -> Assembly:
    return synthesized["dev"]


@pytest.fixture
def prod(synthesized: dict[str, Assembly]) -> Assembly:
    return synthesized["prod"]
