"""Two buckets, a secret and the extraction between them: what the tests of extraction share."""

import functools
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.csv as pacsv
from servers import Server

from solvent import delivery
from solvent.contracts import Column, Contract
from solvent.extraction import extract
from solvent.extraction.databases import Database

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


@functools.cache
def _client(url: str, service: str) -> Any:
    session = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    return session.client(service, endpoint_url=url)


@dataclass
class Lake:
    """Two buckets and a secret of one test, and the extraction that it runs."""

    url: str
    landing: str
    artifacts: str
    secret: str

    def client(self, service: str) -> Any:
        return _client(self.url, service)

    def tell(self, server: Server, **changed: str) -> None:
        """Write user and password of a server into the secret."""
        given = json.dumps({"username": server.user, "password": server.password, **changed})
        self.client("secretsmanager").create_secret(Name=self.secret, SecretString=given)

    def job(self, name: str, server: Server | None = None, **options: Any) -> extract.Job:
        known = {"core": Database(server.url, self.secret)} if server else {}
        return extract.Job(name, {**known, **options.pop("databases", {})}, self.landing, self.artifacts, **options)

    def run(self, job: extract.Job, work: Path, *, s3: Any = None, now: datetime = NOW) -> dict[str, Any]:
        return extract.run(job, s3=s3 or self.client("s3"), secrets=self.client("secretsmanager"), work=work, now=now)

    def process(self, server: Server, *arguments: str) -> subprocess.Popen[str]:
        """The real script as a process, as Glue starts it."""
        given = {
            "extraction": "lending",
            "source": "all",
            "full": "false",
            "as_of": "2026-07-01",
            "databases": json.dumps({"core": {"url": server.url, "secret": self.secret}}),
            "landing_bucket": self.landing,
            "artifacts_bucket": self.artifacts,
            **dict(zip(arguments[::2], arguments[1::2], strict=True)),
        }
        path = f"{ROOT / 'embedded_aws' / 'glue' / 'shim'}:{ROOT / 'src'}"
        return subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "glue_jobs" / "extract.py"),
                *(p for k, v in given.items() for p in (f"--{k}", v)),
            ],
            env={**os.environ, **KEYS, "AWS_ENDPOINT_URL": self.url, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def objects(self, bucket: str | None = None) -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket or self.landing)
        return [o["Key"] for page in pages for o in page.get("Contents", [])]

    def body(self, key: str, bucket: str | None = None) -> bytes:
        return self.client("s3").get_object(Bucket=bucket or self.landing, Key=key)["Body"].read()

    def manifests(self) -> list[delivery.Manifest]:
        return [delivery.parse(self.body(key)) for key in sorted(self.objects()) if key.endswith("/manifest.json")]

    def rows(self, address: str | None, source: str) -> list[dict[str, str | None]]:
        """The rows that a manifest delivers of a source, texts and nulls told apart; each file is what it says."""
        assert address is not None
        key = address.removeprefix(f"s3://{self.landing}/")
        found: list[dict[str, str | None]] = []
        for file in delivery.parse(self.body(key)).files_of(source):
            body = self.body(key.replace("manifest.json", file.name))
            assert len(body) == file.bytes
            found += read_csv(body)
        return found


def read_csv(body: bytes) -> list[dict[str, str | None]]:
    header = body.split(b"\n", 1)[0].decode().replace('"', "").split(",")
    options = pacsv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pacsv.ParseOptions(newlines_in_values=True)
    return pacsv.read_csv(io.BytesIO(body), parse_options=parse, convert_options=options).to_pylist()


def contract(name: str, *columns: str, key: str) -> Contract:
    """A source of `lending` with text columns: an extraction reads only their names."""
    return Contract(
        name=name,
        portfolio="lending",
        kind="source",
        schema="lending",
        zone="landing",
        description="",
        columns=tuple(Column(c, "string", "VARCHAR(100)") for c in columns),
        key=(key,),
    )
