"""Where COPY reads and UNLOAD writes: S3 with the credentials of a role, behind a small interface."""

from pathlib import Path
from typing import Any, Protocol

from embedded_aws.redshift.errors import SqlError


class Storage(Protocol):
    """Objects of S3 as one role may see them. Every method raises SqlError in Redshift's words."""

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        """(key, size in bytes) of every object under a prefix, in key order."""
        ...

    def download(self, bucket: str, key: str, path: Path) -> None: ...

    def upload(self, path: Path, bucket: str, key: str) -> None: ...


class S3Storage:
    """Storage on the emulated S3; IAM and bucket policies apply to the role."""

    def __init__(self, client: Any) -> None:
        self._s3 = client

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            return [(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]
        except self._s3.exceptions.ClientError as error:
            raise as_sql(error) from error

    def download(self, bucket: str, key: str, path: Path) -> None:
        try:
            self._s3.download_file(bucket, key, str(path))
        except self._s3.exceptions.ClientError as error:
            raise as_sql(error) from error

    def upload(self, path: Path, bucket: str, key: str) -> None:
        from boto3.exceptions import S3UploadFailedError

        try:
            self._s3.upload_file(str(path), bucket, key)
        except S3UploadFailedError as error:
            raise SqlError(f"S3ServiceException:{error.__cause__ or error}") from error
        except self._s3.exceptions.ClientError as error:
            raise as_sql(error) from error


def as_sql(error: Any) -> SqlError:
    """A refusal by S3 as COPY reports it."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("403", "AccessDenied", "Forbidden"):
        code, message = "AccessDenied", "Access Denied"
    return SqlError(f"S3ServiceException:{message},Status {status},Error {code}")
