"""Who may take which role, and whom keys, topics, queues, buckets and functions let in.

What AWS's services hand to each other needs a door in the receiver's policy and in the policy of its key. The embedded
AWS checks none of it: an alarm that may not publish would be silent on AWS alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.assembly import ACCOUNT, Assembly, as_list
from gates.iam.roles import Role, region, roles, text
from gates.outcome import Finding, Outcome

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
# Which service takes the role of what works with it.
TAKEN_BY = {
    "AWS::EC2::FlowLog": {"vpc-flow-logs.amazonaws.com"},
    "AWS::Events::Rule": {"events.amazonaws.com"},
    "AWS::Glue::Job": {"glue.amazonaws.com"},
    "AWS::Lambda::Function": {"lambda.amazonaws.com"},
    # https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-serverless-iam.html
    "AWS::RedshiftServerless::Namespace": {"redshift-serverless.amazonaws.com", "redshift.amazonaws.com"},
    "AWS::Scheduler::Schedule": {"scheduler.amazonaws.com"},
    "AWS::StepFunctions::StateMachine": {"states.amazonaws.com"},
    "PassedRole": {"sagemaker.amazonaws.com"},
}
# They say for which account they act, so a stranger's machine or rule cannot use our role. Lambda and Redshift do not:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
SAY_FOR_WHOM = {
    "events.amazonaws.com",
    "glue.amazonaws.com",
    "sagemaker.amazonaws.com",
    "scheduler.amazonaws.com",
    "states.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
}
# Services that have something to do with a kind of resource; the key's of the region's logs are added.
DOORS = {
    "AWS::KMS::Key": {"cloudwatch.amazonaws.com", "delivery.logs.amazonaws.com", "events.amazonaws.com"},
    "AWS::Lambda::Permission": {"apigateway.amazonaws.com"},
    "AWS::S3::BucketPolicy": {"logging.s3.amazonaws.com"},
    "AWS::SNS::TopicPolicy": {"cloudwatch.amazonaws.com"},
    "AWS::SQS::QueuePolicy": {"events.amazonaws.com"},
}
DOCUMENTS = {  # resource type -> (property with the policy, property with what it is for)
    "AWS::KMS::Key": ("KeyPolicy", None),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
}


@dataclass(frozen=True)
class Door:
    """An Allow of a resource's policy: `kind` and `where` of the policy, `of` the resource that it opens."""

    kind: str
    where: str
    of: tuple[str, ...]
    statement: Mapping[str, Any]

    @property
    def principals(self) -> dict[str, list[str]]:
        """{"Service": [...], "AWS": [...]}; everybody is AWS `*`."""
        principal = self.statement.get("Principal", {})
        if not isinstance(principal, Mapping):
            return {"AWS": as_list(principal)}
        return {kind: as_list(value) for kind, value in principal.items()}

    def lets(self, service: str, action: str) -> bool:
        """Whether a service may do something; a trailing * of the policy is understood."""
        return service in self.principals.get("Service", []) and any(
            a == action or (a.endswith("*") and action.startswith(a[:-1])) for a in as_list(self.statement["Action"])
        )

    def condition(self, key: str) -> list[str]:
        """The values that a condition on `key` asks for, whatever its operator."""
        found = [c[key] for c in self.statement.get("Condition", {}).values() if key in c]
        return [str(value) for values in found for value in as_list(values)]

    @property
    def bound(self) -> bool:
        """Whether a condition limits a service to what belongs to this account."""
        conditions = self.statement.get("Condition", {}).values()
        sources = [(key, value) for c in conditions for key, values in c.items() for value in as_list(values)]
        return any(
            (key in ("aws:SourceAccount", "aws:SourceArn") or key.startswith("kms:EncryptionContext:"))
            and (ACCOUNT in str(value) or str(value).startswith("<"))
            for key, value in sources
        )


def check(assembly: Assembly) -> Outcome:
    """Trust policies, resource policies, and every delivery between services."""
    known = roles(assembly)
    doors = list(_doors(assembly))
    findings = [finding for role in known.values() for finding in _trust(role)]
    findings += [f for door in doors for f in _door(door, known, region(assembly))]
    findings += _replaced(assembly)
    deliveries = [check(assembly, doors) for check in DELIVERIES]
    findings += [finding for _, found in deliveries for finding in found]
    count = sum(number for number, _ in deliveries)
    looked_at = f"{len(known)} trust policies, {len(doors)} doors, {count} deliveries"
    return Outcome(looked_at, sorted(set(findings)))


# trust policies


def _trust(role: Role) -> Iterator[Finding]:
    """A role is taken by the service that uses it, for this account; a person's role by this account's principals."""
    expected = set().union(*(TAKEN_BY.get(user.kind, set()) for user in role.users))
    for service in sorted(role.trusted_services ^ expected):
        verb = "nothing of this role runs in" if service in role.trusted_services else "the role is not open to"
        yield Finding("trust-service", role.name, f"{verb} {service}")
    for statement in role.trusted:
        door = Door("trust", role.where, (), statement)
        people = any(user.kind == "People" for user in role.users)
        for principal in door.principals.get("AWS", []):
            if principal == "*":
                yield Finding("trust-anybody", role.name, "anybody may take it")
            elif principal != ROOT or not people:
                yield Finding("trust-stranger", role.name, f"{principal} may take it")
        for kind in sorted(set(door.principals) - {"AWS", "Service"}):
            yield Finding("trust-stranger", role.name, f"{kind} {door.principals[kind]} may take it")
        if SAY_FOR_WHOM & set(door.principals.get("Service", [])) and door.condition("aws:SourceAccount") != [ACCOUNT]:
            yield Finding("trust-source-account", role.name, "the service may take it for another account")
        if as_list(statement.get("Action")) != ["sts:AssumeRole"] or "NotPrincipal" in statement:
            yield Finding("trust-action", role.name, "a trust policy says who may sts:AssumeRole, nothing else")


# resource policies


def _doors(assembly: Assembly) -> Iterator[Door]:
    for where, resource in assembly.everything():
        properties = text(assembly, where, resource.get("Properties", {}))
        if resource["Type"] == "AWS::Lambda::Permission":
            yield _invocation(where, properties)
        elif resource["Type"] in DOCUMENTS:
            document, owner = DOCUMENTS[resource["Type"]]
            of = tuple(as_list(properties[owner])) if owner else (f"<{where}>",)
            for statement in as_list(properties[document]["Statement"]):
                if statement["Effect"] == "Allow":
                    yield Door(resource["Type"], where, of, statement)


def _invocation(where: str, permission: Mapping[str, Any]) -> Door:
    """A Lambda permission as the statement that Lambda makes of it."""
    principal = str(permission["Principal"])
    source = {"aws:SourceArn": permission.get("SourceArn"), "aws:SourceAccount": permission.get("SourceAccount")}
    statement = {
        "Action": permission["Action"],
        "Principal": {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
        "Condition": {"Source": {key: value for key, value in source.items() if value}},
    }
    return Door("AWS::Lambda::Permission", where, (str(permission["FunctionName"]),), statement)


def _door(door: Door, known: Mapping[str, Role], here: str) -> Iterator[Finding]:
    own_roles = {f"<{role.where}>" for role in known.values()}
    services = DOORS[door.kind] | ({f"logs.{here}.amazonaws.com"} if door.kind == "AWS::KMS::Key" else set())
    for principal in door.principals.get("AWS", []):
        if principal == "*":
            yield Finding("open-to-anybody", door.where, f"anybody: {door.statement['Action']}")
        elif principal not in own_roles and not (principal == ROOT and door.kind == "AWS::KMS::Key"):
            yield Finding("open-to-stranger", door.where, f"{principal}: {door.statement['Action']}")
    for service in door.principals.get("Service", []):
        if service not in services:
            yield Finding("unexpected-service", door.where, f"{service} has nothing to do here")
        elif not door.bound:
            yield Finding("unbound-service", door.where, f"{service} may act for any account: name account or source")
    for kind in sorted(set(door.principals) - {"AWS", "Service"}):
        yield Finding("open-to-stranger", door.where, f"{kind} {door.principals[kind]}")
    for key in ("NotPrincipal", "NotAction", "NotResource"):
        if key in door.statement:
            yield Finding("open-to-anybody", door.where, f"{key} lets in whatever is not named")
    everything = [a for a in as_list(door.statement.get("Action", [])) if a == "*" or a.endswith(":*")]
    if everything and door.principals.get("AWS") != [ROOT]:
        yield Finding("all-actions", door.where, f"{everything}")


def _replaced(assembly: Assembly) -> Iterator[Finding]:
    """A topic, queue or bucket has one policy: a second one replaces the first on AWS."""
    for kind, (_, owner) in DOCUMENTS.items():
        targets = [
            target
            for where, properties in assembly.of(kind).items()
            if owner
            for target in as_list(text(assembly, where, properties[owner]))
        ]
        for target in sorted({t for t in targets if targets.count(t) > 1}):
            yield Finding("two-policies", target, f"{targets.count(target)} policies; one replaces the other on AWS")


# deliveries: each gives how many there are, and which do not arrive

Deliveries = tuple[int, list[Finding]]


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
    here = region(assembly)
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
            source = f"arn:aws:logs:{region(assembly)}:{ACCOUNT}:*"
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
        own = f"arn:aws:execute-api:{region(assembly)}:{ACCOUNT}:{properties['ApiId']}/"
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
