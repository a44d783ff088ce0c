"""The environment variables of this function, read once."""

from dataclasses import dataclass

from solvent.settings import FromEnvironment


@dataclass(frozen=True)
class Settings(FromEnvironment):
    """The environment, the secret of the warehouse's administrator, the options that are on, with commas, and the
    regions of groups of analysts, as JSON.
    """

    environment: str
    admin_secret_arn: str
    options: str
    regions: str
