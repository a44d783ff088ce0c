"""A warm execution environment of a Python function, in place of ministack's own.

ministack reports every exception as `Runtime.HandlerError`, so that Retry and Catch by name never match, and ends the
worker; it shows the function all packages of the laptop; it waits 50 ms for log lines that never come.
"""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import uuid
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from embedded_aws import adapter
from embedded_aws.functions import environment

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_END_OF_LOG = f"--- end of invocation {uuid.uuid4()} ---"

faults = threading.local()  # `.last`: what the invocation on this thread failed with


def python_worker() -> type:
    """The worker class for Python functions, built on ministack's, whose pool it lives in."""

    class PythonWorker(adapter.WORKER.get()):  # type: ignore[misc]
        """One process; one invocation at a time."""

        def _spawn(self) -> None:
            self._discard_tmpdir()
            self._tmpdir = tempfile.mkdtemp(prefix=f"lambda-{self.func_name}-")
            code = Path(self._tmpdir) / "code"
            with zipfile.ZipFile(BytesIO(self.code_zip)) as archive:
                archive.extractall(code)
            layers = environment.unpack_layers(self.config, Path(self._tmpdir))
            process = self._proc = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(_BOOTSTRAP)],
                cwd=code,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                bufsize=1,
                env=environment.variables(self.config, code, uuid.uuid4().hex),
            )
            self._stderr_queue: queue.Queue[str] = queue.Queue()
            self._stderr_thread = threading.Thread(target=self._read_stderr, daemon=True)
            self._stderr_thread.start()
            module, handler = self.config.get("Handler", "index.handler").replace("/", ".").rsplit(".", 1)
            start = {
                "path": environment.search_path(code, layers),
                "module": module,
                "handler": handler,
                "timeout": self.config.get("Timeout", 3),
                "end_of_log": _END_OF_LOG,
            }
            assert process.stdin is not None and process.stdout is not None  # for the type checker: both are pipes
            process.stdin.write(json.dumps(start) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            answer = json.loads(line) if line.startswith("{") else {"fault": self._died()}
            if "fault" in answer:
                faults.last = answer["fault"]
                raise RuntimeError(answer["fault"]["errorMessage"])

        def _died(self) -> dict[str, Any]:
            return {"errorType": "Runtime.ExitError", "errorMessage": self._drain_stderr() or "Runtime exited"}

        def invoke(self, event: Any, request_id: str, **ignored: Any) -> dict[str, Any]:
            faults.last = None
            answer = super().invoke(event, request_id, **ignored)
            if answer.get("fault"):
                faults.last = answer["fault"]
                return {**answer, "status": "error", "error": answer["fault"]["errorMessage"]}
            return answer

        def _drain_stderr_bounded(self, *_: Any, **__: Any) -> str:
            lines = []
            while True:
                try:
                    line = self._stderr_queue.get(timeout=2 if self._proc is not None else 0.05)
                except queue.Empty:
                    break
                if line == _END_OF_LOG:
                    break
                lines.append(line)
            return "\n".join(lines)

    return PythonWorker


def name_the_fault(inner: Any, function: Any, event: Any, request_id: str) -> dict[str, Any]:
    """Around ministack's execution of a warm function: the answer carries the exception's own name and trace."""
    faults.last = None
    result = inner(function, event, request_id)
    fault = faults.last
    if result.get("error") and fault:
        result["body"] = {**fault, "requestId": request_id}
    return result


def install() -> None:
    """Python functions run in our workers; other runtimes stay with ministack."""
    ours = python_worker()

    def choose(inner: Any, config: dict[str, Any]) -> type:
        return ours if str(config.get("Runtime", "")).startswith("python") else inner(config)

    adapter.WORKER_CLASS.wrap(choose)
    adapter.EXECUTE_WARM.wrap(name_the_fault)
