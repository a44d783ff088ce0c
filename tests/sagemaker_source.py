"""The training source as the build packs it, for the tests that run it as a container does."""

import shutil
from pathlib import Path

from fakes import ROOT

from solvent import contracts, specification


def lay_out(folder: Path) -> Path:
    """Scripts at the root of the folder, the package beside them."""
    for script in ("training/train.py", "inference/inference.py"):
        shutil.copy(ROOT / "sagemaker" / script, folder)
    shutil.copytree(ROOT / "src" / "solvent", folder / "solvent", ignore=shutil.ignore_patterns("__pycache__", "cli"))
    contracts.compile(folder / "solvent" / "_compiled" / "contracts.json")
    specification.compile(folder / "solvent" / "_compiled" / "specifications.json")
    return folder
