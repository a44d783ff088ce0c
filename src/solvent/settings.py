"""The environment variables that every function of the platform gets, read once."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The environment whose resources are found by name, and where it is."""

    environment: str
    account: str
    region: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises KeyError naming a variable that the stack (or Lambda, for the region) did not set."""
        return cls(
            environment=os.environ["ENVIRONMENT"],
            account=os.environ["ACCOUNT_ID"],
            region=os.environ["AWS_REGION"],
        )
