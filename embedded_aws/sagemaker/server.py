"""A serving container in miniature: /ping and /invocations around the model's own inference script.

Run as `python server.py <model folder> <code folder> <program>`; prints `ready <port>` once the model is loaded, and
ends when its standard input closes, that is with the process that started it. One process: an ASGI application without
a framework, on uvicorn with uvloop and httptools. Imports nothing of this package: it runs under the model's paths.

The script's functions are those of AWS's toolkits: model_fn and either transform_fn(model, body, content type, accept)
or input_fn, predict_fn and output_fn. `sagemaker_inference.errors.BaseInferenceToolkitError` is here as it is in the
container: raising it answers with its status, any other exception with 500; both with message and stack trace.
"""

import asyncio
import gc
import importlib.util
import os
import socket
import sys
import threading
import traceback
import types
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

JSON = "application/json"
# Above this a request is answered in a thread, so that a long one does not hold up the health check.
INLINE_BYTES = 64 * 1024
DAY = 86_400

Message = dict[str, Any]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Any]
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


def application(answer: Answer) -> Application:
    """/ping and /invocations as ASGI."""

    async def respond(scope: Message, receive: Callable[[], Awaitable[Message]]) -> tuple[int, bytes, str]:
        if scope["method"] == "GET":
            return 200 if scope["path"] == "/ping" else 404, b"", JSON
        message = await receive()
        body = message["body"]
        if message["more_body"]:
            parts = [body]
            while message["more_body"]:
                message = await receive()
                parts.append(message.get("body", b""))
            body = b"".join(parts)
        kind = accept = JSON
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind = value.decode("latin-1")
            elif name == b"accept":
                accept = value.decode("latin-1") or JSON
        if len(body) > INLINE_BYTES:
            return await asyncio.to_thread(answer, body, kind, accept)
        return answer(body, kind, accept)

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        status, body, kind = await respond(scope, receive)
        headers = [(b"content-type", kind.encode("latin-1")), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def serve(answer: Answer) -> None:
    """Answer on a free port of the loopback until the process ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    config = uvicorn.Config(
        application(answer),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=DAY,  # who calls keeps connections for later
        timeout_graceful_shutdown=3,
    )
    print(f"ready {listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    provide_errors()
    model_folder, code_folder, program = sys.argv[1:4]
    os.chdir(code_folder)
    answer = load(model_folder, code_folder, program)
    threading.Thread(target=end_with_parent, daemon=True).start()
    gc.collect()
    gc.freeze()  # the model and the modules stay: no collection need look at them again
    serve(answer)


if __name__ == "__main__":
    main()
