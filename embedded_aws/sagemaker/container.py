"""A model's serving container: fetched, started, called, stopped."""

import http.client
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import artifacts, processes
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.sagemaker.roles import check_pull

Json = dict[str, Any]

START_SECONDS = 60
_SERVER = Path(__file__).with_name("server.py")


class Container:
    """One running server process of a model. Start it with `start`; `invoke` may be called from many threads."""

    def __init__(self, work: Path, process: "subprocess.Popen[str]", logs: processes.Logs) -> None:
        self._work, self._process, self._logs = work, process, logs
        self._port = 0
        self._tail: deque[str] = deque(maxlen=30)
        self._ready = threading.Event()
        self._idle: queue.SimpleQueue[http.client.HTTPConnection] = queue.SimpleQueue()
        self._busy, self._lock = 0, threading.Lock()

    @classmethod
    def start(
        cls, model: Json, name: str, *, log_group: str, log_stream: str, variables: Json | None = None
    ) -> "Container":
        """Fetch a model's artifact and start its server; returns once the model is loaded. Raises JobError."""
        definition = model["PrimaryContainer"]
        try:
            check_pull(model["ExecutionRoleArn"], definition["Image"])
        except service.ApiError as denied:
            raise JobError(f"could not be pulled: {denied.message}") from denied
        work = artifacts.clean(processes.folder("serving", name))
        given = {**definition.get("Environment", {}), **(variables or {})}
        code = _fetch(model, work, given)
        program = given.get("SAGEMAKER_PROGRAM", "inference.py")
        if not (code / program).is_file():
            raise JobError(f"The inference script {program} is missing in the model's code")
        environment = processes.environment(
            model["ExecutionRoleArn"],
            work,
            code,
            {"SM_MODEL_DIR": work / "model", "SAGEMAKER_BATCH": "false", **given},
            isolated=model.get("EnableNetworkIsolation", False),
        )
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(_SERVER), str(work / "model"), str(code), program],
            env=environment,
            cwd=work,
            stdin=subprocess.PIPE,  # closes when this process ends, however it ends
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        container = cls(work, process, processes.Logs(log_group, log_stream, model["ExecutionRoleArn"]))
        service.spawn_thread(container._read)
        if not container._ready.wait(START_SECONDS) or not container._port:
            container.stop()
            tail = " | ".join(reversed(container._tail))[:500]  # what matters stands last
            raise JobError(
                "did not pass the ping health check. "
                f"Please check CloudWatch logs for this endpoint ({log_group}): {tail}"
            )
        return container

    def _read(self) -> None:
        for line in self._process.stdout or ():
            text = line.rstrip("\n")
            if not self._port and text.startswith("ready "):
                self._port = int(text.split()[1])
                self._logs.add("The model is loaded, the server answers")  # as on AWS, a start leaves a trace
                self._ready.set()
                continue
            self._tail.append(text)
            self._logs.add(text)
        self._ready.set()
        self._logs.send()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, body: bytes, content_type: str, accept: str, *, timeout: float = 60) -> tuple[int, bytes, str]:
        """(status, body, content type). Raises OSError when the server is gone or does not answer in time."""
        with self._lock:
            self._busy += 1
        try:
            return self._exchange(body, {"Content-Type": content_type, "Accept": accept}, timeout)
        finally:
            with self._lock:
                self._busy -= 1

    def _exchange(self, body: bytes, headers: dict[str, str], timeout: float) -> tuple[int, bytes, str]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        try:
            connection.request("POST", "/invocations", body, headers)
            response = connection.getresponse()
            answer = response.status, response.read(), response.getheader("Content-Type", "")
        except http.client.HTTPException as error:
            connection.close()
            raise OSError(f"the container broke off: {error!r}") from error
        except OSError:
            connection.close()
            raise
        self._idle.put(connection)
        return answer

    def drain(self, seconds: float = 60) -> None:
        """Stop once the requests under way are answered."""
        deadline = time.monotonic() + seconds
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.02)
        self.stop()

    def stop(self) -> None:
        """End the process and remove its files."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._work, ignore_errors=True)


def _fetch(model: Json, work: Path, given: Json) -> Path:
    """The model's artifact into `model/`; returns the folder of its code. Raises JobError."""
    definition, role = model["PrimaryContainer"], model["ExecutionRoleArn"]
    (work / "model").mkdir()
    if definition.get("ModelDataUrl"):
        artifacts.fetch_archive(role, definition["ModelDataUrl"], work / "model")
    directory = given.get("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code")
    if directory.startswith("s3://"):
        artifacts.fetch_archive(role, directory, work / "code")
        return work / "code"
    return Path(processes.mapped(directory, work))
