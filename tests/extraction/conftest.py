"""Real databases, and an embedded AWS for S3 and Secrets Manager, so that a job can be a process of its own, too."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from landing import REGION, Lake
from servers import Server, mariadb, postgresql

from embedded_aws import lifecycle
from solvent import contracts
from solvent.contracts import Contract, Contracts
from solvent.extraction import definition


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgresql(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(params=["postgres", "maria"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each test that takes it runs against both."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("embedded-aws")
    running = lifecycle.up(home, port=4900)
    try:
        yield running.url
    finally:
        lifecycle.down(home)


@pytest.fixture
def lake(aws_url: str) -> Lake:
    name = uuid.uuid4().hex[:10]
    found = Lake(aws_url, f"landing-{name}", f"artifacts-{name}", f"solvent/{name}")
    for bucket in (found.landing, found.artifacts):
        found.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return found


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a definition and its contracts in place of those of the checkout."""

    def put(sources: Mapping[str, Any], *known: Contract, **more: Any) -> None:
        monkeypatch.setattr(contracts, "load", lambda: Contracts({c.name: c for c in known}))
        document = {"portfolio": "lending", "dataset": "core", "sources": sources, **more}
        document |= {} if "export" in more else {"database": "core"}
        parsed = definition.parse("test", document)
        monkeypatch.setattr(definition, "load", lambda name: parsed)

    return put


@pytest.fixture
def table(server: Server) -> Iterator[Any]:
    """Make a table of a server, with a name of its own, and drop it again."""
    engine, made = server.engine(), []

    def make(columns: str, rows: list[dict[str, Any]] = []) -> str:  # noqa: B006
        name = f"t_{uuid.uuid4().hex[:10]}"
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {name} ({columns})"))
            if rows:
                names = list(rows[0])
                values = ", ".join(f":{n}" for n in names)
                connection.execute(sa.text(f"INSERT INTO {name} ({', '.join(names)}) VALUES ({values})"), rows)
        made.append(name)
        return name

    make.engine = engine  # type: ignore[attr-defined]
    yield make
    with engine.begin() as connection:
        for name in made:
            connection.execute(sa.text(f"DROP TABLE {name}"))
    engine.dispose()
