"""CloudFormation as AWS documents it: nothing dropped in silence, custom resources that answer, rollbacks with a
reason.
"""

import json
import time
from typing import Any

import pytest
from conftest import EmbeddedAws, wait

from embedded_aws import table

pytestmark = pytest.mark.embedded


def deploy(aws: EmbeddedAws, resources: dict[str, Any], **template: Any) -> dict[str, Any]:
    """DescribeStacks of a new stack once it is settled."""
    formation, name = aws.client("cloudformation"), aws.name("stack")
    body = json.dumps({"Resources": resources, **template})
    formation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])

    def settled() -> dict[str, Any] | None:
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    return wait(settled, 60)


def reasons(aws: EmbeddedAws, stack: dict[str, Any]) -> str:
    events = aws.client("cloudformation").describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    return "\n".join(e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"].endswith("FAILED"))


REFUSED = {
    "AWS::S3::Bucket": "ReplicationConfiguration",
    "AWS::Lambda::Function": "FileSystemConfigs",
    "AWS::Kinesis::Stream": "DesiredShardLevelMetrics",
    "AWS::DynamoDB::Table": "ResourcePolicy",
    "AWS::Glue::Job": "MaxCapacity",
    "AWS::EC2::VPC": "Ipv4IpamPoolId",
    "AWS::RedshiftServerless::Workgroup": "SnapshotName",
    "AWS::SNS::Topic": "ArchivePolicy",
}


def test_a_refused_property_fails_the_deploy_by_name(aws: EmbeddedAws) -> None:
    rows = {row.name: row for row in table.rows()}
    for kind, name in REFUSED.items():
        assert f"`{name}`" in rows[kind].refused, kind
        stack = deploy(aws, {"R": {"Type": kind, "Properties": {name: {}}}})
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert f"{kind}: the embedded AWS would drop {name} in silence" in reasons(aws, stack)
        assert "embedded_aws/cloudformation/properties.yaml" in reasons(aws, stack)


def test_an_unknown_resource_type_fails_the_deploy_by_name(aws: EmbeddedAws) -> None:
    stack = deploy(aws, {"R": {"Type": "AWS::EKS::Cluster", "Properties": {}}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "AWS::EKS::Cluster" in reasons(aws, stack)


@pytest.mark.contract(
    "cloudformation.bucket-properties",
    page="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html",
    says=(
        "BucketEncryption, LifecycleConfiguration, LoggingConfiguration and VersioningConfiguration become "
        "the bucket's."
    ),
)
def test_a_bucket_keeps_its_encryption_life_cycle_and_logging(aws: EmbeddedAws) -> None:
    name, logs = aws.name("b"), aws.name("logs")
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "Key"}}}
    properties = {
        "BucketName": name,
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{**encryption, "BucketKeyEnabled": True}]},
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "Status": "Enabled",
                    "Prefix": "p/",
                    "ExpirationInDays": 30,
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                }
            ]
        },
        "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "l/"},
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    resources = {
        "Key": key,
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": logs}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties},
    }
    assert deploy(aws, resources)["StackStatus"] == "CREATE_COMPLETE"
    s3 = aws.client("s3")
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["Expiration"] == {"Days": 30}
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetBucket"] == logs
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    assert s3.head_object(Bucket=name, Key="k")["ServerSideEncryption"] == "aws:kms"


CUSTOM = """
import json, urllib.request

def handler(event, context):
    if event["ResourceProperties"].get("Crash") and event["RequestType"] == "Create":
        raise RuntimeError("the migration 0003 was edited")
    answer = {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    value = event["ResourceProperties"]["Value"]
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": "made", "Data": {"Seen": value}}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=10)
"""


def custom(function: str, **properties: Any) -> dict[str, Any]:
    return {"Custom": {"Type": "Custom::Thing", "Properties": {"ServiceToken": function, **properties}}}


@pytest.mark.contract(
    "cloudformation.custom-resource",
    page="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html",
    quote="You can access the values provided here by name in the template with Fn::GetAtt.",
)
def test_a_custom_resource_of_our_own_runs(aws: EmbeddedAws) -> None:
    outputs = {"Seen": {"Value": {"Fn::GetAtt": ["Custom", "Seen"]}}}
    stack = deploy(aws, custom(aws.function(CUSTOM), Value="v1"), Outputs=outputs)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == "v1"


@pytest.mark.contract(
    "cloudformation.custom-resource-crash",
    page="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html",
    says=(
        "A custom resource that does not answer fails the stack; AWS waits for ServiceTimeout, an hour by "
        "default, here it fails at once with the exception."
    ),
)
def test_a_custom_resource_that_crashes_fails_the_stack_in_seconds(aws: EmbeddedAws) -> None:
    # crpg-ref-responses: without an answer AWS waits until the time-out, an hour by default.
    begun = time.monotonic()
    stack = deploy(aws, custom(aws.function(CUSTOM), Value="v1", Crash="yes"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "RuntimeError: the migration 0003 was edited" in reasons(aws, stack)
    assert time.monotonic() - begun < 15


def test_a_custom_resource_that_never_answers_fails_the_stack(aws: EmbeddedAws) -> None:
    stack = deploy(aws, custom(aws.function("def handler(event, context):\n    pass"), Value="v1"))
    assert stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert "returned without answering" in reasons(aws, stack)


@pytest.mark.contract(
    "cloudformation.stack-output",
    page="https://docs.aws.amazon.com/cdk/v2/guide/resources.html",
    says="CDK's weak references between stacks read the other stack's output when the template is deployed.",
)
def test_a_weak_reference_reads_another_stacks_output(aws: EmbeddedAws) -> None:
    # CDK's weak cross-stack references are Fn::GetStackOutput.
    queue = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": aws.name("q")}}}
    producer = deploy(aws, queue, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}}})
    value = {"Fn::GetStackOutput": {"StackName": producer["StackName"], "OutputName": "Arn"}}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": aws.name("p"), "Type": "String", "Value": value}}
    consumer = deploy(aws, {"P": parameter}, Outputs={"Name": {"Value": {"Ref": "P"}}})
    found = aws.client("ssm").get_parameter(Name=consumer["Outputs"][0]["OutputValue"])["Parameter"]["Value"]
    assert found == producer["Outputs"][0]["OutputValue"]


@pytest.mark.contract(
    "cloudformation.auto-delete",
    page="https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_s3.Bucket.html",
    says="autoDeleteObjects empties the bucket before its stack deletes it.",
)
def test_the_auto_delete_helper_empties_a_bucket_with_its_stack(aws: EmbeddedAws) -> None:
    name = aws.name("b")
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}},
        "Empty": {
            "Type": "Custom::S3AutoDeleteObjects",
            "Properties": {
                "ServiceToken": "arn:aws:lambda:eu-west-1:000000000000:function:x",
                "BucketName": {"Ref": "Bucket"},
            },
        },
    }
    stack = deploy(aws, resources)
    s3, formation = aws.client("s3"), aws.client("cloudformation")
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    formation.delete_stack(StackName=stack["StackName"])
    wait(lambda: name not in [b["Name"] for b in s3.list_buckets()["Buckets"]])
