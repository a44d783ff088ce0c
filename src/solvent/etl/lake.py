"""Where a run's tables lie: zones are buckets, tables prefixes. The only part of the ETL that speaks to S3."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent import naming
from solvent.etl.errors import EtlError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_UPLOADS_AT_ONCE = 8


@dataclass(frozen=True)
class Lake:
    """`buckets`: zone -> bucket. `work`: a local folder that mirrors the zones."""

    portfolio: str
    run_id: str
    buckets: dict[str, str]
    work: Path
    s3: "S3Client"

    def uri(self, zone: str, table: str) -> str:
        """The published address of a table, with a final slash."""
        return f"s3://{self.buckets[zone]}/{naming.table_prefix(self.portfolio, table, self.run_id)}"

    def local(self, zone: str, table: str) -> Path:
        """Its folder in the work folder, created."""
        folder = self.work / zone / table
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def location(self, zone: str, table: str, *, remote: bool) -> str:
        return self.uri(zone, table) if remote else str(self.local(zone, table))

    def stored(self, zone: str, table: str, run_id: str, *, remote: bool) -> str | None:
        """Where an engine reads a table of another run, downloaded unless `remote`; None when it was not published."""
        bucket, prefix = self.buckets[zone], naming.table_prefix(self.portfolio, table, run_id)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [o["Key"] for page in pages for o in page.get("Contents", []) if o["Key"].endswith(".parquet")]
        if not keys:
            return None
        if remote:
            return f"s3://{bucket}/{prefix}"
        folder = self.work / "base" / zone / table
        folder.mkdir(parents=True, exist_ok=True)
        for key in keys:
            self.s3.download_file(bucket, key, str(folder / key.rpartition("/")[2]))
        return str(folder)

    def publish(self, tables: list[tuple[str, str]]) -> None:
        """Upload the folders of `(zone, table)`, several files at a time."""
        files = [
            (path, self.buckets[zone], naming.table_prefix(self.portfolio, table, self.run_id) + path.name)
            for zone, table in tables
            for path in sorted(self.local(zone, table).iterdir())
            if not path.name.startswith(".")  # Hadoop's checksums
        ]
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
            for done in [pool.submit(self.s3.upload_file, str(path), bucket, key) for path, bucket, key in files]:
                done.result()

    def fetch(self, uri: str) -> bytes:
        """Raises EtlError when there is no such object."""
        bucket, key = split(uri)
        return bytes(self._existing(uri, self.s3.get_object, Bucket=bucket, Key=key)["Body"].read())

    def download(self, uri: str, path: Path) -> None:
        """Raises EtlError when there is no such object."""
        bucket, key = split(uri)
        self._existing(uri, self.s3.download_file, bucket, key, str(path))

    def put_json(self, zone: str, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.buckets[zone], Key=key, Body=body, ContentType="application/json")
        return f"s3://{self.buckets[zone]}/{key}"

    def _existing(self, uri: str, call: Any, *args: Any, **kwargs: Any) -> Any:
        from botocore.exceptions import ClientError

        try:
            return call(*args, **kwargs)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                raise EtlError(
                    f"{uri} does not exist although the delivery names it. Deliver it again (`solvent load`). "
                    f"Nothing of it was published."
                ) from error
            raise


def split(uri: str) -> tuple[str, str]:
    """s3://bucket/key -> (bucket, key). Raises EtlError for anything else."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise EtlError(f"{uri!r} is not an s3://bucket/key address. Nothing was published.")
    return bucket, key
