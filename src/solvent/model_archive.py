"""What a training job's archive says of its model, read in memory: member by member, and no name becomes a path."""

import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass
from typing import Any

from solvent.model_folder import MANIFEST

EVALUATION = "evaluation.json"
LARGEST_EVALUATION = 1_000_000
LARGEST_DOCUMENT = 5_000_000
_DOCUMENT = re.compile(r"evidence/([a-z_]+[.](?:html|json))")


class UnreadableModel(Exception):
    """A model archive without a readable evaluation; the message says which."""


@dataclass(frozen=True)
class ModelArchive:
    """`size` in bytes; `documents` are those of the folder `evidence`, by name.

    `manifest` is the SHA-256 of model.json, None where there is none and nothing could be served.
    """

    evaluation: dict[str, Any]
    documents: dict[str, bytes]
    manifest: str | None
    size: int


def read(s3: Any, uri: str) -> ModelArchive:
    """The archive at `s3://bucket/key`, by a boto3 client. Raises UnreadableModel; what else it holds is left alone."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    evaluation, documents, manifest = None, {}, None
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if name == EVALUATION and member.size <= LARGEST_EVALUATION:
                    evaluation = json.loads(_content(archive, member))
                elif name == MANIFEST and member.size <= LARGEST_DOCUMENT:
                    manifest = hashlib.sha256(_content(archive, member)).hexdigest()
                elif (document := _DOCUMENT.fullmatch(name)) and member.size <= LARGEST_DOCUMENT:
                    documents[document[1]] = _content(archive, member)
    except (tarfile.TarError, ValueError, EOFError, OSError) as error:
        raise UnreadableModel(f"{uri} is no model archive of this platform: {error}. Train again.") from error
    if not isinstance(evaluation, dict) or not {"auc", "rows"} <= set(evaluation):
        raise UnreadableModel(f"{uri} holds no {EVALUATION} with auc and rows. Train again with this release.")
    return ModelArchive(evaluation, documents, manifest, len(body))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""
