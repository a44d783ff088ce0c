"""The environment variables of this function, read once."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The environment whose endpoint answers, and the version that /v1/health reports."""

    environment: str
    version: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises KeyError naming a variable that the stack did not set."""
        return cls(
            environment=os.environ["ENVIRONMENT"],
            version=os.environ["VERSION"],
        )
