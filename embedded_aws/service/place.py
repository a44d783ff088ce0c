"""Where we are: the address and folder of this embedded AWS, account and region of the request."""

import os
from pathlib import Path

from ministack.core.responses import get_account_id, get_region


def url() -> str:
    """The address of this embedded AWS."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def home() -> Path:
    """Where this embedded AWS keeps its files."""
    return Path(os.environ["SOLVENT_EMBEDDED_HOME"])


def region() -> str:
    """The region of the current request."""
    return get_region()


def account() -> str:
    """The account of the current request."""
    return get_account_id()


def arn(service: str, rest: str) -> str:
    """`arn("glue", "job/x")` in the account and region of the current request."""
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{rest}"
