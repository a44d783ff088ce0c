"""The servers that are compared, each one process on a port of the loopback."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow.sklearn
from sklearn.pipeline import Pipeline

from embedded_aws.sagemaker import processes, server

ROOT = Path(__file__).parents[2]
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
START_SECONDS = 120
_ECHO = """
import json
def model_fn(folder): return None
def transform_fn(model, body, content_type, accept):
    json.loads(body)
    return body, content_type
"""
# What sagemaker-containers' worker does of a request, without nginx in front of it and without its own routes.
_FLASK = """
import os
import flask, inference
app, model = flask.Flask("worker"), inference.model_fn(os.environ["SM_MODEL_DIR"])
@app.post("/invocations")
def invocations():
    asked = flask.request
    answer, kind = inference.transform_fn(model, asked.get_data(), asked.content_type, asked.headers.get("accept"))
    return flask.Response(response=answer, status=200, mimetype=kind)
"""


@contextmanager
def container(model: Path) -> Iterator[int]:
    """The embedded AWS' serving container, started as `embedded_aws.sagemaker.container` does."""
    code = model / "code"
    command = [sys.executable, server.__file__, str(model), str(code), "inference.py"]
    paths = os.pathsep.join([str(processes.SANDBOX), str(code)])
    environment = {**os.environ, "PYTHONPATH": paths, "SOLVENT_NETWORK": "none", "MODEL_VERSION": "7"}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline().split()[1])
    finally:
        process.terminate()
        process.wait()


@contextmanager
def echo(folder: Path) -> Iterator[int]:
    """The same server with a script that parses the body and sends it back."""
    (folder / "code").mkdir(parents=True)
    (folder / "code/inference.py").write_text(_ECHO)
    with container(folder) as port:
        yield port


@contextmanager
def gunicorn(model: Path) -> Iterator[int]:
    """The same inference.py on gunicorn and Flask, the server of AWS's XGBoost container (sagemaker-containers)."""
    (model / "code/worker.py").write_text(_FLASK)
    port = _free()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
               "--threads", "8", "--keep-alive", "60", "worker:app"]  # fmt: skip
    with _started(command, port, {"SM_MODEL_DIR": str(model), "MODEL_VERSION": "7"}, model / "code"):
        yield port


@contextmanager
def mlflow_serving(pipeline: Pipeline, folder: Path) -> Iterator[int]:
    """`mlflow models serve` with one worker, in this environment."""
    shutil.rmtree(folder, ignore_errors=True)
    mlflow.sklearn.save_model(
        pipeline, folder, pip_requirements=[], pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
    )
    port = _free()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(folder), "--port", str(port),
               "--host", "127.0.0.1", "--env-manager", "local", "--workers", "1"]  # fmt: skip
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with _started(command, port, {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "PATH": scripts}, ROOT):
        yield port


@contextmanager
def _started(command: list[str], port: int, more: dict[str, str], folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, port)
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ping")
            connection.getresponse()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{process.args} did not start.")


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def post(port: int, body: bytes) -> bytes:
    """One answer; SystemExit for a refusal."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/invocations", body, HEADERS)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"Refused: {answer.status} {content[:500]!r}")
    return content


def raw(body: bytes) -> bytes:
    """The bytes of a request for the load generator."""
    lines = ["POST /invocations HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
