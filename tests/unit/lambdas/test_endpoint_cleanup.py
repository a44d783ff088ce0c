from typing import Any

import pytest
from fakes import AutoScaling, load_handler

from examples import populated
from solvent import custom_resource

EVENT = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "Cleanup", "ResponseURL": "https://answer.example"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "send", lambda url, body: found.append(dict(body)))
    return found


@pytest.mark.parametrize(("kind", "endpoints"), [("Create", 1), ("Update", 1), ("Delete", 0)])
def test_only_delete_deletes(kind: str, endpoints: int, answers: list[dict[str, Any]]) -> None:
    function = load_handler("endpoint_cleanup")
    sagemaker = populated()
    function.cleanup._sagemaker, function.cleanup._autoscaling = sagemaker, AutoScaling()
    function.cleanup._sleep = lambda _: None
    function.handler({**EVENT, "RequestType": kind, "ResourceProperties": {"DeleteModelPackages": "true"}}, None)
    assert len(sagemaker.endpoints) == endpoints
    assert len(sagemaker.packages) == 3 * endpoints
    assert answers[0]["Status"] == "SUCCESS"
    assert answers[0]["PhysicalResourceId"] == "solvent-dev-endpoint-cleanup"
