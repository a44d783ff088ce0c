"""What AWS's services hand to each other needs a door in the receiver's policy and in the policy of its key.

The embedded AWS checks none of it: an alarm that may not publish would be silent on AWS alone.
"""

from collections.abc import Callable

from gates.assembly import ACCOUNT, Assembly
from gates.iam.doors import Door
from gates.iam.roles import text
from gates.outcome import Finding

Deliveries = tuple[int, list[Finding]]  # how many there are, and which do not arrive


def _alarms(assembly: Assembly, doors: list[Door]) -> Deliveries:
    topics = {f"<{where}>": where for where in assembly.of("AWS::SNS::Topic")}
    count, findings = 0, []
    for where, alarm in assembly.of("AWS::CloudWatch::Alarm").items():
        for action in text(assembly, where, alarm.get("AlarmActions", [])):
            count += 1
            if action not in topics:
                findings.append(Finding("alarm-unheard", where, f"{action} is no topic of this platform"))
            elif not _open(doors, action, "cloudwatch.amazonaws.com", "sns:Publish", "aws:SourceAccount", ACCOUNT):
                findings.append(
                    Finding("alarm-unheard", where, "its topic does not let alarms of this account publish")
                )
            elif missing := _key_closed(assembly, doors, topics[action], "KmsMasterKeyId", "cloudwatch.amazonaws.com"):
                findings.append(Finding("alarm-unheard", where, f"the key of its topic: {missing}"))
    return count, findings


def _dead_letters_of_rules(assembly: Assembly, doors: list[Door]) -> Deliveries:
    queues = {f"<{where}>": where for where in assembly.of("AWS::SQS::Queue")}
    count, findings = 0, []
    for where, rule in assembly.of("AWS::Events::Rule").items():
        for target in text(assembly, where, rule["Targets"]):
            count += 1
            queue = target.get("DeadLetterConfig", {}).get("Arn")
            if queue not in queues:
                findings.append(Finding("rule-without-dead-letters", where, "what cannot be delivered is lost"))
            elif not _open(doors, queue, "events.amazonaws.com", "sqs:SendMessage", "aws:SourceArn", f"<{where}>"):
                findings.append(Finding("dead-letters-refused", where, "its queue does not let this very rule send"))
            elif missing := _key_closed(assembly, doors, queues[queue], "KmsMasterKeyId", "events.amazonaws.com"):
                findings.append(Finding("dead-letters-refused", where, f"the key of its queue: {missing}"))
    return count, findings


def _logs(assembly: Assembly, doors: list[Door]) -> Deliveries:
    """CloudWatch Logs encrypts as itself, with the group's ARN as context:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html."""
    here = assembly.region
    service, groups = f"logs.{here}.amazonaws.com", assembly.of("AWS::Logs::LogGroup")
    context = f"arn:aws:logs:{here}:{ACCOUNT}:log-group:"
    findings = []
    for where, group in groups.items():
        opened = [door for door in doors if text(assembly, where, group.get("KmsKeyId")) in door.of]
        for action in ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:DescribeKey"):
            values = [
                door.condition("kms:EncryptionContext:aws:logs:arn") for door in opened if door.lets(service, action)
            ]
            if not any(len(v) == 1 and v[0].startswith(context) for v in values):
                findings.append(
                    Finding("log-group-key", where, f"its key does not let {service} {action} for its groups")
                )
    return len(groups), findings


def _logs_of_machines(assembly: Assembly, doors: list[Door]) -> Deliveries:
    """An encrypted machine encrypts what it logs; the delivery must decrypt it:
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html."""
    count, findings, service = 0, [], "delivery.logs.amazonaws.com"
    for where, machine in assembly.of("AWS::StepFunctions::StateMachine").items():
        key = text(assembly, where, machine.get("EncryptionConfiguration", {}).get("KmsKeyId"))
        if key and machine.get("LoggingConfiguration"):
            count += 1
            source = f"arn:aws:logs:{assembly.region}:{ACCOUNT}:*"
            if not _open(doors, key, service, "kms:Decrypt", "kms:EncryptionContext:SourceArn", source):
                findings.append(
                    Finding("machine-log-key", where, f"its key does not let {service} decrypt for this account")
                )
    return count, findings


def _access_logs(assembly: Assembly, doors: list[Door]) -> Deliveries:
    count, findings = 0, []
    for where, bucket in assembly.of("AWS::S3::Bucket").items():
        target = text(assembly, where, bucket.get("LoggingConfiguration", {})).get("DestinationBucketName")
        if target:
            count += 1
            if not _open(doors, target, "logging.s3.amazonaws.com", "s3:PutObject", "aws:SourceArn", f"<{where}>"):
                findings.append(
                    Finding("access-logs-refused", where, "its log bucket does not let this very bucket log")
                )
    return count, findings


def _invocations(assembly: Assembly, doors: list[Door]) -> Deliveries:
    """An API calls its functions by their own permission, and only on its own routes."""
    count, findings = 0, []
    for where, integration in assembly.of("AWS::ApiGatewayV2::Integration").items():
        properties = text(assembly, where, integration)
        count += 1
        own = f"arn:aws:execute-api:{assembly.region}:{ACCOUNT}:{properties['ApiId']}/"
        opened = [d for d in doors if properties["IntegrationUri"] in d.of]
        calling = [d for d in opened if d.lets("apigateway.amazonaws.com", "lambda:InvokeFunction")]
        sources = [source for door in calling for source in door.condition("aws:SourceArn")]
        if not sources or not all(source.startswith(own) for source in sources):
            findings.append(
                Finding("api-permission", where, f"exactly this API may invoke its function, not {sources}")
            )
    return count, findings


DELIVERIES: tuple[Callable[[Assembly, list[Door]], Deliveries], ...] = (
    _alarms,
    _dead_letters_of_rules,
    _logs,
    _logs_of_machines,
    _access_logs,
    _invocations,
)


def judge(assembly: Assembly, doors: list[Door]) -> Deliveries:
    """Of all kinds together."""
    made = [delivery(assembly, doors) for delivery in DELIVERIES]
    return sum(count for count, _ in made), [finding for _, found in made for finding in found]


def _open(doors: list[Door], target: str, service: str, action: str, key: str, value: str) -> bool:
    """Whether a service may do something to a resource, each time under this condition."""
    opened = [door for door in doors if target in door.of and door.lets(service, action)]
    return any(door.condition(key) == [value] for door in opened)


def _key_closed(assembly: Assembly, doors: list[Door], where: str, field: str, service: str) -> str:
    """What a service may not do with the key of a resource; empty when it may do all."""
    template, _, logical_id = where.partition("/")
    properties = assembly.templates[template]["Resources"][logical_id]["Properties"]
    key = text(assembly, where, properties.get(field))
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        if not _open(doors, key, service, action, "aws:SourceAccount", ACCOUNT):
            return f"{service} may not {action} for this account"
    return ""
