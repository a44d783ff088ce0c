"""Event source mappings of Kinesis as AWS documents them; ministack loses the records of a partial failure."""

import json
from typing import Any

import pytest
from conftest import EmbeddedAws, wait

pytestmark = pytest.mark.embedded

# Fails on records whose data is "bad", in the way that `HOW` says, and notes every batch it gets in a bucket.
SOURCE = """
import base64, boto3, json, os, time

def handler(event, context):
    batch = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=f"{time.time_ns()}", Body=json.dumps(batch))
    bad = [r["kinesis"]["sequenceNumber"] for r, data in zip(event["Records"], batch) if data == "bad"]
    if bad and os.environ["HOW"] == "raise":
        raise ValueError("bad record")
    return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}
"""


class Stream:
    """A one-shard stream mapped to a function that records what it is given, with an on-failure queue."""

    def __init__(self, aws: EmbeddedAws, how: str, **mapping: Any) -> None:
        self.aws, self.name, self.bucket = aws, aws.name("stream"), aws.name("seen")
        location = {"LocationConstraint": aws.region}
        aws.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=location)
        aws.client("kinesis").create_stream(StreamName=self.name, ShardCount=1)
        self.queue = aws.client("sqs").create_queue(QueueName=aws.name("lost"))["QueueUrl"]
        actions = ["s3:PutObject", "kinesis:*", "sqs:SendMessage"]
        role = aws.role({"Effect": "Allow", "Action": actions, "Resource": "*"}, service="lambda.amazonaws.com")
        arn = f"arn:aws:kinesis:{aws.region}:{aws.account}:stream/{self.name}"
        wait(lambda: aws.client("kinesis").describe_stream_summary(StreamName=self.name))
        self.mapping = aws.client("lambda").create_event_source_mapping(
            EventSourceArn=arn,
            FunctionName=aws.function(SOURCE, role=role, BUCKET=self.bucket, HOW=how),
            StartingPosition="LATEST",
            BatchSize=10,
            DestinationConfig={
                "OnFailure": {"Destination": f"arn:aws:sqs:{aws.region}:{aws.account}:{self.queue.rsplit('/', 1)[-1]}"}
            },
            **mapping,
        )

    def put(self, *data: str) -> list[str]:
        """The sequence numbers of the records."""
        records = [{"Data": d.encode(), "PartitionKey": "k"} for d in data]
        answer = self.aws.client("kinesis").put_records(StreamName=self.name, Records=records)
        return [r["SequenceNumber"] for r in answer["Records"]]

    def batches(self) -> list[list[str]]:
        """What the function was given, in order."""
        s3 = self.aws.client("s3")
        keys = sorted(o["Key"] for o in s3.list_objects_v2(Bucket=self.bucket).get("Contents", []))
        return [json.loads(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in keys]

    def lost(self) -> dict[str, Any] | None:
        """The first notice on the on-failure queue."""
        found = self.aws.client("sqs").receive_message(QueueUrl=self.queue).get("Messages", [])
        return json.loads(found[0]["Body"]) if found else None

    def close(self) -> None:
        self.aws.client("lambda").delete_event_source_mapping(UUID=self.mapping["UUID"])


@pytest.mark.contract(
    "kinesis.partial-failure",
    page="https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html",
    quote=(
        "If the batchItemFailures array contains multiple items, Lambda uses the record with the lowest "
        "sequence number as the checkpoint."
    ),
)
def test_a_partial_failure_is_retried_from_the_lowest_failed_record(aws: EmbeddedAws) -> None:
    # services-kinesis-batchfailurereporting: "Lambda retries records starting from the lowest sequence number".
    stream = Stream(aws, "report", FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    numbers = stream.put("a", "bad", "c")
    notice = wait(stream.lost)
    assert stream.batches() == [["a", "bad", "c"], ["bad", "c"]]
    assert notice["requestContext"]["condition"] == "RetryAttemptsExhausted"
    info = notice["KinesisBatchInfo"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"], info["batchSize"]) == (numbers[1], numbers[2], 2)
    stream.put("after")
    wait(lambda: stream.batches()[-1] == ["after"])  # the shard goes on behind the poison
    stream.close()


@pytest.mark.contract(
    "kinesis.bisect",
    page="https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html",
    quote="If the function returns an error, split the batch in two and retry.",
)
def test_bisection_isolates_the_bad_record(aws: EmbeddedAws) -> None:
    # kinesis-on-failure-destination: "Splitting a batch does not consume the retry quota."
    stream = Stream(aws, "raise", BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)
    numbers = stream.put("a", "b", "bad", "d")
    notice = wait(stream.lost)
    wait(lambda: ["d"] in stream.batches())
    assert ["a", "b"] in stream.batches()
    info = notice["KinesisBatchInfo"]
    assert (info["startSequenceNumber"], info["batchSize"]) == (numbers[2], 1)
    stream.close()


@pytest.mark.contract(
    "kinesis.role",
    page="https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html",
    says=(
        "The mapping reads the stream with the function's execution role; without the permission it stands "
        "still and says so."
    ),
)
def test_a_role_that_may_not_read_the_stream_gets_nothing(aws: EmbeddedAws) -> None:
    stream = Stream(aws, "report")
    role = aws.client("lambda").get_function_configuration(FunctionName=stream.mapping["FunctionArn"])["Role"]
    aws.client("iam").delete_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyName="p")
    stream.put("a")
    functions = aws.client("lambda")
    wait(
        lambda: (
            "kinesis:DescribeStream"
            in functions.get_event_source_mapping(UUID=stream.mapping["UUID"])["LastProcessingResult"]
        )
    )
    assert stream.batches() == []
    stream.close()


@pytest.mark.contract(
    "kinesis.filter",
    page="https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html",
    says="The function is given the records that the mapping's filter criteria match; the others are passed over.",
)
def test_a_filter_keeps_records_from_the_function(aws: EmbeddedAws) -> None:
    pattern = json.dumps({"data": {"stage": ["submitted"]}})
    stream = Stream(aws, "report", FilterCriteria={"Filters": [{"Pattern": pattern}]})
    wanted = json.dumps({"stage": "submitted"})
    stream.put(json.dumps({"stage": "seen"}), wanted)
    assert wait(stream.batches) == [[wanted]]
    stream.close()
