"""The environment variables of this function, read once."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The environment whose resources are found by name."""

    environment: str
    account: str
    region: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises KeyError naming a variable that the stack did not set."""
        return cls(
            environment=os.environ["ENVIRONMENT"],
            account=os.environ["ACCOUNT_ID"],
            region=os.environ["AWS_REGION"],
        )
