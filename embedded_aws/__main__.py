"""`python -m embedded_aws`: serve on 127.0.0.1 until SIGTERM. `embedded_aws.lifecycle` starts it and sets its
variables.
"""

import asyncio
import logging
import os
import signal
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from embedded_aws import adapter, ownership, recovery, saving

_FORCED_EXIT_SECONDS = 8.0


def install() -> None:
    """Register our services and corrections with ministack, before it serves its first request."""
    adapter.check_pin()
    from embedded_aws import autoscaling, corrections, redshift, sagemaker, service

    sagemaker.register()
    autoscaling.register()
    redshift.register()
    service.install_iam()
    corrections.install()
    home = Path(os.environ["SOLVENT_EMBEDDED_HOME"])
    saving.open_folder(home / "state" / "saved")
    recovery.install(home)


def application(saver: saving.Saver) -> Any:
    """ministack's ASGI application; each answer of the health check names the folder it serves."""
    from ministack.app import app

    home = os.environ["SOLVENT_EMBEDDED_HOME"].encode()

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def named(message: Any) -> None:
            if message["type"] == "http.response.start" and scope.get("path") == "/_ministack/health":
                message["headers"] = [*message.get("headers", []), (b"x-solvent-home", home)]
            await send(message)

        if scope["type"] == "http":
            saver.saw(scope["method"])
        await app(scope, receive, named)

    return served


def _announce_readiness(url: str) -> None:
    from embedded_aws import service

    while True:
        try:
            urllib.request.urlopen(url + "/_ministack/health", timeout=2).close()  # noqa: S310
        except OSError:
            time.sleep(0.05)
        else:
            service.mark_ready()
            return


async def _serve(config: Config) -> None:
    stop, home = asyncio.Event(), Path(os.environ["SOLVENT_EMBEDDED_HOME"])

    def stopping() -> None:
        if owner.abandoned():
            ownership.end_group()  # what we would save belongs to nobody any more
        # A request or a thread that hangs must not keep the process: state is saved well within this time.
        timer = threading.Timer(_FORCED_EXIT_SECONDS, os._exit, (1,))
        timer.daemon = True
        timer.start()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping)

    owner = ownership.Owner(home)
    saver = saving.Saver(lambda: not owner.abandoned())

    async def stopped() -> None:
        await stop.wait()
        await asyncio.to_thread(saver.stop)

    saver.start()
    owner.start()
    await serve(application(saver), config, shutdown_trigger=stopped)
    saver.report(home)
    # Worker threads of jobs may still wait for something; everything is saved, so do not wait for them.
    logging.shutdown()
    os._exit(0)


def main() -> None:
    install()
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.accesslog = None
    url = f"http://{config.bind[0]}"
    threading.Thread(target=_announce_readiness, args=(url,), daemon=True).start()
    asyncio.run(_serve(config))


if __name__ == "__main__":
    main()
