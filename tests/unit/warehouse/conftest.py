"""A warehouse with every table and mart, without rows; modules that need another one have fixtures of these names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warehouse_cases import copied, migrated


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Made once; to be read, or copied."""
    return migrated(tmp_path_factory.mktemp("warehouse"))


@pytest.fixture
def warehouse(empty: Any, tmp_path: Path) -> Iterator[Any]:
    """A copy of one's own."""
    copy = copied(empty, tmp_path / "copy")
    yield copy
    copy.database.close()
