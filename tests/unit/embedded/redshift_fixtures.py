"""A Redshift database of its own per test, and a folder in place of S3."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_aws.redshift.engine import Database, Roles
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.redshift.streams import StreamBatch

ROLE = "arn:aws:iam::000000000000:role/copy"
SECRET_ROLE = "arn:aws:iam::000000000000:role/secret"


class FolderStorage:
    """S3 as a folder: `<root>/<bucket>/<key>`. The bucket `secret` denies everything."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, bucket: str, key: str, content: bytes) -> None:
        path = self.root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        if bucket == "secret":
            raise SqlError("S3ServiceException:Access Denied,Status 403,Error AccessDenied")
        found = [
            (str(p.relative_to(self.root / bucket)), p.stat().st_size)
            for p in (self.root / bucket).rglob("*")
            if p.is_file()
        ]
        return sorted(item for item in found if item[0].startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        path.write_bytes((self.root / bucket / key).read_bytes())

    def upload(self, path: Path, bucket: str, key: str) -> None:
        self.put(bucket, key, path.read_bytes())


class FakeEndpoints:
    """SageMaker as functions from a request's body to an answer's; requests are kept, each with its role."""

    def __init__(self) -> None:
        self.known: dict[str, Callable[[bytes], bytes]] = {}
        self.requests: list[tuple[str, str, bytes]] = []

    def acting(self, role: str) -> "ActingEndpoints":
        return ActingEndpoints(self, role)


@dataclass(frozen=True)
class ActingEndpoints:
    """The endpoints as one role sees them; the role `secret` may not ask any."""

    fake: FakeEndpoints
    role: str

    def require(self, endpoint: str) -> None:
        if endpoint not in self.fake.known:
            raise SqlError(f"SageMaker endpoint {endpoint} does not exist")

    def invoke(self, endpoint: str, body: bytes) -> bytes:
        if self.role.endswith("secret"):
            raise SqlError(f"SageMaker endpoint {endpoint} answered AccessDeniedException: not authorized")
        self.fake.requests.append((self.role, endpoint, body))
        return self.fake.known[endpoint](body)


class FakeStreams:
    """Streams as lists of batches."""

    def __init__(self) -> None:
        self.stored: dict[str, list[StreamBatch]] = {}
        self.roles: list[str] = []

    def batches(self, stream: str, role: str, known: set[str]) -> Iterator[StreamBatch]:
        self.roles.append(role)
        if stream not in self.stored:
            raise SqlError(f"Kinesis stream {stream} cannot be read: not found")
        yield from (batch for batch in self.stored[stream] if batch.key not in known)


class Warehouse:
    """A database and what tests do with it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "solvent.duckdb"
        self.storage = FolderStorage(folder / "s3")
        self.roles: list[str] = []
        self.endpoints, self.streams = FakeEndpoints(), FakeStreams()
        self.open()

    def open(self) -> None:
        self.database = Database(
            self.path,
            storage=self._storage,
            roles=lambda: Roles(ROLE, (ROLE, SECRET_ROLE)),
            endpoints=self.endpoints.acting,
            streams=self.streams,
        )

    def _storage(self, role: str) -> FolderStorage:
        self.roles.append(role)
        return self.storage

    def run(self, *statements: str, user: str = "analyst", **parameters: str) -> list[Outcome]:
        """One transaction. Raises SqlError."""
        outcomes: list[Outcome] = []
        self._run(statements, user, parameters, outcomes)
        return outcomes

    def _run(self, statements: Sequence[str], user: str, parameters: Mapping[str, str], into: list[Outcome]) -> None:
        self.database.run(
            statements, user=user, parameters=parameters, finished=lambda index, outcome: into.append(outcome)
        )

    def rows(self, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
        """The rows of one query."""
        table = self.run(sql, **parameters)[0].table
        assert table is not None, "the statement returned no rows"
        return [tuple(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]

    def value(self, sql: str, **parameters: str) -> Any:
        """The first cell of a query."""
        return self.rows(sql, **parameters)[0][0]
