"""Python packages for a platform of AWS's, from its lock file: one archive, the same bytes for the same lock.

Wheels for another platform and another Python than the laptop's: nothing of them is imported here. The embedded AWS
leaves an archive with native code out, and has the laptop's own packages in its place.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacks import bundling


class NoPackages(Exception):
    """The wheels could not be had; the message holds what the installer said."""


@dataclass(frozen=True)
class Target:
    """A platform, and what it `brings` by itself. `unused`: what a package asks for, but none of our code reaches."""

    name: str
    lock: str
    python: str
    platform: str
    below: str = ""
    brings: frozenset[str] = field(default=frozenset())
    unused: frozenset[str] = field(default=frozenset())

    def requirements(self) -> tuple[str, ...]:
        """`name==version` of what goes into the archive."""
        lines = re.findall(r"^([a-z0-9._-]+)==(\S+)$", (bundling.ROOT / self.lock).read_text(), re.MULTILINE)
        return tuple(f"{name}=={version}" for name, version in lines if name not in self.brings | self.unused)


# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html: the runtime brings the SDK.
EXPERIMENTS = Target(
    name="layer-experiments",
    lock="requirements-experiments.txt",
    python="3.14",
    platform="aarch64-manylinux_2_28",
    below="python/",
    brings=frozenset(("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")),
)
# The XGBoost 3.2-0 container. cvxpy, which optbinning imports, loads its solvers when it calls them.
TRAINING = Target(
    name="packages-training",
    lock="requirements-training.txt",
    python="3.12",
    platform="x86_64-manylinux_2_28",
    brings=frozenset(
        ("cloudpickle", "joblib", "numpy", "pandas", "python-dateutil", "pytz", "scikit-learn", "scipy", "six")
        + ("threadpoolctl", "tzdata", "xgboost-cpu")
    ),
    unused=frozenset(("scs", "setuptools", "pycparser", "cffi")),
)


def archive(target: Target) -> Path:
    """The .zip of a target's packages below build/. Asks the registry the first time. Raises NoPackages."""
    wanted = target.requirements()
    key: Mapping[str, bytes] = {"what": "\n".join([*wanted, target.python, target.platform, target.below]).encode()}
    made = bundling.BUILD / f"{target.name}-{bundling.digest(key)[:16]}.zip"
    if made.exists():
        return made
    with tempfile.TemporaryDirectory() as folder:
        _install(target, wanted, Path(folder))
        tree = {f"{target.below}{name}": body for name, body in bundling.read(Path(folder)).items()}
    return bundling.publish_file(made, bundling.zipped(tree, level=1))


def _install(target: Target, wanted: tuple[str, ...], folder: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--target", str(folder), "--no-deps"]
    where = ["--python-version", target.python, "--python-platform", target.platform, "--only-binary", ":all:"]
    done = subprocess.run([*command, *where, *wanted], capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise NoPackages(
            f"The packages of {target.lock} for Python {target.python} on {target.platform} could not be fetched; "
            f"nothing was synthesized. Is the package registry reachable? uv said:\n{done.stderr.strip()[-1500:]}"
        )
    # Who installed it, and when, is not what is shipped.
    for path in folder.rglob("*"):
        if path.name in ("INSTALLER", "REQUESTED", "uv_cache.json", ".lock"):
            path.unlink()
