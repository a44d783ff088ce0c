"""What AWS's services hand to each other needs a door in the receiver's policy and in the policy of its key.

Nothing here is checked by the embedded AWS: an alarm that may not publish would be silent on AWS alone.
"""

import json
from typing import Any

import pytest

from gates.assembly import as_list as _list


def _allowed(document: dict[str, Any], service: str, action: str) -> list[dict[str, Any]]:
    """The statements that let a service do something (a trailing * in the policy is understood)."""
    return [
        statement
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        and service
        in _list(statement["Principal"].get("Service", []) if isinstance(statement["Principal"], dict) else [])
        and any(a == action or (a.endswith("*") and action.startswith(a[:-1])) for a in _list(statement["Action"]))
    ]


def _resource_policy(assembly: Any, kind: str, field: str, target: str) -> dict[str, Any]:
    found = [
        policy["PolicyDocument"]
        for where, policy in assembly.of(kind).items()
        if target in [assembly.owner(where, reference) for reference in policy[field]]
    ]
    assert len(found) == 1, f"{target} has {len(found)} policies; one replaces the other on AWS"
    return found[0]


def _key_opens(assembly: Any, where: str, reference: Any, service: str) -> None:
    key = assembly.of("AWS::KMS::Key")[assembly.owner(where, reference)]
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert _allowed(key["KeyPolicy"], service, action), f"{service} may not {action} for {where}"


def _of_this_account(statement: dict[str, Any]) -> bool:
    return bool(
        statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceAccount") == {"Ref": "AWS::AccountId"}
    )


def test_every_alarm_can_publish_to_its_topic(assembly: Any) -> None:
    topics = assembly.of("AWS::SNS::Topic")
    heard = {
        assembly.owner(where, action)
        for where, alarm in assembly.of("AWS::CloudWatch::Alarm").items()
        for action in alarm.get("AlarmActions", [])
    }
    assert heard and heard <= set(topics)
    for topic in heard:
        policy = _resource_policy(assembly, "AWS::SNS::TopicPolicy", "Topics", topic)
        publishing = _allowed(policy, "cloudwatch.amazonaws.com", "sns:Publish")
        assert publishing and all(_of_this_account(statement) for statement in publishing)
        _key_opens(assembly, topic, topics[topic]["KmsMasterKeyId"], "cloudwatch.amazonaws.com")


def test_every_rule_can_write_to_its_dead_letter_queue(assembly: Any) -> None:
    queues = assembly.of("AWS::SQS::Queue")
    used = 0
    for where, rule in assembly.of("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            queue = assembly.owner(where, target["DeadLetterConfig"]["Arn"])
            policy = _resource_policy(assembly, "AWS::SQS::QueuePolicy", "Queues", queue)
            sending = _allowed(policy, "events.amazonaws.com", "sqs:SendMessage")
            sources = [s["Condition"]["ArnEquals"]["aws:SourceArn"] for s in sending]
            assert where in [assembly.owner(queue, source) for source in sources]
            _key_opens(assembly, queue, queues[queue]["KmsMasterKeyId"], "events.amazonaws.com")
            used += 1
    assert used


@pytest.mark.parametrize(
    ("kind", "role"), [("AWS::Scheduler::Schedule", "nightly"), ("AWS::Lambda::EventSourceMapping", "stream-ingest")]
)
def test_what_uses_a_role_reaches_its_dead_letter_queue_with_it(assembly: Any, kind: str, role: str) -> None:
    queues = assembly.of("AWS::SQS::Queue")
    for where, properties in assembly.of(kind).items():
        destination = (
            properties["Target"]["DeadLetterConfig"]["Arn"]
            if kind == "AWS::Scheduler::Schedule"
            else properties["DestinationConfig"]["OnFailure"]["Destination"]
        )
        queue = assembly.owner(where, destination)
        may = {
            (a, assembly.owner(where, r))
            for a, r in _granted(assembly, role)
            if isinstance(r, dict) and "Fn::Join" not in r
        }
        key = assembly.owner(queue, queues[queue]["KmsMasterKeyId"])
        assert {("sqs:SendMessage", queue), ("kms:Decrypt", key), ("kms:GenerateDataKey", key)} <= may


def _granted(assembly: Any, role: str) -> list[tuple[str, Any]]:
    return [(a, r) for s in assembly.statements(role) for a in _list(s["Action"]) for r in _list(s["Resource"])]


def test_every_encrypted_log_group_finds_its_key_open(assembly: Any) -> None:
    groups = assembly.of("AWS::Logs::LogGroup")
    keys = {assembly.owner(where, group["KmsKeyId"]) for where, group in groups.items()}
    assert len(keys) == 1
    policy = assembly.of("AWS::KMS::Key")[keys.pop()]["KeyPolicy"]
    for action in ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:DescribeKey"):
        assert _allowed(policy, "logs.eu-west-1.amazonaws.com", action), action
    (statement,) = _allowed(policy, "logs.eu-west-1.amazonaws.com", "kms:Encrypt")
    assert "log-group:*" in json.dumps(statement["Condition"])


def test_the_ledgers_key_is_used_through_dynamodb_alone(assembly: Any) -> None:
    """DynamoDB decrypts a table's key as the caller; the actions are those of CDK's own grants."""
    through = [
        s
        for s in assembly.statements("run-control")
        if s.get("Condition") == {"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}}
    ]
    assert len(through) == 1
    assert set(through[0]["Action"]) == {
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    }  # fmt: skip
