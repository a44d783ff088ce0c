"""What takes permissions away. Other gates count what is allowed, so a Deny or a boundary would make them lie: there
is none but the refusal of requests without TLS.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gates.assembly import Assembly, as_list
from gates.iam.roles import text
from gates.outcome import Finding

EVERYBODY = ("*", {"AWS": "*"})
WITHOUT_TLS = (
    {"Bool": {"aws:SecureTransport": "false"}},
    {"NumericLessThan": {"s3:TlsVersion": 1.2}},
)
# Resource type -> property that names what its policy is for.
REFUSING = {"AWS::S3::BucketPolicy": "Bucket", "AWS::SNS::TopicPolicy": "Topics", "AWS::SQS::QueuePolicy": "Queues"}


def check(assembly: Assembly) -> Iterator[Finding]:
    """Every Deny of every policy, wherever it stands in a template, and every permissions boundary."""
    for where, resource in assembly.everything():
        properties = text(assembly, where, resource.get("Properties", {}))
        if "PermissionsBoundary" in properties:
            found = properties["PermissionsBoundary"]
            yield Finding("boundary", where, f"{found} takes away what its policies allow; nobody has compared them")
        of = {str(target) for target in as_list(properties.get(REFUSING.get(resource["Type"], ""), []))}
        for statement in _denials(properties):
            if not _refuses_without_tls(statement, of):
                text_ = (
                    f"{statement.get('Action')} on {statement.get('Resource')}: only requests without TLS are denied"
                )
                yield Finding("deny", where, text_)


def _refuses_without_tls(statement: Mapping[str, Any], of: set[str]) -> bool:
    """Everybody, for the whole resource that the policy is for. Of a bucket that is the bucket and its objects."""
    on = {str(resource).removesuffix("/*") for resource in as_list(statement.get("Resource", []))}
    return (
        statement.get("Principal") in EVERYBODY and statement.get("Condition") in WITHOUT_TLS and bool(of) and on == of
    )


def _denials(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if value.get("Effect") == "Deny":
            yield value
        for item in value.values():
            yield from _denials(item)
    elif isinstance(value, list):
        for item in value:
            yield from _denials(item)
