"""Synthesize, bootstrap and deploy with the CDK CLI: the very commands a platform engineer types."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from solvent.target import Target, checkout


class DeploymentError(Exception):
    """A CDK command failed; the message holds the end of its output."""


def synthesize(environment: str, log: Path) -> Path:
    """Write the assembly of an environment to cdk.out/<environment>; needs no account."""
    assembly = checkout() / "cdk.out" / environment
    _cdk(["synth", "--quiet", "-c", f"environment={environment}", "-o", str(assembly)], _without_aws(), log)
    return assembly


def bootstrap(target: Target, assembly: Path, log: Path) -> None:
    """Prepare account and region for CDK; a second time changes nothing."""
    where = f"aws://{target.account_id}/{target.region}"
    _cdk(["bootstrap", "--app", str(assembly), where], _variables(target), log)


def deploy(target: Target, assembly: Path, log: Path, on_line: Callable[[str], None] = lambda _: None) -> None:
    """`cdk deploy --all` of an assembly, as it is."""
    arguments = ["deploy", "--all", "--app", str(assembly), "--require-approval", "never", "--concurrency", "4"]
    _cdk([*arguments, "--method", "direct", "--progress", "events"], _variables(target), log, on_line)


def destroy(target: Target, assembly: Path, log: Path, on_line: Callable[[str], None] = lambda _: None) -> None:
    """`cdk destroy --all` of an assembly: in an environment that is not removable, what must be kept stays behind."""
    arguments = ["destroy", "--all", "--app", str(assembly), "--force", "--concurrency", "4"]
    _cdk(arguments, _variables(target), log, on_line)


def _variables(target: Target) -> dict[str, str]:
    if target.endpoint_url is None:
        return {**os.environ, "AWS_REGION": target.region}
    credentials = target.session.get_credentials()
    assert credentials is not None
    return {
        **_without_aws(),
        "AWS_ENDPOINT_URL": target.endpoint_url,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_REGION": target.region,
        "AWS_DEFAULT_REGION": target.region,
    }


def _without_aws() -> dict[str, str]:
    """The environment without the person's own AWS set-up: a profile or a key of theirs has no say on the laptop."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _cdk(
    arguments: list[str], variables: dict[str, str], log: Path, on_line: Callable[[str], None] = lambda _: None
) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "scripts.cdk", *arguments]
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            command,
            cwd=checkout(),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if text := re.sub(r"\x1b\[[0-9;]*m", "", line).strip():
                on_line(text)
    if process.wait():
        tail = "\n".join(re.sub(r"\x1b\[[0-9;]*m", "", log.read_text()).splitlines()[-25:])
        raise DeploymentError(f"cdk {arguments[0]} failed. The whole output is in {log}; its end:\n{tail}")
