"""The environment variables of this function, read once."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The environment, and the secret of the warehouse's administrator."""

    environment: str
    admin_secret_arn: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises KeyError naming a variable that the stack did not set."""
        return cls(
            environment=os.environ["ENVIRONMENT"],
            admin_secret_arn=os.environ["ADMIN_SECRET_ARN"],
        )
