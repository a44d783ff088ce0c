"""How a delivery lands: its files, then the manifest, whose arrival starts `ingest`."""

from pathlib import Path
from typing import Any

from solvent import naming
from solvent.delivery import Manifest


def put(s3: Any, bucket: str, folder: Path, manifest: Manifest) -> str:
    """Upload a folder's files and last the manifest; returns its address. The same folder lands under the same keys."""
    key = naming.manifest_key(manifest.portfolio, manifest.delivery_id)
    for file in manifest.files:
        s3.upload_file(str(folder / file.name), bucket, key.replace("manifest.json", file.name))
    s3.put_object(Bucket=bucket, Key=key, Body=manifest.to_bytes(), ContentType="application/json")
    return f"s3://{bucket}/{key}"
