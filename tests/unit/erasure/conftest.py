"""A lake in moto's S3, versioned, with a delivery that has been through, and its warehouse."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

USUAL = csv.field_size_limit()


@pytest.fixture(autouse=True)
def usual_fields() -> Iterator[None]:
    """Erasure, a process of its own on Glue, reads longer fields than Python does unasked; other tests do not."""
    yield
    csv.field_size_limit(USUAL)


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import erasable

    made = erasable.delivered(tmp_path_factory.mktemp("delivered"))
    yield made
    made.redshift.database.close()


@pytest.fixture
def bank(delivered: Any, tmp_path: Path) -> Iterator[Any]:
    """A bank of one's own."""
    from erasable import Bank

    with mock_aws():
        bank = Bank(tmp_path, delivered)
        yield bank
    bank.redshift.database.close()
