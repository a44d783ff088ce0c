"""Assemblies with one thing wrong, for the tests of gates."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gates.assembly import Assembly

Resources = dict[str, Any]
Damage = Callable[[Resources], object]  # changes the resources of a template in place


def damaged(clean: Assembly, folder: Path, part: str, damage: Damage) -> Assembly:
    """A copy of an assembly whose template of one stack is changed."""
    copy = folder / clean.environment
    shutil.copytree(clean.folder, copy, ignore=shutil.ignore_patterns("asset.*"))
    path = copy / f"Solvent-{clean.environment}-{part}.template.json"
    template = json.loads(path.read_text())
    damage(template["Resources"])
    path.write_text(json.dumps(template))
    return Assembly(clean.environment, copy)
