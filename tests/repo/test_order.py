"""The modules that are begun first exist."""

import runpy
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_the_longest_modules_are_modules() -> None:
    named = runpy.run_path(str(TESTS / "conftest.py"))["LONGEST"]
    assert [name for name in named if not (TESTS / name).is_file()] == []
