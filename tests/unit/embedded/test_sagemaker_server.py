"""The serving process answers as AWS's containers do, and ends with the process that started it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws.sagemaker import server

SCRIPT = """
import json
from pathlib import Path

def model_fn(folder):
    return json.loads((Path(folder) / "model.json").read_text())

def transform_fn(model, body, content_type, accept):
    request = json.loads(body)
    if "x" not in request:
        from sagemaker_inference.errors import BaseInferenceToolkitError
        raise BaseInferenceToolkitError(422, json.dumps({"field": "x"}), "Invalid")
    return json.dumps({"y": model["weight"] * request["x"], "asked": [content_type, accept]}), "application/json"
"""
STEPS = """
def model_fn(folder): return 10
def input_fn(body, content_type): return int(body)
def predict_fn(data, model): return data + model
def output_fn(prediction, accept): return str(prediction)
"""


class Served:
    def __init__(self, folder: Path, script: str) -> None:
        (folder / "code").mkdir()
        (folder / "model.json").write_text('{"weight": 3}')
        (folder / "code/inference.py").write_text(script)
        command = [sys.executable, server.__file__, str(folder), str(folder / "code"), "inference.py"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        word, port = self.process.stdout.readline().split()
        assert word == "ready"
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)

    def post(self, body: bytes) -> tuple[int, bytes, str | None]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self.connection.request("POST", "/invocations", body, headers)
        response = self.connection.getresponse()
        return response.status, response.read(), response.getheader("Content-Type")

    def end(self) -> int:
        """What the end of the parent does to it."""
        assert self.process.stdin
        self.connection.close()
        self.process.stdin.close()
        return self.process.wait(timeout=5)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, SCRIPT)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.contract(
    "sagemaker.invocations",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html",
    says="A model container answers POST requests to /invocations (on AWS at port 8080).",
)
def test_transform_fn_answers(served: Served) -> None:
    status, body, kind = served.post(b'{"x": 2}')
    assert (status, kind) == (200, "application/json")
    assert json.loads(body) == {"y": 6, "asked": ["application/json", "application/json"]}


def test_a_refusal_keeps_its_status_and_message(served: Served) -> None:
    """And the stack trace follows the message, as sagemaker-inference has it: who reads the answer must cope."""
    status, body, _ = served.post(b"{}")
    message, _, trace = body.decode().partition("\n")
    assert (status, json.loads(message)) == (422, {"field": "x"})
    assert trace.startswith("Traceback (most recent call last):") and "BaseInferenceToolkitError" in trace


def test_any_other_exception_is_a_500_and_the_server_lives_on(served: Served) -> None:
    status, body, _ = served.post(b"no json")
    assert status == 500 and body.startswith(b"Expecting value") and b"Traceback" in body
    assert served.post(b'{"x": 1}')[0] == 200, "same connection, next request"


def test_a_large_body_arrives_whole_and_its_errors_too(served: Served) -> None:
    """It comes in several pieces, and is answered in a thread."""
    status, body, _ = served.post(json.dumps({"x": 2, "filling": "x" * 3_000_000}).encode())
    assert (status, json.loads(body)["y"]) == (200, 6)
    assert served.post(b'{"filling": "' + b"x" * 3_000_000)[0] == 500
    assert served.post(b'{"y": "' + b"x" * 3_000_000 + b'"}')[0] == 422


def test_it_ends_when_told_to_though_connections_are_open(served: Served) -> None:
    served.post(b'{"x": 1}')
    served.process.terminate()
    assert served.process.wait(timeout=3) in (0, -15)


@pytest.mark.contract(
    "sagemaker.ping",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html",
    says="A container that is well answers GET /ping with 200.",
)
def test_ping(served: Served) -> None:
    served.connection.request("GET", "/ping")
    assert served.connection.getresponse().status == 200


def test_it_ends_with_its_parent(served: Served) -> None:
    assert served.end() == 0


@pytest.mark.contract(
    "sagemaker.handlers",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/adapt-inference-container.html",
    says="The toolkit calls input_fn, predict_fn and output_fn, or one transform_fn in their place.",
)
def test_the_three_step_contract(tmp_path: Path) -> None:
    served = Served(tmp_path, STEPS)
    assert served.post(b"32")[:2] == (200, b"42")
    served.end()
