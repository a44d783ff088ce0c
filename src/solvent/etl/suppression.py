"""Persons who were erased stay out: rows of theirs in a later delivery are dropped before they reach the raw zone.

The list (artifacts, `erasures/suppressed/`) holds salted SHA-256 of the keys, by source. A key such as C000123 has so
few values that who holds list and salt can try them all: the hash keeps ids out of sight, it does not hide them from
an attacker. Hence the list is encrypted with the platform's key and only the ETL and the erasure read it.

A dropped row stays counted: as a row in quarantine with kind `erased`, its position and reason, nothing of itself.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from solvent import contracts, naming
from solvent.contracts import Contract
from solvent.contracts.people import Link, chain, links, parents
from solvent.delivery import DeliveredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WORDS = (re.compile(r"[0-9A-Za-z]+"), re.compile(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)+"))
_BATCH = 65_536


def canonical(value: str) -> str:
    """A key as it is compared: without blanks around it, in lower case, as systems differ in both."""
    return value.strip().casefold()


def hashed(salt: str, source: str, value: str) -> str:
    """The salted SHA-256 of a key, hexadecimal."""
    return hashlib.sha256(f"{salt}\0{source}\0{canonical(value)}".encode()).hexdigest()


@dataclass
class Suppressed:
    """The keys that must not come back: salt -> source -> hashes. `new` are those of rows dropped in this run."""

    hashes: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    new: dict[str, set[str]] = field(default_factory=dict)
    _seen: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    @property
    def salt(self) -> str:
        """The salt of the list; a new one for the first entry."""
        return next(iter(self.hashes), "") or secrets.token_hex(16)

    def holds(self, source: str, value: str | None) -> bool:
        """Whether this is the key of an erased person's row of `source`."""
        if not value:
            return False
        known = self._seen.get((source, value))
        if known is None:
            known = any(hashed(s, source, value) in by.get(source, ()) for s, by in self.hashes.items())
            self._seen[source, value] = known
        return known

    def mentioned(self, text: str | None, sources: Iterable[str]) -> bool:
        """Whether a text holds such a key as a word."""
        words = {word for form in _WORDS for word in form.findall(text or "")}
        return any(self.holds(source, word) for source in sources for word in words)

    def add(self, source: str, values: Iterable[str]) -> None:
        """Rows that hang on these keys are dropped from now on, too."""
        found = {hashed(salt, source, value) for value in values for salt in self.hashes}
        self.new.setdefault(source, set()).update(found)
        for by_source in self.hashes.values():
            by_source.setdefault(source, set()).update(found)
        self._seen.clear()


def read(s3: "S3Client", bucket: str) -> Suppressed:
    """The whole list from the artifacts bucket; empty when nobody has been erased."""
    found = Suppressed()
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=naming.SUPPRESSED)
    for stored in (o for page in pages for o in page.get("Contents", [])):
        entry = json.loads(s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read())
        for source, hashes in entry["hashes"].items():
            found.hashes.setdefault(entry["salt"], {}).setdefault(source, set()).update(hashes)
    return found


def write(s3: "S3Client", bucket: str, name: str, salt: str, hashes: Mapping[str, Iterable[str]]) -> None:
    """One part of the list: of an erasure, or of a run that dropped rows with further keys."""
    body = {"salt": salt, "hashes": {source: sorted(values) for source, values in sorted(hashes.items())}}
    s3.put_object(
        Bucket=bucket,
        Key=f"{naming.SUPPRESSED}{name}.json",
        Body=json.dumps(body, sort_keys=True).encode(),
        ContentType="application/json",
    )


def note(s3: "S3Client", bucket: str, run_id: str, suppressed: Suppressed) -> None:
    """Remember the keys of rows dropped in this run: a later delivery of changes may hang rows on them alone."""
    if any(suppressed.new.values()):
        write(s3, bucket, f"run-{run_id}", suppressed.salt, suppressed.new)


def as_landed(s3: "S3Client", folder: str, file: DeliveredFile, landed: Path) -> DeliveredFile:
    """The manifest's entry of a file, or that of what an erasure left of it (`erased.json` in the s3 address `folder`).

    The manifest itself is never changed: the run's id is its hash, and its arrival starts `ingest`.
    """
    with landed.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual == file.sha256:
        return file
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    left = erased_files(s3, bucket, prefix)
    if actual not in left.get(file.name, ()):
        return file
    return replace(file, sha256=actual, bytes=landed.stat().st_size)


def erased_files(s3: "S3Client", bucket: str, folder: str) -> dict[str, list[str]]:
    """File -> SHA-256 of what erasures left of it, for the delivery in `folder`; {} where there was none."""
    from botocore.exceptions import ClientError

    try:
        body = s3.get_object(Bucket=bucket, Key=f"{folder}/{naming.ERASED}")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return {}
        raise
    return {str(name): list(hashes) for name, hashes in json.loads(body)["files"].items()}


def drop(suppressed: Suppressed, contract: Contract, *, raw: Path, malformed: Path) -> int:
    """Move the rows of erased persons out of a raw file, as rows without content into `malformed`; how many.

    A source must come after those it refers to: what hangs on a dropped row is dropped with it.
    """
    cs = contracts.load()
    known = chain(cs, contract.portfolio) if suppressed else {}
    if contract.name not in known:
        return 0
    above = parents(known) | {next(iter(known))}
    checked = [link for link in links(contract, cs, known) if link.source in above]
    dropped: list[dict[str, Any]] = []
    kept = raw.with_suffix(".kept")
    file = pq.ParquetFile(raw)
    with pq.ParquetWriter(kept, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(_BATCH):
            reasons = _reasons(batch, contract, checked, suppressed, above)
            if reasons:
                dropped += [_trace(batch, number, reason) for number, reason in sorted(reasons.items())]
                if contract.name in above:
                    suppressed.add(contract.name, filter(None, (batch[contract.key[0]][n].as_py() for n in reasons)))
                batch = batch.filter(pa.array([n not in reasons for n in range(batch.num_rows)]))
            writer.write_batch(batch)
    texts = pq.read_table(malformed).to_pylist()
    hits = [suppressed.mentioned(row["_payload"], above | {contract.name}) for row in texts]
    if dropped:
        kept.replace(raw)
    else:
        kept.unlink()
    if dropped or any(hits):
        lines = [_without_content(row) if hit else row for row, hit in zip(texts, hits, strict=True)]
        pq.write_table(pa.Table.from_pylist(lines + dropped, pq.read_schema(malformed)), malformed, compression="zstd")
    return len(dropped) + sum(hits)


def _reasons(
    batch: pa.RecordBatch, contract: Contract, checked: Iterable[Link], suppressed: Suppressed, above: frozenset[str]
) -> dict[int, str]:
    """Position in the batch -> why the row is dropped, such as `customer_id - erased`."""
    reasons: dict[int, str] = {}
    for link in checked:
        column = batch[link.column]
        known = [v for v in pc.unique(column).to_pylist() if suppressed.holds(link.source, v)]
        if known:
            for number in pc.indices_nonzero(pc.is_in(column, pa.array(known, column.type))).to_pylist():
                reasons.setdefault(number, f"{link.column} - erased")
        pattern = contract.column(link.column).pattern
        if pattern:
            # Whose row it is cannot be read from a key without the form of one; any word of the row may tell.
            fits = pc.match_substring_regex(pc.utf8_trim_whitespace(column), pattern)
            for number in pc.indices_nonzero(pc.invert(pc.fill_null(fits, False))).to_pylist():
                if suppressed.mentioned(_text(batch, number), above | {contract.name}):
                    reasons.setdefault(number, "record - erased")
    return reasons


def _text(batch: pa.RecordBatch, number: int) -> str:
    names = (name for name in batch.schema.names if not name.startswith("_"))
    return "\n".join(str(batch[name][number].as_py() or "") for name in names)


def _trace(batch: pa.RecordBatch, number: int, reason: str) -> dict[str, Any]:
    row = {name: batch[name][number].as_py() for name in ("_source_file", "_row_number")}
    return _without_content({**row, "_reason": reason}) | {"_reason": reason}


def _without_content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "_reason": "record - erased", "_payload": None}
