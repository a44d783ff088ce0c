"""An environment with other settings than its file has, synthesized."""

from pathlib import Path
from typing import Any

import pytest

from gates.assembly import Assembly
from stacks import config, synthesis


def synthesized_with(environment: str, folder: Path, **sections: Any) -> Assembly:
    """The assembly in `folder` / environment; `sections` of the configuration take the place of its own."""
    changed = config.load(environment).model_copy(update=sections)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "load", lambda name: changed)
        synthesis.in_process(environment, folder / environment).synth()
    return Assembly(environment, folder / environment)
