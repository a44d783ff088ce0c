"""Whether an object is missing is told to those alone who may list its bucket, as in S3."""

from typing import Any

from embedded_aws import adapter

READS = ("s3:GetObject", "s3:GetObjectVersion")


def enforce(inner: Any, key: str, action: str, service: str, region_name: str, **call: Any) -> Any:
    """Around IAM's check of a call: reading what is not there wants `s3:ListBucket` on the bucket, too."""
    denied = inner(key, action, service, region_name, **call)
    if denied is not None or action not in READS or adapter.IS_ROOT_KEY.get()(key):
        return denied
    bucket_arn, _, name = call.get("resource_arn", "*").partition("/")
    bucket = adapter.S3_BUCKETS.get().get(bucket_arn.rsplit(":", 1)[-1])
    if bucket is None or name in bucket.get("objects", {}):
        return None
    return inner(key, "s3:ListBucket", service, region_name, resource_arn=bucket_arn)


def install() -> None:
    """Called once, after the check of keys is installed, which this one surrounds."""
    adapter.IAM_ENFORCE.wrap(enforce)
