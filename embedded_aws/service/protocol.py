"""A service of the AWS JSON protocols as ministack expects one: a module-like object with handler and state."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json, json_response

from embedded_aws.service.background import when_ready
from embedded_aws.service.errors import ApiError

log = logging.getLogger("embedded_aws")

Operation = Callable[[dict[str, Any]], dict[str, Any] | None]
RawOperation = Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]
Response = tuple[int, dict[str, str], bytes]


def raw(function: RawOperation) -> RawOperation:
    """Mark an operation that takes (path, headers, body) and returns (status, headers, body) itself."""
    function.is_raw = True  # type: ignore[attr-defined]
    return function


class JsonService:
    """A service of the AWS JSON protocols, in the form that ministack expects of a service module.

    `operations` maps an operation's name to a function of its input. `state` holds named dictionaries of plain JSON
    values; it survives `down` and `up`. `rest(method, path)` names the operation of a call that carries no target
    header. `on_restore` runs once the embedded AWS answers again after state was loaded (to restart endpoint servers,
    say).
    """

    def __init__(
        self,
        operations: Mapping[str, Operation | RawOperation],
        state: dict[str, dict[str, Any]],
        *,
        rest: Callable[[str, str], str] | None = None,
        on_restore: Callable[[], Any] | None = None,
        on_reset: Callable[[], Any] | None = None,
        content_type: str = "application/x-amz-json-1.1",
    ) -> None:
        self.operations, self.state = operations, state
        self._rest, self._on_restore, self._on_reset = rest, on_restore, on_reset
        self._content_type = content_type

    def operation(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """The operation that a request names, or "" when it names none."""
        target = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        return target or (self._rest(method, path) if self._rest else "")

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Response:
        """The entry point that ministack calls on its event loop; the work happens on a thread."""
        return await asyncio.to_thread(self._run, method, path, headers, body)

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call an operation in this process. Raises ApiError."""
        function = self.operations.get(operation)
        if function is None or getattr(function, "is_raw", False):
            raise ApiError("UnknownOperationException", f"The embedded AWS does not implement {operation}.")
        return function(payload) or {}  # type: ignore[call-arg, arg-type, return-value]

    def _run(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        name = self.operation(method, path, headers)
        function = self.operations.get(name)
        try:
            if function is not None and getattr(function, "is_raw", False):
                return function(path, headers, body)  # type: ignore[call-arg, arg-type, return-value]
            answer = self.call(name, json.loads(body or b"{}"))
            return json_response(answer, content_type=self._content_type)
        except ApiError as error:
            return error_response_json(error.code, error.message, error.status)
        except Exception as error:  # a bug of ours: say so, and keep serving
            log.exception("%s failed", name)
            return error_response_json("InternalFailure", repr(error), 500)

    # What ministack's persistence and reset call

    def get_state(self) -> dict[str, Any]:
        return json.loads(json.dumps(self.state, default=str))

    def load_persisted_state(self, saved: dict[str, Any]) -> None:
        for name, values in saved.items():
            self.state.setdefault(name, {}).update(values)
        if self._on_restore:
            when_ready(self._on_restore)

    def reset(self) -> None:
        if self._on_reset:
            self._on_reset()
        for values in self.state.values():
            values.clear()
