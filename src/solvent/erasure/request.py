"""A pending erasure: whom it is about, who asked, and the person's keys once they are known.

The only object that holds the id. It makes a killed erasure resumable, and goes, with all its versions, when the proof
is written. A job's arguments stay in Glue's history, so the job is told the erasure's id alone.
"""

import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from solvent import naming
from solvent.contracts import Contract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}")


class ErasureError(Exception):
    """The erasure cannot be done, or not now; the message says why and what to do."""


@dataclass
class Request:
    """`person` and `pseudonyms` are filled in by the job; `dry_run` only looks."""

    erasure_id: str
    portfolio: str
    customer: str
    requested_by: str
    reason: str
    requested_at: str
    dry_run: bool = False
    person: dict[str, Any] | None = None
    known: bool = False
    pseudonyms: dict[str, str] = field(default_factory=dict)


def new(*, portfolio: str, source: Contract, customer: str, requested_by: str, reason: str, dry_run: bool) -> Request:
    """A request of now. Raises ErasureError for an id that is none; the message does not repeat it."""
    pattern = source.column(source.key[0]).pattern
    if pattern and not re.fullmatch(pattern, customer):
        raise ErasureError(
            f"That is no {source.key[0]} of {portfolio}: contract {source.name} wants {pattern}. Nothing was erased."
        )
    now = datetime.now(UTC)
    return Request(
        erasure_id=f"{now:%Y-%m-%d}-{secrets.token_hex(6)}",
        portfolio=portfolio,
        customer=customer,
        requested_by=requested_by,
        reason=reason,
        requested_at=now.isoformat(timespec="seconds"),
        dry_run=dry_run,
    )


def put(s3: "S3Client", bucket: str, request: Request) -> None:
    s3.put_object(Bucket=bucket, Key=naming.request_key(request.erasure_id), Body=json.dumps(asdict(request)).encode())


def get(s3: "S3Client", bucket: str, erasure_id: str) -> Request | None:
    """None where there is no such request: it has ended, or never was."""
    from botocore.exceptions import ClientError

    if not _ID.fullmatch(erasure_id):
        raise ErasureError(f"{erasure_id[:40]!r} is no erasure's id. Start it with `solvent erase`.")
    try:
        body = s3.get_object(Bucket=bucket, Key=naming.request_key(erasure_id))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise
    return Request(**json.loads(body))


def pending(s3: "S3Client", bucket: str, portfolio: str, customer: str, *, dry_run: bool) -> Request | None:
    """A request for the same person that has not ended: it is taken up again."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=naming.REQUESTS)
    for stored in (o for page in pages for o in page.get("Contents", [])):
        found = get(s3, bucket, stored["Key"].removeprefix(naming.REQUESTS).removesuffix(".json"))
        if found and (found.portfolio, found.customer, found.dry_run) == (portfolio, customer, dry_run):
            return found
    return None
