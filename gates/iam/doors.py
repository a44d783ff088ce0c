"""Whom the policies of keys, topics, queues, buckets and functions let in: each Allow in them is a door."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.assembly import ACCOUNT, Assembly, as_list
from gates.iam.roles import Role, text
from gates.outcome import Finding

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
FOR_US = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
OURS = r"<[^<>*?]+>"  # a resource of this platform, as `text` writes it
# Kind of resource -> service -> the actions that it may get, and its whole condition: operator -> key -> pattern.
# `{region}` is the assembly's.
DOORS: dict[str, dict[str, tuple[set[str], dict[str, dict[str, str]]]]] = {
    "AWS::KMS::Key": {
        "cloudwatch.amazonaws.com": ({"kms:Decrypt", "kms:GenerateDataKey*"}, FOR_US),
        "events.amazonaws.com": ({"kms:Decrypt", "kms:GenerateDataKey*"}, FOR_US),
        "delivery.logs.amazonaws.com": (
            {"kms:Decrypt"},
            {"StringEquals": {"kms:EncryptionContext:SourceArn": rf"arn:aws:logs:{{region}}:{ACCOUNT}:\*"}},
        ),
        "logs.{region}.amazonaws.com": (
            {"kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": rf"arn:aws:logs:{{region}}:{ACCOUNT}:log-group:\*"}},
        ),
    },
    "AWS::Lambda::Permission": {
        "apigateway.amazonaws.com": (
            {"lambda:InvokeFunction"},
            {"ArnLike": {"aws:SourceArn": rf"arn:aws:execute-api:{{region}}:{ACCOUNT}:{OURS}/.+"}},
        ),
    },
    "AWS::S3::BucketPolicy": {
        "logging.s3.amazonaws.com": ({"s3:PutObject"}, {**FOR_US, "ArnLike": {"aws:SourceArn": OURS}}),
    },
    "AWS::SNS::TopicPolicy": {"cloudwatch.amazonaws.com": ({"sns:Publish"}, FOR_US)},
    "AWS::SQS::QueuePolicy": {
        "events.amazonaws.com": ({"sqs:SendMessage"}, {"ArnEquals": {"aws:SourceArn": OURS}}),
    },
}
# CDK empties buckets that go with their stack, and lets its function in by their policies; prod has none.
CLEANER = "/CustomS3AutoDeleteObjectsCustomResourceProviderRole"
CLEANING = {"s3:DeleteObject*", "s3:GetBucket*", "s3:List*", "s3:PutBucketPolicy"}
EQUAL = ("StringEquals", "ArnEquals", "ArnLike")
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
        allowed = as_list(self.statement.get("Action", []))
        return service in self.principals.get("Service", []) and any(
            a == action or (a.endswith("*") and action.startswith(a[:-1])) for a in allowed
        )

    def condition(self, key: str) -> list[str]:
        """The values that a condition on `key` asks for. StringNotEquals, say, asks for none."""
        conditions = self.statement.get("Condition", {})
        found = [conditions[operator][key] for operator in EQUAL if key in conditions.get(operator, {})]
        return [str(value) for values in found for value in as_list(values)]

    def asks(self, expected: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether the whole condition is this one: operator -> key -> pattern of its values."""
        conditions = self.statement.get("Condition", {})
        if {o: set(keys) for o, keys in conditions.items()} != {o: set(keys) for o, keys in expected.items()}:
            return False
        return all(
            re.fullmatch(expected[operator][key], str(value))
            for operator, keys in conditions.items()
            for key, values in keys.items()
            for value in as_list(values)
        )


def judge(assembly: Assembly, opened: list[Door], known: Mapping[str, Role]) -> Iterator[Finding]:
    """Whom each door lets in, whether its key can be administered, and whether another policy replaces it."""
    for door in opened:
        yield from _door(door, known, assembly.region)
    yield from _replaced(assembly)
    yield from _keys_without_root(assembly, opened)


def doors(assembly: Assembly) -> Iterator[Door]:
    """Every Allow of every resource policy."""
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
    source = {"ArnLike": ("aws:SourceArn", "SourceArn"), "StringEquals": ("aws:SourceAccount", "SourceAccount")}
    statement = {
        "Action": permission["Action"],
        "Principal": {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
        "Condition": {op: {key: permission[name]} for op, (key, name) in source.items() if name in permission},
    }
    return Door("AWS::Lambda::Permission", where, (str(permission["FunctionName"]),), statement)


def _door(door: Door, known: Mapping[str, Role], here: str) -> Iterator[Finding]:
    own_roles = {f"<{role.where}>" for role in known.values()}
    services = {service.replace("{region}", here): way for service, way in DOORS[door.kind].items()}
    for principal in door.principals.get("AWS", []):
        if principal == "*":
            yield Finding("open-to-anybody", door.where, f"anybody: {door.statement.get('Action')}")
        elif principal in own_roles:
            if CLEANER in principal and set(as_list(door.statement.get("Action", []))) == CLEANING:
                continue
            yield Finding("open-to-role", door.where, f"{principal}: what a role may do stands in its own policy")
        elif not (principal == ROOT and door.kind == "AWS::KMS::Key"):
            yield Finding("open-to-stranger", door.where, f"{principal}: {door.statement.get('Action')}")
    for service in door.principals.get("Service", []):
        if service not in services:
            yield Finding("unexpected-service", door.where, f"{service} has nothing to do here")
            continue
        actions, condition = services[service]
        for action in sorted(set(as_list(door.statement.get("Action", []))) - actions):
            yield Finding("unexpected-action", door.where, f"{service} has no use for {action}")
        found = door.statement.get("Condition", "none")
        if not door.asks({o: {k: v.replace("{region}", here) for k, v in c.items()} for o, c in condition.items()}):
            yield Finding("unbound-service", door.where, f"{service} may come for others, its condition: {found}")
    for kind in sorted(set(door.principals) - {"AWS", "Service"}):
        yield Finding("open-to-stranger", door.where, f"{kind} {door.principals[kind]}")
    for key in ("NotPrincipal", "NotAction", "NotResource"):
        if key in door.statement:
            yield Finding("open-to-anybody", door.where, f"{key} lets in whatever is not named")
    everything = [a for a in as_list(door.statement.get("Action", [])) if a == "*" or a.endswith(":*")]
    if everything and door.principals.get("AWS") != [ROOT]:
        yield Finding("all-actions", door.where, f"{everything}")


def _keys_without_root(assembly: Assembly, doors: list[Door]) -> Iterator[Finding]:
    """Without it no policy of a role counts for the key, and nobody can change its policy:
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html."""
    whole = {"Action": "kms:*", "Effect": "Allow", "Principal": {"AWS": ROOT}, "Resource": "*"}
    for where in assembly.of("AWS::KMS::Key"):
        policies = [{k: v for k, v in d.statement.items() if k != "Sid"} for d in doors if d.where == where]
        if whole not in policies:
            yield Finding("key-without-root", where, "this account does not administer its key")


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
