import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from fakes import Runtime, client_error
from hypothesis import given
from hypothesis import strategies as st

from solvent.web import LARGEST_BODY, Api


def request(route: str, body: Any = None, **more: Any) -> dict[str, Any]:
    method, path = route.split()
    return {
        "rawPath": path,
        "requestContext": {"http": {"method": method}, "requestId": "abc"},
        "headers": {"Content-Type": "application/json"},
        "body": body,
        **more,
    }


def api(answer: Any = lambda _: "{}") -> tuple[Api, Runtime]:
    runtime = Runtime(answer)
    return Api(runtime=runtime, endpoint="solvent-dev-lending", environment="dev", version="1.2"), runtime


def fail(error: Exception) -> Any:
    def answer(_: Any) -> str:
        raise error

    return answer


def test_health_is_open_and_asks_no_model() -> None:
    server, runtime = api()
    answer = server.respond(request("GET /v1/health"))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok", "version": "1.2", "environment": "dev"}
    assert runtime.requests == []


def test_a_score_is_the_endpoints_answer_word_for_word() -> None:
    server, runtime = api(lambda r: '{"probability": 0.25}' if r["Body"] == b'{"amount": 1}' else "wrong")
    answer = server.respond(request("POST /v1/score", '{"amount": 1}'))
    assert (answer["statusCode"], answer["body"]) == (200, '{"probability": 0.25}')
    assert answer["headers"]["x-request-id"] == "abc"
    assert runtime.requests[0]["EndpointName"] == "solvent-dev-lending"
    encoded = base64.b64encode(b'{"amount": 1}').decode()
    assert server.respond(request("POST /v1/score", encoded, isBase64Encoded=True))["body"] == '{"probability": 0.25}'


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": None}, 400),
        ({"body": "  "}, 400),
        ({"body": "%%%", "isBase64Encoded": True}, 400),
        ({"body": "x" * (LARGEST_BODY + 1)}, 413),
        ({"body": "1,2", "headers": {"content-type": "text/csv"}}, 415),
        ({"rawPath": "/v1/nothing"}, 404),
    ],
)
def test_a_request_that_is_no_request_never_reaches_the_model(change: dict[str, Any], status: int) -> None:
    server, runtime = api()
    answer = server.respond(request("POST /v1/score", "{}") | change)
    assert answer["statusCode"] == status
    assert "error" in json.loads(answer["body"])
    assert runtime.requests == []


TRACE = (
    '\nTraceback (most recent call last):\n  File "/opt/ml/model/code/inference.py", line 27\nInvalidRequest: amount\n'
)


@pytest.mark.parametrize("trace", ["", TRACE])  # Flask's toolkit answers without, MMS's with the stack trace
@pytest.mark.parametrize("status", [400, 413, 422])
def test_the_models_own_4xx_is_passed_on_with_its_field(status: int, trace: str) -> None:
    refusal = {"error": "amount: must be a number", "field": "amount"}
    message = json.dumps(refusal) + trace
    server, _ = api(
        fail(client_error("ModelError", "Received client error", OriginalStatusCode=status, OriginalMessage=message))
    )
    answer = server.respond(request("POST /v1/score", "{}"))
    assert answer["statusCode"] == status
    assert json.loads(answer["body"]) == refusal


def test_a_4xx_without_json_is_told_without_the_stack_trace() -> None:
    error = client_error("ModelError", "x", OriginalStatusCode=415, OriginalMessage="no such type" + TRACE)
    answer = api(fail(error))[0].respond(request("POST /v1/score", "{}"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (415, {"error": "no such type"})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (client_error("ModelError", "secret stack trace", OriginalStatusCode=500, OriginalMessage="secret"), 502),
        (client_error("ValidationError", "Endpoint solvent-dev-lending of account 123456789012 not found."), 503),
        (client_error("ThrottlingException", "secret"), 503),
        (client_error("AccessDeniedException", "secret arn"), 502),
        (ConnectTimeoutError(endpoint_url="https://secret"), 503),
    ],
)
def test_inner_failures_are_5xx_without_inner_details(error: Exception, status: int) -> None:
    server, _ = api(fail(error))
    answer = server.respond(request("POST /v1/score", "{}"))
    assert answer["statusCode"] == status
    assert "secret" not in answer["body"]
    assert ("retry-after" in answer["headers"]) == (status == 503)


def test_neither_applicant_nor_answer_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    server, _ = api(lambda _: '{"probability": 0.123456}')
    server.respond(request("POST /v1/score", '{"full_name": "Jane Doe"}'))
    logged = capsys.readouterr().out
    assert "Jane" not in logged
    assert "0.123456" not in logged
    assert json.loads(logged)["status"] == 200


@given(
    st.dictionaries(st.sampled_from(["body", "headers", "rawPath", "isBase64Encoded"]), st.none() | st.text(max_size=9))
)
def test_whatever_the_event_is_there_is_an_answer(change: dict[str, Any]) -> None:
    change.pop("headers", None)
    answer = api()[0].respond(request("POST /v1/score", "{}") | change)
    assert 200 <= answer["statusCode"] < 500
