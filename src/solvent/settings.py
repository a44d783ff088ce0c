"""The environment variables of functions, read once and by name."""

import os
from dataclasses import dataclass, field, fields
from typing import Self


class FromEnvironment:
    """Makes a dataclass of a function's environment.

    Each field comes from the variable of its name, or of the one that its metadata names (`variable`).
    """

    @classmethod
    def from_environment(cls) -> Self:
        """Raises KeyError naming a variable that the stack (or Lambda, for the region) did not set."""
        names = {each.name: each.metadata.get("variable", each.name.upper()) for each in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: os.environ[variable] for name, variable in names.items()})


@dataclass(frozen=True)
class Settings(FromEnvironment):
    """The environment whose resources are found by name, and where it is: what every function gets."""

    environment: str
    account: str = field(metadata={"variable": "ACCOUNT_ID"})
    region: str = field(metadata={"variable": "AWS_REGION"})
