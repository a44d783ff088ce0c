"""What the consumer of a Kinesis stream has stored of it in S3: the embedded AWS's answer to a streaming view.

The stream's tag `RecordsStoredAt`, s3://bucket/prefix, says where. An object there is a batch of one shard, a record a
line; its name is <shard>-<sequence number of the first>.jsonl. The role must be allowed to read the stream, as on AWS;
it need not be allowed to read the objects, which AWS does not know of.
"""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from embedded_aws import service
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.storage import as_sql
from embedded_aws.redshift.streams import StreamBatch

TAG = "RecordsStoredAt"
# What the page of `streams` asks for on the stream.
_READING = ("DescribeStreamSummary", "GetShardIterator", "GetRecords", "ListShards")


class StoredRecords:
    """`streams.StreamRecords` on the embedded S3; IAM applies to the role, as a reader of the stream."""

    def batches(self, stream: str, role: str, known: set[str]) -> Iterator[StreamBatch]:
        _authorize(stream, role)
        bucket, _, prefix = _place(stream).removeprefix("s3://").partition("/")
        s3 = service.operator_client("s3")
        try:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    key = item["Key"]
                    if key in known or not key.endswith(".jsonl"):
                        continue
                    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                    shard, _, sequence = key.rsplit("/", 1)[-1].removesuffix(".jsonl").rpartition("-")
                    stored = item["LastModified"].replace(tzinfo=None)
                    yield StreamBatch(key, shard, sequence, stored, body.splitlines())
        except ClientError as error:
            raise as_sql(error) from error


def _authorize(stream: str, role: str) -> None:
    """Raises SqlError unless the role may read the stream."""
    arn = service.arn("kinesis", f"stream/{stream}")
    try:
        for action in _READING:
            service.authorize(role, f"kinesis:{action}", arn, session="RedshiftIamRoleSession")
    except service.ApiError as error:
        raise SqlError(f"Kinesis stream {stream} cannot be read: {error}") from error


def _place(stream: str) -> str:
    """Looked up as AWS itself. Raises SqlError for a stream that does not exist, or does not say where."""
    kinesis = service.operator_client("kinesis")
    try:
        tags = {tag["Key"]: tag["Value"] for tag in kinesis.list_tags_for_stream(StreamName=stream)["Tags"]}
    except ClientError as error:
        raise SqlError(f"Kinesis stream {stream} cannot be read: {error.response['Error']['Message']}") from error
    if not tags.get(TAG, "").startswith("s3://"):
        raise SqlError(
            f"the embedded Redshift cannot read the stream {stream} itself",
            detail=f"Tag it with {TAG} = s3://bucket/prefix of the objects that its consumer writes.",
        )
    return tags[TAG]
