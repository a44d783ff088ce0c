"""Objects of S3 in and out of a job's folder, with the credentials of its role."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws import service

NATIVE = (".so", ".pyd", ".dylib")  # how the files of compiled packages end


class JobError(Exception):
    """A job, or the start of a container, failed; the text is the FailureReason."""


def split(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` -> (bucket, key)."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def s3_of(role: str) -> Any:
    """S3 as a role sees it."""
    return service.client("s3", role, "SageMaker")


def keys(s3: Any, uri: str, role: str) -> list[str]:
    """The objects under an S3 prefix. Raises JobError, in AWS's words, when there are none or listing is denied."""
    bucket, prefix = split(uri)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
    except ClientError as error:
        raise JobError(f"ClientError: Data download failed:{error} (role {role}, {uri})") from error
    if not found:
        raise JobError(
            f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
            f'bucket exists, that objects exist under that S3 prefix, and that the role "{role}" has "s3:ListBucket" '
            f'permissions on bucket "{bucket}".'
        )
    return found


def relative(key: str, uri: str) -> str:
    """An object's path below a prefix: its base name when the prefix is the object itself."""
    _, prefix = split(uri)
    return key[len(prefix) :].lstrip("/") if key != prefix else os.path.basename(key)  # noqa: PTH119


def download_prefix(role: str, uri: str, folder: Path) -> None:
    """Every object under a prefix into a folder. Raises JobError."""
    s3, (bucket, _) = s3_of(role), split(uri)
    for key in keys(s3, uri, role):
        target = folder / relative(key, uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        download(s3, bucket, key, target)


def leave_out_native(folder: Path) -> None:
    """Remove archives of packages for the container's platform, which is not this machine's."""
    for path in folder.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            native = any(name.endswith(NATIVE) for name in archive.namelist())
        if native:
            path.unlink()


def download(s3: Any, bucket: str, key: str, target: Path) -> None:
    """One object into a file. Raises JobError."""
    try:
        s3.download_file(bucket, key, str(target))
    except ClientError as error:
        raise JobError(f"ClientError: Data download failed:{error} (s3://{bucket}/{key})") from error


def upload(role: str, path: Path, uri: str) -> None:
    """A file to an object. Raises JobError."""
    bucket, key = split(uri)
    try:
        s3_of(role).upload_file(str(path), bucket, key)
    except Exception as error:
        raise JobError(f"ClientError: Artifact upload failed:{error}") from error


def unpack(archive: Path, folder: Path) -> None:
    """A tar.gz (or zip) into a folder. Raises JobError for anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")  # noqa: S202
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed_zip:
            packed_zip.extractall(folder)  # noqa: S202
    else:
        raise JobError(f"ClientError: {archive.name} is not a tar.gz archive")


def fetch_archive(role: str, uri: str, folder: Path) -> None:
    """Download an archive and unpack it into a folder. Raises JobError."""
    folder.mkdir(parents=True, exist_ok=True)
    bucket, key = split(uri)
    archive = folder.parent / f"{folder.name}.archive"
    download(s3_of(role), bucket, key, archive)
    unpack(archive, folder)
    archive.unlink()


def pack(folder: Path, archive: Path) -> None:
    """A folder's contents as tar.gz; quick rather than small."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        for path in sorted(folder.iterdir()):
            packed.add(path, arcname=path.name)


def clean(folder: Path) -> Path:
    """A folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
