"""`DescribeStacks` of a stack that is being changed answers when the change is done, or after a few seconds.

The CDK command line looks every five seconds; with this it learns of the end of a deploy at once. To a caller it is
nothing but a slow answer.
"""

import asyncio
import re
import time
from typing import Any

from ministack import app

_LONGEST = 8.0
_IN_PROGRESS = re.compile(rb"<StackStatus>(?!REVIEW)[A-Z_]+_IN_PROGRESS</StackStatus>")


def install() -> None:
    """Wrap the handler of the service."""
    inner = app.SERVICE_HANDLERS["cloudformation"]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        answer = await inner(method, path, headers, body, query)
        if b"Action=DescribeStacks&" in body and b"StackName=" in body:
            deadline = time.monotonic() + _LONGEST
            while _IN_PROGRESS.search(answer[2]) and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
                answer = await inner(method, path, headers, body, query)
        return answer

    app.SERVICE_HANDLERS["cloudformation"] = handle
