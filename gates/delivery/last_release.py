"""The assemblies of the last release: synthesized from its sources, or read from a folder that kept them."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gates.assembly import ENVIRONMENTS, ROOT, Assembly
from scripts import node


class NoComparison(Exception):
    """The last release cannot be read, so nothing can be said; the message tells the way out."""


@dataclass(frozen=True)
class Release:
    """A name for people, and environment -> assembly."""

    name: str
    assemblies: Mapping[str, Assembly]


def last_release(against: str, scratch: Path, repository: Path = ROOT) -> Release | None:
    """The release to compare with: a folder with dev/ and prod/, a git ref, or by default the last tag `v*` of HEAD.

    None: nothing has been released yet. Raises NoComparison when there is a release that cannot be read.
    """
    if against and (folder := Path(against)).is_dir():
        return Release(f"folder {against}", _read(folder))
    reference = against or _last_tag(repository)
    if reference is None:
        return None
    commit = _git(repository, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").stdout.decode().strip()
    if not commit:
        raise NoComparison(f"'{reference}' is neither a folder nor a git ref. Give AGAINST=<tag, commit or folder>.")
    sources = scratch / "sources"
    with tarfile.open(fileobj=io.BytesIO(_git(repository, "archive", commit).stdout)) as archive:
        archive.extractall(sources, filter="data")
    name = reference + _other_library(sources, repository)
    with ThreadPoolExecutor() as pool:  # one process each
        list(pool.map(lambda environment: _synthesize(sources, environment, scratch / environment), ENVIRONMENTS))
    return Release(name, _read(scratch))


def _last_tag(repository: Path) -> str | None:
    if _git(repository, "rev-parse", "--is-shallow-repository").stdout.strip() != b"false":
        raise NoComparison(
            "The last release is unknown: this is not a git clone with its whole history. Run `git fetch --unshallow "
            "--tags`, or give AGAINST=<folder with the release's dev/ and prod/>."
        )
    found = _git(repository, "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD")
    return found.stdout.decode().strip() or None


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=False)  # noqa: S607


def _synthesize(sources: Path, environment: str, outdir: Path) -> None:
    """Run the release's own app.py as the CDK CLI does, with the libraries installed here."""
    context = json.loads((sources / "cdk.json").read_text())["context"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "JSII_NODE": node.environment()["JSII_NODE"],
        "PATH": node.environment()["PATH"],
        "PYTHONPATH": os.pathsep.join([str(sources / "src"), str(sources)]),
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({**context, "environment": environment}),
    }
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=sources, env=variables, capture_output=True, text=True, check=False
    )
    if run.returncode or not (outdir / "manifest.json").exists():
        output = (run.stdout + run.stderr)[-2000:]
        raise NoComparison(f"The last release does not synthesize for {environment}:\n{output}")


def _read(folder: Path) -> dict[str, Assembly]:
    found = {name: Assembly(name, folder / name) for name in ENVIRONMENTS if (folder / name / "manifest.json").exists()}
    if not found:
        raise NoComparison(f"{folder} holds no assembly: it needs {' or '.join(f'{e}/' for e in ENVIRONMENTS)}.")
    return found


def _other_library(sources: Path, repository: Path) -> str:
    """A warning where the release was made with another CDK: what that changes by itself does not show here."""
    versions = [_cdk(folder / "requirements.txt") for folder in (sources, repository)]
    if versions[0] == versions[1]:
        return ""
    return f" (its sources, with CDK {versions[1]} instead of {versions[0]}: read `make diff`, too)"


def _cdk(requirements: Path) -> str:
    found = re.search(r"^aws-cdk-lib==(\S+)", requirements.read_text(), re.M) if requirements.exists() else None
    return found[1] if found else "of unknown version"
