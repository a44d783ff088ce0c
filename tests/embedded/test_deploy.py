"""The assemblies that `make synth` wrote deploy as they are, dev and prod."""

import json
from pathlib import Path

import pytest

from solvent.client import Platform

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]


def stacks_of(assembly: Path) -> list[str]:
    manifest = json.loads((assembly / "manifest.json").read_text())
    return [name for name, a in manifest["artifacts"].items() if a["type"] == "aws:cloudformation:stack"]


def assert_deployed_whole(platform: Platform, assembly: Path) -> None:
    wanted = set(stacks_of(assembly))
    found = {stack["StackName"]: stack["StackStatus"] for stack in platform.stacks() if stack["StackName"] in wanted}
    assert set(found) == wanted
    assert set(found.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_dev_deploys_whole(platform: Platform) -> None:
    assert_deployed_whole(platform, ROOT / "cdk.out" / "dev")


def test_prod_deploys_whole(prod: Platform) -> None:
    assert_deployed_whole(prod, ROOT / "cdk.out" / "prod")
