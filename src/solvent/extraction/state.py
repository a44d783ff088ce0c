"""How far an extraction has come, and what was delivered before: JSON objects in the artifacts zone.

`extractions/<name>/state.json` is the extraction under way, or the last one. It is replaced only by whoever read it
last (a conditional put): two jobs cannot both move it on. A chunk counts once it stands there; its file was written
before. `extractions/<name>/sources/<source>.json` holds the watermark of a source, from its last delivery.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from solvent import naming
from solvent.extraction.errors import ExtractionBusy

RUNNING, DELIVERED, COMPLETED = "running", "delivered", "completed"


@dataclass
class Chunk:
    """A file of the delivery, as its manifest lists it. `seen`: whether fingerprints of its rows were kept."""

    name: str
    rows: int
    bytes: int
    sha256: str
    seen: bool = False


@dataclass
class Progress:
    """One source. `low`, `high`: its window; `last`: the key, or the number of rows, that was read last."""

    low: Any = None
    high: Any = None
    last: Any = None
    begun: bool = False
    done: bool = False
    pages: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # objects with fingerprints of the rows near `high`
    exported: dict[str, str] = field(default_factory=dict)  # of exported files: key -> ETag


@dataclass
class State:
    """One extraction. `request`: what was asked for; the same request goes on with it, another one starts anew."""

    request: dict[str, Any]
    delivery_id: str
    as_of: str
    mode: str
    status: str = RUNNING
    sources: dict[str, Progress] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(chunk.rows for source in self.sources.values() for chunk in source.chunks)

    @property
    def chunks(self) -> list[Chunk]:
        return [chunk for name in sorted(self.sources) for chunk in self.sources[name].chunks]


@dataclass
class Delivered:
    """What was delivered of a source: its newest watermark, and where fingerprints of the rows near it are kept.

    `checksum` is that of its definition: a watermark of another table means nothing.
    """

    checksum: str
    watermark: Any = None
    seen: list[str] = field(default_factory=list)


class Store:
    """The objects of one extraction in the artifacts bucket."""

    def __init__(self, s3: Any, bucket: str, name: str) -> None:
        self._s3, self._bucket, self._name = s3, bucket, name
        self._etag: str | None = None

    def load(self) -> State | None:
        """The extraction under way, or the last one."""
        found = self._get(naming.extraction_key(self._name, "state.json"))
        if found is None:
            return None
        body, self._etag = found
        return from_data(body)

    def save(self, state: State) -> None:
        """Replace what this store has read or saved last. Raises ExtractionBusy when somebody else has."""
        body = json.dumps(asdict(state), sort_keys=True).encode()
        condition: dict[str, Any] = {"IfMatch": self._etag} if self._etag else {"IfNoneMatch": "*"}
        key = naming.extraction_key(self._name, "state.json")
        try:
            answer = self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] not in (
                "PreconditionFailed",
                "ConditionalRequestConflict",
                "412",
                "409",
            ):
                raise
            raise ExtractionBusy(
                f"Another job has moved the extraction {self._name} on. Let it end, or stop it, then start this one "
                "again; it goes on where the other stopped. This job delivered nothing."
            ) from None
        self._etag = answer["ETag"]

    def delivered(self, source: str) -> Delivered | None:
        """What the last delivery left of a source; None before the first."""
        found = self._get(naming.extraction_key(self._name, f"sources/{source}.json"))
        return Delivered(**found[0]) if found else None

    def save_delivered(self, source: str, delivered: Delivered) -> None:
        key = naming.extraction_key(self._name, f"sources/{source}.json")
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(asdict(delivered), sort_keys=True).encode())

    def save_seen(self, state: State, file: str, fingerprints: Iterable[str]) -> str:
        """Keep fingerprints of the rows of a file and return the key of the object."""
        key = naming.extraction_key(self._name, f"seen/{state.delivery_id}/{file.removesuffix('.csv')}.json")
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(sorted(fingerprints)).encode())
        return key

    def seen(self, delivered: Delivered | None) -> frozenset[str]:
        """The fingerprints that a delivery kept."""
        found = (self._get(key) for key in (delivered.seen if delivered else []))
        return frozenset(fingerprint for body in found if body for fingerprint in body[0])

    def _get(self, key: str) -> tuple[Any, str] | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return json.loads(answer["Body"].read()), answer["ETag"]


def from_data(data: Mapping[str, Any]) -> State:
    """A state from its JSON."""
    sources = {
        name: Progress(**{**plain, "chunks": [Chunk(**chunk) for chunk in plain["chunks"]]})
        for name, plain in data["sources"].items()
    }
    return State(**{**data, "sources": sources})
