"""What takes minutes: `make test-scale`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws


@pytest.fixture
def lakehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from lakehouse import Lakehouse

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "work").mkdir()
    with mock_aws():
        yield Lakehouse(tmp_path / "work")


@pytest.fixture
def spark(tmp_path: Path) -> Iterator[Any]:
    import spark_session

    with spark_session.start(tmp_path, spark_session.LARGE) as session:
        yield session
