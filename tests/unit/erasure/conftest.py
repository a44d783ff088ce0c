"""A lake in moto's S3, versioned, with a delivery that has been through, and its warehouse."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "embedded"))  # for `import redshift_fixtures`


@pytest.fixture
def bank(tmp_path: Path) -> Iterator["Bank"]:  # noqa: F821
    from bank import Bank

    with mock_aws():
        yield Bank(tmp_path)
