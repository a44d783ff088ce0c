"""Delivered files after an erasure: their manifest stays as it is, a note beside it says what they are now.

The manifest is the run's identity, and its arrival starts `ingest`: were it rewritten, a completed run would begin
anew under another id. The ETL takes a file that is what its manifest says, or what an erasure left of it.
"""

import json
import re
from typing import TYPE_CHECKING

from solvent import contracts, naming
from solvent.erasure.keys import delimiter_of
from solvent.etl import suppression

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FILE = re.compile(r"[^/]+/[^/]+/([a-z_]+)(-\d+)?[.](csv|txt)")


def delimiter(key: str) -> str:
    """What separates the fields of a delivered file, by the contract that its name tells."""
    match, known = _FILE.fullmatch(key), contracts.load()
    return delimiter_of(known[match[1]] if match and match[1] in known else None)


def note(s3: "S3Client", bucket: str, key: str, sha256: str) -> None:
    """Before a file is replaced: its new hash, for the next run of that delivery."""
    folder, _, name = key.rpartition("/")
    files = suppression.erased_files(s3, bucket, folder)
    if sha256 not in files.get(name, []):
        files.setdefault(name, []).append(sha256)
        body = json.dumps({"files": files}, sort_keys=True).encode()
        s3.put_object(Bucket=bucket, Key=f"{folder}/{naming.ERASED}", Body=body, ContentType="application/json")
