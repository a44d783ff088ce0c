"""What starts executions: objects that arrive, and the clock; and what an SSL-only bucket policy lets through."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from conftest import EmbeddedAws, wait

pytestmark = pytest.mark.embedded
START = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}


def make_bucket(aws: EmbeddedAws) -> str:
    name = aws.name("b")
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    return name


def make_machine(aws: EmbeddedAws) -> str:
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    answer = aws.client("stepfunctions").create_state_machine(
        name=aws.name("sm"), roleArn=aws.role(), definition=json.dumps(definition)
    )
    return answer["stateMachineArn"]


def inputs(aws: EmbeddedAws, machine: str) -> list[dict]:
    sfn = aws.client("stepfunctions")
    found = sfn.list_executions(stateMachineArn=machine)["executions"]
    return [json.loads(sfn.describe_execution(executionArn=e["executionArn"])["input"]) for e in found]


@pytest.mark.contract(
    "eventbridge.input-transformer",
    page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html",
    says="An input transformer changes what of the event the target gets.",
)
def test_an_object_that_arrives_starts_an_execution_with_a_transformed_input(aws: EmbeddedAws) -> None:
    # S3 EventBridge: "Object Created" events of the bucket; eb-transform-target-input: InputPathsMap and InputTemplate.
    bucket, machine, rule = make_bucket(aws), make_machine(aws), aws.name("rule")
    s3, events = aws.client("s3"), aws.client("events")
    configuration = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"suffix": "/manifest.json"}]}},
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    transformer = {
        "InputPathsMap": {"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"},
        "InputTemplate": '{"manifest": "s3://<bucket>/<key>"}',
    }
    role = aws.role(START, service="events.amazonaws.com")
    target = {"Id": "t", "Arn": machine, "RoleArn": role, "InputTransformer": transformer}
    events.put_targets(Rule=rule, Targets=[target])
    s3.put_object(Bucket=bucket, Key="lending/d1/customers.csv", Body=b"")
    s3.put_object(Bucket=bucket, Key="lending/d1/manifest.json", Body=b"{}")
    assert wait(lambda: inputs(aws, machine)) == [{"manifest": f"s3://{bucket}/lending/d1/manifest.json"}]


@pytest.mark.contract(
    "scheduler.at",
    page="https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html",
    quote=(
        "You can use at expressions to create one-time schedules that invoke a target once, at the time and "
        "in the time zone, that you specify."
    ),
)
def test_a_schedule_starts_an_execution(aws: EmbeddedAws) -> None:
    machine, name = make_machine(aws), aws.name("schedule")
    role, soon = aws.role(START, service="scheduler.amazonaws.com"), datetime.now(UTC) + timedelta(seconds=1)
    aws.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": machine, "RoleArn": role, "Input": '{"portfolio": "lending"}'},
    )
    assert wait(lambda: inputs(aws, machine), 30)[0] == {"portfolio": "lending"}


@pytest.mark.contract(
    "s3.secure-transport",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
    says="aws:SecureTransport is false for a request without TLS; here the loopback counts as TLS.",
)
def test_the_loopback_counts_as_tls_for_an_ssl_only_policy(aws: EmbeddedAws) -> None:
    bucket = make_bucket(aws)
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources}
    deny["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    s3 = aws.client("s3")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    role = aws.role({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"})
    credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    aws.client("s3", credentials).put_object(Bucket=bucket, Key="k", Body=b"x")


@pytest.mark.contract(
    "iam.policy-variable",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html",
    says="A policy variable stands for the value that the key has in the request.",
)
def test_a_policy_variable_is_filled_in(aws: EmbeddedAws) -> None:
    # reference_policies_variables: ${aws:userid} and the like may stand in a condition's value.
    bucket, sts = make_bucket(aws), aws.client("sts")
    condition = {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}
    role = aws.role({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": condition})
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    aws.client("s3", credentials).put_object(Bucket=bucket, Key="k", Body=b"x")
