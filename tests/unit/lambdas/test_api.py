import json
from typing import Any

from fakes import Runtime, client_error, load_handler


def invoke(method: str, path: str, body: str | None = None, answer: Any = lambda _: "{}") -> Any:
    function = load_handler("api")
    function.api._runtime = Runtime(answer)
    request = {
        "version": "2.0",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path}, "requestId": "id"},
        "isBase64Encoded": False,
        **({"body": body} if body is not None else {}),
    }
    return function.handler(request, None)


def test_health_tells_environment_and_version() -> None:
    assert json.loads(invoke("GET", "/v1/health")["body"]) == {"status": "ok", "version": "0.1.0", "environment": "dev"}


def test_a_score_comes_from_the_portfolios_endpoint() -> None:
    answer = invoke("POST", "/v1/score", "{}", lambda r: json.dumps({"endpoint": r["EndpointName"]}))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"endpoint": "solvent-dev-lending"})


def test_without_a_model_the_answer_is_503_and_says_so() -> None:
    def absent(_: Any) -> str:
        raise client_error("ValidationError", "Endpoint solvent-dev-lending of account 123456789012 not found.")

    answer = invoke("POST", "/v1/score", "{}", absent)
    assert answer["statusCode"] == 503
    assert "no model yet" in answer["body"]


def test_the_function_answers_before_its_own_time_is_over() -> None:
    """botocore's `max_attempts` does not count the first attempt: three of twelve seconds would be longer than 29."""
    config = load_handler("api").api._runtime.meta.config
    attempts = config.retries["total_max_attempts"]
    longest_backoff = 1
    assert attempts == 2
    assert attempts * (config.connect_timeout + config.read_timeout) + longest_backoff < 29
