"""A lake in moto's S3, versioned, with a delivery that has been through, and its warehouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws


@pytest.fixture
def bank(tmp_path: Path) -> Iterator["Bank"]:  # noqa: F821
    from erasable import Bank

    with mock_aws():
        yield Bank(tmp_path)
