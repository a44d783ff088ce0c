"""A load generator: `python load.py PORT CONNECTIONS SECONDS` sends standard input again and again.

A process of its own, so that it does not take the server's core. Each connection sends a request once the last is
answered. Every answer of a server to one request has the same length here, so answers are counted by bytes: that costs
less than parsing them, and the generator is not what is measured.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

WARM_UP = 0.3


class Connection(asyncio.Protocol):
    """One keep-alive connection; `times` are the seconds of each answer after the warm-up."""

    def __init__(self, request: bytes, begin: float, end: float, done: "asyncio.Future[None]") -> None:
        self.request, self.begin, self.end, self.done = request, begin, end, done
        self.times: list[float] = []
        self._length, self._got, self._head = 0, 0, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        if not self._length:
            self._head += data
            head, blank, _ = self._head.partition(b"\r\n\r\n")
            if not blank:
                return
            if b" 200 " not in head.partition(b"\r\n")[0]:
                self.done.set_exception(SystemExit(f"Not answered: {self._head[:500]!r}"))
                return
            fields = [line.partition(b":") for line in head.lower().split(b"\r\n")]
            self._length = len(head) + 4 + next(int(value) for name, _, value in fields if name == b"content-length")
        if self._got > self._length:
            self.done.set_exception(SystemExit("An answer is longer than the first one was."))
        elif self._got == self._length:
            now = time.perf_counter()
            if self._sent >= self.begin:
                self.times.append(now - self._sent)
            if now < self.end:
                self._send()
            elif not self.done.done():
                self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(SystemExit("The server closed a connection."))

    def _send(self) -> None:
        self._got, self._sent = 0, time.perf_counter()
        self._transport.write(self.request)


async def load(port: int, connections: int, seconds: float, request: bytes) -> dict[str, float]:
    """Requests a second, and milliseconds at the median and the 99th percentile."""
    loop = asyncio.get_running_loop()
    begin = time.perf_counter() + WARM_UP
    made = [Connection(request, begin, begin + seconds, loop.create_future()) for _ in range(connections)]
    for one in made:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(one.done for one in made))
    times = sorted(t for one in made for t in one.times)
    return {
        "requests_per_second": round(len(times) / (time.perf_counter() - begin), 1),
        "p50_ms": round(times[len(times) // 2] * 1e3, 3),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1e3, 3),
    }


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(uvloop.run(load(port, connections, seconds, sys.stdin.buffer.read()))))
