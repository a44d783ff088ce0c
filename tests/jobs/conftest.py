"""The Glue job's logic on DuckDB and, marked `spark`, on Spark; AWS is moto's."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, profile or endpoint of the person who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "SOLVENT_ETL_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture(autouse=True, scope="session")
def derived_once() -> Iterator[None]:
    """Deriving and parsing all statements takes longer than running them on a few rows; they are the same each time."""
    from solvent.etl import statements

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "derive", functools.cache(statements.derive))
        yield


@pytest.fixture
def lakehouse(tmp_path: Path) -> Iterator[Any]:
    from lakehouse import Lakehouse

    work = tmp_path / "work"
    work.mkdir()
    with mock_aws():
        yield Lakehouse(work)


@pytest.fixture(scope="session")
def reconciled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A warehouse of lending, and what pandas says of it (lending_reconciled.py)."""
    import lending_reconciled

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        made = lending_reconciled.made(tmp_path_factory.mktemp("reconcile"))
    yield made
    made[0].database.close()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One local session for all tests."""
    import spark_session

    with spark_session.start(tmp_path_factory.mktemp("spark"), spark_session.SMALL) as session:
        yield session
