"""The assemblies that `make synth` wrote deploy as they are, dev and prod."""

import json
from pathlib import Path

import pytest

from solvent import deployment
from solvent.client import Platform
from solvent.target import Target

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]


def stacks_of(assembly: Path) -> list[str]:
    manifest = json.loads((assembly / "manifest.json").read_text())
    return [name for name, a in manifest["artifacts"].items() if a["type"] == "aws:cloudformation:stack"]


def complete(target: Target, assembly: Path) -> dict[str, str]:
    listed = target.client("cloudformation").describe_stacks()["Stacks"]
    wanted = set(stacks_of(assembly))
    return {s["StackName"]: s["StackStatus"] for s in listed if s["StackName"] in wanted}


def test_dev_deploys_whole(platform: Platform) -> None:
    found = complete(platform.target, ROOT / "cdk.out" / "dev")
    assert set(found) == set(stacks_of(ROOT / "cdk.out" / "dev"))
    assert set(found.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_prod_deploys_whole(platform: Platform, tmp_path: Path) -> None:
    assert platform.target.endpoint_url
    target = Target.at(platform.target.endpoint_url, "prod")
    assembly = ROOT / "cdk.out" / "prod"
    deployment.bootstrap(target, assembly, tmp_path / "bootstrap.log")
    deployment.deploy(target, assembly, tmp_path / "deploy.log")
    found = complete(target, assembly)
    assert set(found) == set(stacks_of(assembly))
    assert set(found.values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
