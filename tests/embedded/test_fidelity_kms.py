"""Who touches what a customer's key encrypts needs the key, as AWS documents it for each service."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import EmbeddedAws, wait

pytestmark = pytest.mark.embedded


def allow(*actions: str, **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **condition}


@pytest.fixture(scope="module")
def key(aws: EmbeddedAws) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def using(aws: EmbeddedAws, service: str, *statements: dict[str, Any]) -> Any:
    """A client of a service with the session of a new role that has these statements."""
    role = aws.role(*statements)
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
    return aws.client(service, session)


def refused(call: Callable[..., Any], **request: Any) -> str:
    """What IAM says to a call that it refuses."""
    with pytest.raises(ClientError, match="not authorized to perform") as error:
        call(**request)
    return str(error.value)


def bucket_under(aws: EmbeddedAws, key: str) -> str:
    s3, name = aws.client("s3"), aws.name("encrypted")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return name


@pytest.mark.contract(
    "kms.s3",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-UsingKMSEncryption.html",
    quote=(
        "To upload or download an object encrypted with an AWS KMS key to or from Amazon S3, you need "
        "kms:GenerateDataKey and kms:Decrypt permissions on the key."
    ),
)
def test_an_object_under_a_customers_key_is_written_and_read_with_the_key(aws: EmbeddedAws, key: str) -> None:
    where = {"Bucket": bucket_under(aws, key), "Key": "k"}
    without = using(aws, "s3", allow("s3:*"))
    assert "kms:GenerateDataKey" in refused(without.put_object, **where, Body=b"1")
    writer = using(aws, "s3", allow("s3:*", "kms:GenerateDataKey"))
    writer.put_object(**where, Body=b"1")
    assert "kms:Decrypt" in refused(writer.get_object, **where)
    writer.head_object(**where)  # the content alone is encrypted
    assert using(aws, "s3", allow("s3:*", "kms:Decrypt")).get_object(**where)["Body"].read() == b"1"
    without.put_object(**where, Body=b"2", ServerSideEncryption="AES256")
    assert without.get_object(**where)["Body"].read() == b"2"


@pytest.mark.contract(
    "kms.s3-multipart",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html",
    says="An upload in parts under a KMS key wants kms:Decrypt, too: Amazon S3 reads the parts that it assembles.",
)
def test_an_upload_in_parts_needs_to_decrypt(aws: EmbeddedAws, key: str) -> None:
    where = {"Bucket": bucket_under(aws, key), "Key": "k"}
    writer = using(aws, "s3", allow("s3:*", "kms:GenerateDataKey"))
    assert "kms:Decrypt" in refused(writer.create_multipart_upload, **where)
    using(aws, "s3", allow("s3:*", "kms:GenerateDataKey", "kms:Decrypt")).create_multipart_upload(**where)


@pytest.mark.contract(
    "kms.via-service",
    page="https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html",
    says="kms:ViaService limits the use of a key to requests that a named service makes for the caller.",
)
def test_a_key_may_be_bound_to_a_service(aws: EmbeddedAws, key: str) -> None:
    where = {"Bucket": bucket_under(aws, key), "Key": "k"}

    def through(service: str) -> Any:
        bound = {"StringEquals": {"kms:ViaService": f"{service}.{aws.region}.amazonaws.com"}}
        return using(aws, "s3", allow("s3:*"), allow("kms:GenerateDataKey", Condition=bound))

    assert "kms:GenerateDataKey" in refused(through("dynamodb").put_object, **where, Body=b"")
    through("s3").put_object(**where, Body=b"")


@pytest.mark.contract(
    "kms.key-policy",
    page="https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
    says="A key's policy must allow it, or name the account and so leave it to IAM policies.",
)
def test_a_key_whose_policy_does_not_name_the_account_is_closed(aws: EmbeddedAws) -> None:
    kms = aws.client("kms")
    own = kms.create_key()["KeyMetadata"]["Arn"]
    where = {"Bucket": bucket_under(aws, own), "Key": "k"}
    role = using(aws, "s3", allow("s3:*", "kms:*"))
    role.put_object(**where, Body=b"")
    nobody = {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    kms.put_key_policy(KeyId=own, PolicyName="default", Policy=policy)
    assert "kms:GenerateDataKey" in refused(role.put_object, **where, Body=b"")


@pytest.mark.contract(
    "kms.kinesis",
    page="https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html",
    quote="Your Kinesis stream producers must have the kms:GenerateDataKey permission.",
)
def test_a_producer_and_a_consumer_of_a_stream_need_its_key(aws: EmbeddedAws, key: str) -> None:
    kinesis, name = aws.client("kinesis"), aws.name("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=key)
    record = {"StreamName": name, "Data": b"x", "PartitionKey": "p"}
    assert "kms:GenerateDataKey" in refused(using(aws, "kinesis", allow("kinesis:*")).put_record, **record)
    producer = using(aws, "kinesis", allow("kinesis:*", "kms:GenerateDataKey"))
    shard = producer.put_record(**record)["ShardId"]
    place = producer.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    reading = {"ShardIterator": place["ShardIterator"], "StreamARN": arn}
    assert "kms:Decrypt" in refused(producer.get_records, **reading)
    assert using(aws, "kinesis", allow("kinesis:*", "kms:Decrypt")).get_records(**reading)["Records"]


@pytest.mark.contract(
    "kms.sqs",
    page="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
    says="Who sends to an encrypted queue needs kms:GenerateDataKey and kms:Decrypt, who receives kms:Decrypt.",
)
def test_who_sends_and_receives_needs_the_queues_key(aws: EmbeddedAws, key: str) -> None:
    url = aws.client("sqs").create_queue(QueueName=aws.name("queue"), Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    message = {"QueueUrl": url, "MessageBody": "x"}
    assert "kms:GenerateDataKey" in refused(using(aws, "sqs", allow("sqs:*")).send_message, **message)
    writer = using(aws, "sqs", allow("sqs:*", "kms:GenerateDataKey"))
    assert "kms:Decrypt" in refused(writer.send_message, **message)
    both = using(aws, "sqs", allow("sqs:*", "kms:GenerateDataKey", "kms:Decrypt"))
    both.send_message(**message)
    assert "kms:Decrypt" in refused(writer.receive_message, QueueUrl=url)
    assert both.receive_message(QueueUrl=url)["Messages"]


@pytest.mark.contract(
    "kms.sns",
    page="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    says="Who publishes to an encrypted topic needs kms:GenerateDataKey and kms:Decrypt on its key.",
)
def test_who_publishes_needs_the_topics_key(aws: EmbeddedAws, key: str) -> None:
    topic = aws.client("sns").create_topic(Name=aws.name("topic"), Attributes={"KmsMasterKeyId": key})["TopicArn"]
    message = {"TopicArn": topic, "Message": "x"}
    assert "kms:GenerateDataKey" in refused(using(aws, "sns", allow("sns:*")).publish, **message)
    using(aws, "sns", allow("sns:*", "kms:GenerateDataKey", "kms:Decrypt")).publish(**message)


@pytest.mark.contract(
    "kms.dynamodb",
    page="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html",
    says="DynamoDB decrypts the table's key as who reads or writes an item, with kms:Decrypt through DynamoDB.",
)
def test_who_reads_an_item_needs_the_tables_key(aws: EmbeddedAws, key: str) -> None:
    name = aws.name("table")
    aws.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    item = {"TableName": name, "Key": {"pk": {"S": "a"}}}
    assert "kms:Decrypt" in refused(using(aws, "dynamodb", allow("dynamodb:*")).get_item, **item)
    bound = {"StringEquals": {"kms:ViaService": f"dynamodb.{aws.region}.amazonaws.com"}}
    using(aws, "dynamodb", allow("dynamodb:*"), allow("kms:Decrypt", Condition=bound)).get_item(**item)


@pytest.mark.contract(
    "kms.secrets-manager",
    page="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
    says="Who reads a secret under a customer managed key needs kms:Decrypt on it.",
)
def test_who_reads_a_secret_needs_its_key(aws: EmbeddedAws, key: str) -> None:
    name = aws.name("secret")
    aws.client("secretsmanager").create_secret(Name=name, SecretString="x", KmsKeyId=key)
    reader = using(aws, "secretsmanager", allow("secretsmanager:*"))
    assert "kms:Decrypt" in refused(reader.get_secret_value, SecretId=name)
    reader = using(aws, "secretsmanager", allow("secretsmanager:*", "kms:Decrypt"))
    assert reader.get_secret_value(SecretId=name)["SecretString"] == "x"


@pytest.mark.contract(
    "kms.sagemaker-volume",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html",
    quote=(
        "required only if the associated ResourceConfig has a specified VolumeKmsKeyId and the associated role does "
        "not have a policy that permits this action"
    ),
)
def test_an_encrypted_volume_needs_a_grant_of_the_role_or_the_caller(aws: EmbeddedAws, key: str) -> None:
    grant = allow("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})

    def start(caller: list[dict[str, Any]], role: list[dict[str, Any]]) -> None:
        sagemaker = using(aws, "sagemaker", allow("sagemaker:*", "iam:PassRole"), *caller)
        sagemaker.create_training_job(
            TrainingJobName=aws.name("job"),
            RoleArn=aws.role(*role, service="sagemaker.amazonaws.com"),
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            HyperParameters={"sagemaker_program": "x.py", "sagemaker_submit_directory": "s3://no/x"},
            OutputDataConfig={"S3OutputPath": "s3://no/models"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
                "VolumeKmsKeyId": key,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )

    with pytest.raises(ClientError, match="not authorized to perform: kms:CreateGrant"):
        start([], [])
    start([grant], [])
    start([], [grant])


@pytest.mark.contract(
    "kms.lambda-variables",
    page="https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html",
    quote="Lambda couldn't decrypt the environment variables because KMS access was denied.",
)
def test_a_function_decrypts_its_variables_with_its_role(aws: EmbeddedAws, key: str) -> None:
    source, lambdas = "def handler(event, context):\n    return 1", aws.client("lambda")

    def answer(*statements: dict[str, Any]) -> Any:
        function = aws.function(source, role=aws.role(*statements, service="lambda.amazonaws.com"), NAME="value")
        lambdas.update_function_configuration(FunctionName=function, KMSKeyArn=key)
        return aws.invoke(function)[0]

    assert answer()["errorType"] == "KMSAccessDeniedException"
    assert answer(allow("kms:Decrypt")) == 1


@pytest.mark.contract(
    "kms.step-functions",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html",
    says="The execution role generates and decrypts data keys under the encryption context of the state machine.",
)
def test_an_execution_under_a_key_needs_its_role_to_use_it(aws: EmbeddedAws, key: str) -> None:
    states = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})

    def run(*statements: dict[str, Any]) -> dict[str, Any]:
        machine = states.create_state_machine(
            name=aws.name("sm"),
            roleArn=aws.role(*statements),
            definition=definition,
            encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key},
        )["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine)["executionArn"]
        return wait(lambda: (d := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and d)

    failed = run(allow("kms:GenerateDataKey"))
    assert (failed["status"], "kms:Decrypt" in failed["cause"]) == ("FAILED", True)
    done = run(allow("kms:GenerateDataKey", "kms:Decrypt"))
    assert done["status"] == "SUCCEEDED"
    reader = using(aws, "stepfunctions", allow("states:*"))
    assert "kms:Decrypt" in refused(reader.describe_execution, executionArn=done["executionArn"])


def test_the_operator_needs_nothing(aws: EmbeddedAws, key: str) -> None:
    where = {"Bucket": bucket_under(aws, key), "Key": "k"}
    aws.client("s3").put_object(**where, Body=b"1")
    assert aws.client("s3").get_object(**where)["Body"].read() == b"1"
