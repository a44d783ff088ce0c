import json
from typing import Any

import pytest

from solvent import custom_resource

EVENT = {
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Thing",
    "ResponseURL": "https://answer.example",
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(custom_resource, "send", lambda url, body: found.append((url, dict(body))))
    return found


def test_success_carries_the_result_and_a_stable_id(sent: list[Any]) -> None:
    custom_resource.answer(EVENT, physical_id="thing", work=lambda: {"Applied": "0001"})
    url, body = sent[0]
    assert url == "https://answer.example"
    assert body["Status"] == "SUCCESS"
    assert body["PhysicalResourceId"] == "thing"
    assert body["Data"] == {"Applied": "0001"}


def test_a_failure_is_an_answer_with_the_reason_and_not_an_exception(sent: list[Any]) -> None:
    def work() -> dict[str, str]:
        raise ValueError("the reason " + "x" * 10_000)

    custom_resource.answer(EVENT, physical_id="thing", work=work)
    body = sent[0][1]
    assert body["Status"] == "FAILED"
    assert body["Reason"].startswith("ValueError: the reason")
    assert len(json.dumps(body)) < 4096  # CloudFormation drops a longer answer, and waits for an hour


def test_the_answer_is_put_with_the_content_type_that_was_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Any] = []

    class Response:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def urlopen(request: Any, timeout: float) -> Response:
        requests.append(request)
        return Response()

    monkeypatch.setattr(custom_resource.urllib.request, "urlopen", urlopen)
    custom_resource.send("https://answer.example/x", {"Status": "SUCCESS", "LogicalResourceId": "Thing"})
    assert requests[0].get_method() == "PUT"
    assert requests[0].headers["Content-type"] == ""
    assert json.loads(requests[0].data)["Status"] == "SUCCESS"
