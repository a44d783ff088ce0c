"""Where a command goes: the embedded AWS on this laptop, or an account. The same calls serve both."""

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from solvent.naming import Names

LAPTOP_ENVIRONMENT = "dev"
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=65)


class NoTarget(Exception):
    """There is nothing to talk to; the message says how to get it."""


def checkout() -> Path:
    """The root of the checkout that this package was installed from (editable)."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "cdk.json").exists():
        raise NoTarget(f"{root} is no Solvent checkout (no cdk.json there). Install with `make setup` in a clone.")
    return root


def home() -> Path:
    """Where the embedded AWS keeps its state: $SOLVENT_HOME, or .solvent/ in the checkout."""
    return Path(os.environ.get("SOLVENT_HOME") or checkout() / ".solvent")


@dataclass(frozen=True)
class Target:
    """One environment of the platform in one account and region."""

    names: Names
    region: str
    session: boto3.Session
    endpoint_url: str | None = None

    @classmethod
    def laptop(cls) -> "Target":
        from embedded_aws import lifecycle

        running = lifecycle.status(home())
        if running is None:
            raise NoTarget("The embedded AWS is not running. Start it with `solvent up`, or run `make demo`.")
        return cls.at(running.url, LAPTOP_ENVIRONMENT)

    @classmethod
    def at(cls, url: str, environment: str) -> "Target":
        """An embedded AWS at `url`."""
        region = configured_region(environment)
        # The operator of the laptop, not a secret: known to everyone, good for the loopback alone.
        return cls(Names(environment), region, _on_the_laptop(region, "test", "test"), url)

    @classmethod
    def account(cls, environment: str) -> "Target":
        """A real account, through the usual AWS credential chain and the region of the environment."""
        if url := os.environ.get("AWS_ENDPOINT_URL"):
            raise NoTarget(
                f"--env {environment} means your AWS account, but AWS_ENDPOINT_URL sends every call to {url}. "
                "Unset it, or leave --env out to talk to the laptop."
            )
        region = configured_region(environment)
        return cls(Names(environment), region, boto3.Session(region_name=region))

    def as_person(self, role: str) -> "Target":
        """The same place, as the platform's role for people (`naming.PEOPLE`), for an hour. Raises NoTarget."""
        arn = f"arn:aws:iam::{self.account_id}:role/{self.names.person(role)}"
        try:
            given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="solvent")["Credentials"]
        except ClientError as error:
            raise NoTarget(
                f"{arn} could not be assumed: {error.response['Error'].get('Message', error)}. Either the platform is "
                "not deployed there (`solvent status`), or who you are needs sts:AssumeRole on that role."
            ) from error
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        made = _on_the_laptop if self.endpoint_url else _in_an_account
        return replace(self, session=made(self.region, *keys))

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url, config=_RETRIES)

    @cached_property
    def account_id(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    def bucket(self, zone: str) -> str:
        return self.names.bucket(zone, self.account_id, self.region)

    @property
    def place(self) -> str:
        return f"{self.names.environment} at {self.endpoint_url or f'AWS account {self.account_id}, {self.region}'}"


def _on_the_laptop(region: str, *keys: str) -> boto3.Session:
    # Nothing of the person's own AWS set-up has a say on the laptop, not even a profile that does not exist.
    none = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, os.devnull, None))
    own = botocore.session.Session(session_vars={**none, "profile": (None, None, None, None)})
    return boto3.Session(*keys, region_name=region, botocore_session=own)


def _in_an_account(region: str, *keys: str) -> boto3.Session:
    return boto3.Session(*keys, region_name=region)


def configured_region(environment: str) -> str:
    return str(configuration(environment)["region"])


def configuration(environment: str) -> dict[str, Any]:
    """The checkout's `config/<environment>.yaml`, as it is written. Raises NoTarget."""
    path = checkout() / "config" / f"{environment}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise NoTarget(f"There is no environment '{environment}' (config/ has: {known}).")
    return dict(yaml.safe_load(path.read_text()))
