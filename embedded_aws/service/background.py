"""Work behind the scenes: threads that keep the request's account and region, and waiting until we answer."""

import contextvars
import threading
from collections.abc import Callable
from typing import Any

_ready = threading.Event()


def spawn_thread(function: Callable[..., Any], *args: Any) -> threading.Thread:
    """Run a function on a daemon thread in the account and region of the current request."""
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(function, *args), daemon=True, name=function.__name__)
    thread.start()
    return thread


def when_ready(function: Callable[[], Any]) -> None:
    """Run a function on a thread as soon as the embedded AWS answers requests."""

    def wait() -> None:
        _ready.wait()
        function()

    spawn_thread(wait)


def mark_ready() -> None:
    """Called once, by `__main__`, when the port answers."""
    _ready.set()
