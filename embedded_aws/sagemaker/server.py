"""A serving container in miniature: /ping and /invocations around the model's own inference script.

Run as `python server.py <model folder> <code folder> <program>`; prints `ready <port>` once the model is loaded, and
ends when its standard input closes, that is with the process that started it. Standard library only, and imports
nothing of this package: it runs under the model's paths.

The script's functions are those of AWS's toolkits: model_fn and either transform_fn(model, body, content type, accept)
or input_fn, predict_fn and output_fn. `sagemaker_inference.errors.BaseInferenceToolkitError` is here as it is in the
container: raising it answers with its status, any other exception with 500; both with message and stack trace.
"""

import importlib.util
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/json"

Answer = Callable[[bytes, str, str], tuple[int, bytes, str]]


class BaseInferenceToolkitError(Exception):
    """What a script raises to answer with a status of its own."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        super().__init__(message)
        self.status_code, self.message, self.phrase = status_code, message, phrase


def provide_errors() -> None:
    """Make the class importable by the name it has in the container."""
    package: Any
    errors: Any
    package, errors = types.ModuleType("sagemaker_inference"), types.ModuleType("sagemaker_inference.errors")
    errors.BaseInferenceToolkitError = BaseInferenceToolkitError
    package.errors = errors
    sys.modules.setdefault("sagemaker_inference", package)
    sys.modules.setdefault("sagemaker_inference.errors", errors)


def load(model_folder: str, code_folder: str, program: str) -> Answer:
    """A function (body, content type, accept) -> (status, body, content type)."""
    sys.path.insert(0, code_folder)
    specification: Any = importlib.util.spec_from_file_location("inference", os.path.join(code_folder, program))  # noqa: PTH118
    script: Any = importlib.util.module_from_spec(specification)
    sys.modules["inference"] = script
    specification.loader.exec_module(script)
    model = script.model_fn(model_folder)
    if hasattr(script, "transform_fn"):
        transform = script.transform_fn
    else:

        def transform(model: Any, body: bytes, content_type: str, accept: str) -> Any:
            return script.output_fn(script.predict_fn(script.input_fn(body, content_type), model), accept)

    def answer(body: bytes, content_type: str, accept: str) -> tuple[int, bytes, str]:
        try:
            result = transform(model, body, content_type, accept)
        except BaseInferenceToolkitError as error:
            return error.status_code, _with_trace(error.message), "text/plain"
        except Exception as error:
            print(traceback.format_exc(), file=sys.stderr, flush=True)
            return 500, _with_trace(str(error)), "text/plain"
        if hasattr(result, "get_data"):  # a Response of the Flask-based toolkit
            return result.status_code, result.get_data(), result.mimetype
        content, kind = result if isinstance(result, tuple) else (result, accept)
        return 200, content if isinstance(content, bytes) else str(content).encode(), kind

    return answer


def _with_trace(message: str) -> bytes:
    """The message and the stack trace, as sagemaker-inference (`Transformer.handle_error`) answers with."""
    return f"{message}\n{traceback.format_exc()}".encode()


class Handler(BaseHTTPRequestHandler):
    """/ping and /invocations, on connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body leave in one packet
    answer: Answer

    def do_GET(self) -> None:  # noqa: N802
        self._reply(200 if self.path == "/ping" else 404, b"", JSON)

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._reply(
            *type(self).answer(body, self.headers.get("Content-Type", JSON), self.headers.get("Accept") or JSON)
        )

    def _reply(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """A thread per connection."""

    daemon_threads = True
    request_queue_size = 128


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    provide_errors()
    model_folder, code_folder, program = sys.argv[1:4]
    os.chdir(code_folder)
    Handler.answer = staticmethod(load(model_folder, code_folder, program))
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=end_with_parent, daemon=True).start()
    print(f"ready {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
