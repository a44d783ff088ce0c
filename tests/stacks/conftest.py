"""One synth per environment and test session, in process: no account, no network, no CLI."""

import os

import pytest

from gates.assembly import ENVIRONMENTS, Assembly
from scripts import node

os.environ.update(node.environment())  # before CDK starts Node


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
