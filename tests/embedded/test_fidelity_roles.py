"""What AWS's services do with a role: assume it only where it trusts them, and nothing that it does not allow."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import LOGS, EmbeddedAws, wait

pytestmark = pytest.mark.embedded

PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


def allow(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def trust(aws: EmbeddedAws, role: str, service: str, **condition: Any) -> None:
    """Give a role a trust policy that names one service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").update_assume_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyDocument=document)


@pytest.mark.contract(
    "s3.absent-object",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html",
    quote=(
        "If you have the s3:ListBucket permission on the bucket, Amazon S3 returns an HTTP status code 404 Not Found "
        "error."
    ),
)
def test_a_missing_object_is_not_found_by_those_alone_who_may_list(aws: EmbeddedAws) -> None:
    bucket = aws.name("listed")
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region})
    answers = {}
    for actions in (("s3:GetObject",), ("s3:GetObject", "s3:ListBucket")):
        role = aws.role(allow(*actions))
        session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
        with pytest.raises(ClientError) as error:
            aws.client("s3", session).get_object(Bucket=bucket, Key="nowhere")
        answers[actions] = error.value.response["Error"]["Code"]
    assert list(answers.values()) == ["AccessDenied", "NoSuchKey"]


@pytest.mark.contract(
    "iam.trust-policy",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html",
    says="A service may assume a role only when the role's trust policy names it, its conditions included.",
)
def test_a_service_assumes_only_a_role_that_trusts_it(aws: EmbeddedAws) -> None:
    states, role = aws.client("stepfunctions"), aws.role()
    machine = {"roleArn": role, "definition": PASS}
    for service, condition in (
        ("glue.amazonaws.com", {}),
        ("states.amazonaws.com", {"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}}),
    ):
        trust(aws, role, service, **condition)
        with pytest.raises(ClientError, match="authorized to assume the provided role"):
            states.create_state_machine(name=aws.name("sm"), **machine)
    trust(aws, role, "states.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": aws.account}})
    states.create_state_machine(name=aws.name("sm"), **machine)


@pytest.mark.contract(
    "iam.trust-policy-of-a-function",
    page="https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    says="Lambda assumes the function's execution role, which must trust lambda.amazonaws.com.",
)
def test_a_function_whose_role_does_not_trust_lambda_does_not_run(aws: EmbeddedAws) -> None:
    role = aws.role(service="lambda.amazonaws.com")
    function = aws.function("def handler(event, context):\n    return 1", role=role)
    assert aws.invoke(function) == (1, None)
    trust(aws, role, "glue.amazonaws.com")
    assert "cannot be assumed by Lambda" in aws.invoke(function)[0]["errorMessage"]


@pytest.mark.contract(
    "step-functions.managed-rule",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html",
    says="A role for .sync must allow events:PutRule, PutTargets and DescribeRule on the rule that tells of the end.",
)
@pytest.mark.parametrize("missing", ["PutRule", "PutTargets", "DescribeRule"])
def test_a_machine_that_waits_needs_its_rule(aws: EmbeddedAws, missing: str) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": {}, "End": True}
    definition = json.dumps({"StartAt": "T", "States": {"T": task}})
    operations = ["PutRule", "PutTargets", "DescribeRule"]
    states = aws.client("stepfunctions")
    most = aws.role(allow(*(f"events:{o}" for o in operations if o != missing)))
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        states.create_state_machine(name=aws.name("sm"), roleArn=most, definition=definition)
    every = aws.role(allow(*(f"events:{o}" for o in operations)))
    states.create_state_machine(name=aws.name("sm"), roleArn=every, definition=definition)


@pytest.mark.contract(
    "step-functions.log-delivery",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
    says="A machine that logs needs a role that may set up the delivery of logs.",
)
def test_a_machine_that_logs_needs_the_delivery_of_logs(aws: EmbeddedAws) -> None:
    states = aws.client("stepfunctions")
    logging = {
        "level": "ALL",
        "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": f"arn:aws:logs:{aws.region}:{aws.account}:log-group:g:*"}}
        ],
    }
    machine = {"definition": PASS, "loggingConfiguration": logging}
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        states.create_state_machine(name=aws.name("sm"), roleArn=aws.role(), **machine)
    states.create_state_machine(name=aws.name("sm"), roleArn=aws.role(LOGS), **machine)


@pytest.mark.contract(
    "lambda.log-role",
    page="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    says="A function's log is written with its execution role; without the permissions there is none.",
)
@pytest.mark.parametrize("missing", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])
def test_a_function_that_may_not_log_runs_without_a_log(aws: EmbeddedAws, missing: str) -> None:
    actions = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"} - {missing}
    role = aws.role(allow(*actions), service="lambda.amazonaws.com")
    function = aws.function("def handler(event, context):\n    print('x')\n    return 1", role=role)
    assert aws.invoke(function) == (1, None)
    group = f"/aws/lambda/{function.rsplit(':', 1)[-1]}"
    assert not aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]


@pytest.mark.contract(
    "eventbridge.target-role",
    page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html",
    says="A rule starts a state machine with the role of the target, which must allow states:StartExecution.",
)
def test_a_rule_whose_role_may_not_start_the_machine_starts_nothing(aws: EmbeddedAws) -> None:
    states, events, source = aws.client("stepfunctions"), aws.client("events"), aws.name("source")
    started = []
    for role in (
        aws.role(service="events.amazonaws.com"),
        aws.role(allow("states:StartExecution"), service="events.amazonaws.com"),
    ):
        machine = states.create_state_machine(name=aws.name("sm"), roleArn=aws.role(), definition=PASS)
        rule = aws.name("rule")
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": machine["stateMachineArn"], "RoleArn": role}])
        started.append(lambda arn=machine["stateMachineArn"]: states.list_executions(stateMachineArn=arn)["executions"])
    events.put_events(Entries=[{"Source": source, "DetailType": "d", "Detail": "{}"}])
    wait(started[1])
    assert started[0]() == []


@pytest.mark.contract(
    "scheduler.dead-letter",
    page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html",
    says="What Scheduler cannot deliver goes to the schedule's dead-letter queue with the schedule's own role.",
)
def test_a_schedule_that_cannot_deliver_tells_its_queue(aws: EmbeddedAws) -> None:
    machine = aws.client("stepfunctions").create_state_machine(name=aws.name(), roleArn=aws.role(), definition=PASS)
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=aws.name("dead"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.client("scheduler").create_schedule(
        Name=aws.name("schedule"),
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": machine["stateMachineArn"],
            "RoleArn": aws.role(allow("sqs:SendMessage"), service="scheduler.amazonaws.com"),
            "Input": '{"portfolio": "lending"}',
            "DeadLetterConfig": {"Arn": arn},
        },
    )
    (message,) = wait(lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages"), 20)
    assert message["Body"] == '{"portfolio": "lending"}'
    assert "states:StartExecution" in message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
