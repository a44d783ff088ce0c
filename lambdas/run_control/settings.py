"""The environment variables of this function, read once."""

from dataclasses import dataclass

from solvent import settings


@dataclass(frozen=True)
class Settings(settings.Settings):
    """Where the runs of an environment are kept, and the version of the code that makes them."""

    code_version: str
