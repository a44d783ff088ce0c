"""Objects of the lake as text, for tests that look for a person in them."""

import base64
import csv
import io
import json

import pyarrow.parquet as pq


def records(key: str, body: bytes) -> list[str]:
    """Each row of an object as text."""
    if key.endswith(".parquet"):
        return [json.dumps(row, default=str) for row in pq.read_table(io.BytesIO(body)).to_pylist()]
    if key.endswith(".csv"):
        return [json.dumps(row) for row in csv.reader(io.StringIO(body.decode(errors="replace")))]
    return body.decode("latin-1").splitlines()


def readable(key: str, body: bytes) -> str:
    """All of an object as text: Parquet decoded, base64 decoded."""
    texts = records(key, body)
    for line in texts:
        if "payload_base64" in line:
            texts.append(base64.b64decode(json.loads(line)["payload_base64"]).decode())
    return "\n".join(texts)
