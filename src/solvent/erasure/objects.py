"""Objects of versioned buckets: every version looked at, what holds the person replaced, every older version gone.

Replacing comes before removing: an erasure that ends in between finds the older versions again and removes them.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent.erasure.contents import Stripped, sha256, strip
from solvent.erasure.person import Person

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MOST_AT_ONCE = 1000  # what one DeleteObjects takes


class NotRemoved(Exception):
    """S3 kept a version that it was asked to delete; the message names the object. Start the erasure again."""


@dataclass
class Stored:
    """One key of a bucket with all its versions, newest first, and its delete markers, as S3 lists them."""

    bucket: str
    key: str
    versions: list[dict[str, Any]] = field(default_factory=list)
    markers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def current(self) -> dict[str, Any] | None:
        """The version that a plain read gets; None when the object is deleted."""
        return next((v for v in self.versions if v["IsLatest"]), None)


@dataclass(frozen=True)
class Treated:
    """What became of one object: for the proof. `done` is rewritten, deleted or old versions removed."""

    zone: str
    key: str
    done: str
    rows: int
    versions_removed: int
    sha256_before: str
    sha256_after: str


def stored(s3: "S3Client", bucket: str, prefix: str = "") -> list[Stored]:
    """Every key below a prefix, also those of which only older versions or delete markers are left."""
    found: dict[str, Stored] = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for kind, entries in (("versions", page.get("Versions", [])), ("markers", page.get("DeleteMarkers", []))):
            for entry in entries:
                at = found.setdefault(entry["Key"], Stored(bucket, entry["Key"]))
                getattr(at, kind).append(entry)
    return list(found.values())


def remove(s3: "S3Client", bucket: str, entries: list[tuple[str, str]]) -> None:
    """Delete (key, version id) for good. Raises NotRemoved."""
    for start in range(0, len(entries), _MOST_AT_ONCE):
        batch: Any = [{"Key": key, "VersionId": version} for key, version in entries[start : start + _MOST_AT_ONCE]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        for error in answer.get("Errors", []):
            raise NotRemoved(
                f"S3 did not delete a version of s3://{bucket}/{error.get('Key')}: {error.get('Code')}. An Object Lock "
                "or legal hold on it has to be lifted by who set it; then start the erasure again."
            )


def remove_all(s3: "S3Client", bucket: str, prefix: str) -> None:
    """Everything below a prefix, versions and delete markers."""
    for at in stored(s3, bucket, prefix):
        remove(s3, bucket, [(at.key, e["VersionId"]) for e in (*at.versions, *at.markers)])


class Zone:
    """One zone in the hands of one erasure."""

    def __init__(self, s3: "S3Client", zone: str, bucket: str, person: Person, work: Path, *, at_once: int = 8) -> None:
        self._s3, self._zone, self._bucket, self._person, self._work = s3, zone, bucket, person, work
        self._at_once = at_once
        self.objects = self.versions = 0

    def holding(self, skip: Callable[[str], bool], delimiter: Callable[[str], str]) -> list[Stored]:
        """The objects of which a version holds the person; counts what was looked at. Changes nothing."""
        every = [at for at in stored(self._s3, self._bucket) if not skip(at.key)]
        self.objects, self.versions = len(every), sum(len(at.versions) for at in every)

        def holds(at: Stored) -> bool:
            return any(self._looked_at(at, v, delimiter(at.key))[0].rows for v in at.versions)

        return [at for at, so in zip(every, self._together(holds, every), strict=True) if so]

    def erase(self, at: Stored, delimiter: str, before_put: Callable[[Treated, str], None]) -> Treated:
        """Replace or delete the current version where it holds the person, and remove every older one.

        `before_put` is told what is about to be done, and the new content's hash, before anything is changed.
        """
        old = [(at.key, e["VersionId"]) for e in (*at.versions, *at.markers)]
        current = at.current
        rows, before, after, done = 0, "", "", "old versions removed"
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            left = Path(folder) / "left"
            if current is None:
                done = "deleted"
            else:
                found, before = self._looked_at(at, current, delimiter, left)
                rows = found.rows
                if not rows:
                    old.remove((at.key, current["VersionId"]))
                    after = before
                elif found.kept:
                    done, after = "rewritten", sha256(left)
                else:
                    done = "deleted"
            treated = Treated(self._zone, at.key, done, rows, len(old), before, after)
            before_put(treated, after)
            if done == "rewritten":
                self._s3.upload_file(str(left), at.bucket, at.key)
            remove(self._s3, at.bucket, old)
        return treated

    def _looked_at(
        self, at: Stored, version: dict[str, Any], delimiter: str, left: Path | None = None
    ) -> tuple[Stripped, str]:
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            path = Path(folder) / "version"
            download(self._s3, at, version, path)
            return strip(path, left or Path(folder) / "left", at.key, self._person, delimiter), sha256(path)

    def _together(self, work: Callable[[Stored], Any], over: list[Stored]) -> Iterator[Any]:
        with ThreadPoolExecutor(self._at_once) as pool:
            yield from pool.map(work, over)


def download(s3: "S3Client", at: Stored, version: dict[str, Any], path: Path) -> None:
    """One version into a file."""
    body = s3.get_object(Bucket=at.bucket, Key=at.key, VersionId=version["VersionId"])["Body"]
    with path.open("wb") as file:
        for chunk in body.iter_chunks(2**20):
            file.write(chunk)


class Journal:
    """What an erasure has done so far, an object per treated one: a killed erasure's proof is whole, too."""

    def __init__(self, s3: "S3Client", bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix + "done/"

    def enter(self, treated: Treated) -> None:
        """Before the object is changed. What an earlier attempt has noted stays, with the versions now found added."""
        name = hashlib.sha256(f"{treated.zone}/{treated.key}".encode()).hexdigest()[:32]
        entry = treated.__dict__
        if earlier := self._earlier(name):
            done = {earlier["done"], treated.done}
            entry = {
                **earlier,
                "done": next(d for d in ("deleted", "rewritten", "old versions removed") if d in done),
                "rows": max(earlier["rows"], treated.rows),
                "versions_removed": max(earlier["versions_removed"], treated.versions_removed),
                "sha256_after": treated.sha256_after,
            }
        self._s3.put_object(Bucket=self._bucket, Key=f"{self._prefix}{name}.json", Body=json.dumps(entry).encode())

    def entries(self) -> list[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        keys = [o["Key"] for page in pages for o in page.get("Contents", [])]
        found = [json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()) for key in keys]
        return sorted(found, key=lambda entry: (entry["zone"], entry["key"]))

    def _earlier(self, name: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=f"{self._prefix}{name}.json")["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise
        return dict(json.loads(body))
