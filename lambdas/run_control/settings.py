"""The environment variables of this function, read once."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Where the runs of an environment are kept, and the version of the code that makes them."""

    environment: str
    account: str
    region: str
    code_version: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises KeyError naming a variable that the stack did not set."""
        return cls(
            environment=os.environ["ENVIRONMENT"],
            account=os.environ["ACCOUNT_ID"],
            region=os.environ["AWS_REGION"],
            code_version=os.environ["CODE_VERSION"],
        )
