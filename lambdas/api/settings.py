"""The environment variables of this function, read once."""

from dataclasses import dataclass

from solvent.settings import FromEnvironment


@dataclass(frozen=True)
class Settings(FromEnvironment):
    """The environment whose endpoint answers, and the version that /v1/health reports."""

    environment: str
    version: str
