"""Which modules are begun first: those that take longest, or in the end one worker works alone."""

from pathlib import Path

import pytest

LONGEST = (
    "jobs/test_steps.py",
    "stacks/test_seeded_faults.py",
    "unit/warehouse/test_load_whole.py",
    "unit/erasure/test_erasure.py",
    "stacks/test_template_gates.py",
    "embedded/test_erasure.py",
    "embedded/test_end_to_end.py",
    "embedded/test_way_back.py",
    "embedded/test_lifecycle.py",
    "embedded/test_permissions.py",
    "embedded/test_destroy.py",
    "embedded/test_waiting_for_approval.py",
    "embedded/test_killed.py",
)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    first = {HERE / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))  # the others keep their order
