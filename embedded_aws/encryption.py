"""Who touches something that is encrypted with a customer's key must be allowed to use the key, as on AWS.

The service asks KMS in the caller's name: identity policies and the key's policy decide, `kms:ViaService` names the
service. Keys that AWS manages itself ask nobody. Nothing is encrypted here.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from embedded_aws import adapter, decisions

READ, WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey",)
BOTH = (*WRITE, *READ)
_ITEMS = ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")


@dataclass(frozen=True)
class Call:
    """The request that is being authorized."""

    action: str | None
    method: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, Any]


@dataclass(frozen=True)
class Use:
    """What an action does with a key: `key(resource ARN, request)` names it, `actions` is what the caller must be
    allowed, `context(resource ARN)` the encryption context that a policy may ask for.
    """

    key: Callable[[str, Call], str | None]
    actions: tuple[str, ...]
    context: Callable[[str], dict[str, str]] = field(default=lambda resource: {})


_call: ContextVar[Call | None] = ContextVar("solvent_authorized_call", default=None)
_NO_CALL = Call(None, "", {}, b"", {})


# Which key


def _bucket_and_key(resource: str) -> tuple[str, str]:
    bucket, _, key = resource.split(":", 5)[5].partition("/")
    return bucket, key


def _of_object_written(resource: str, call: Call) -> str | None:
    """The key that the request names, else the bucket's."""
    if named := call.headers.get("x-amz-server-side-encryption-aws-kms-key-id"):
        return named
    if call.headers.get("x-amz-server-side-encryption") == "AES256":
        return None
    return _named(adapter.S3_DEFAULT_ENCRYPTION.get()(_bucket_and_key(resource)[0]))


def _of_object_read(resource: str, call: Call) -> str | None:
    if call.method == "HEAD":
        return None  # what is encrypted is the content
    bucket, key = _bucket_and_key(resource)
    stored = (adapter.S3_BUCKETS.get().get(bucket) or {}).get("objects", {}).get(key)
    return _named(adapter.S3_STORED_ENCRYPTION.get()(stored)) if stored else None


def _named(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-amz-server-side-encryption-aws-kms-key-id")


def _of_queue(resource: str, call: Call) -> str | None:
    return ((adapter.SQS_QUEUE.get()(resource) or {}).get("attributes") or {}).get("KmsMasterKeyId")


def _of_topic(resource: str, call: Call) -> str | None:
    return ((adapter.SNS_TOPIC.get()(resource) or {}).get("attributes") or {}).get("KmsMasterKeyId")


def _of_stream(resource: str, call: Call) -> str | None:
    stream = adapter.KINESIS_STREAMS.get().get(resource.rsplit("/", 1)[-1]) or {}
    return stream.get("KeyId") if stream.get("EncryptionType") == "KMS" else None


def _of_table(resource: str, call: Call) -> str | None:
    table = adapter.DYNAMODB_TABLES.get().get(resource.split(":table/")[-1].split("/")[0]) or {}
    return (table.get("SSEDescription") or {}).get("KMSMasterKeyArn")


def _of_secret(resource: str, call: Call) -> str | None:
    _, secret = adapter.SECRET.get()(resource)
    return (secret or {}).get("KmsKeyId")


def _of_execution(resource: str, call: Call) -> str | None:
    return machine_key(machine_of(resource))


def machine_of(execution: str) -> str:
    """The state machine's ARN, from an execution's."""
    return execution.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0]


def machine_key(machine: str) -> str | None:
    """What a state machine's executions are encrypted with, as the machine names it."""
    known = adapter.SFN_MACHINES.get().get(machine) or {}
    return (known.get("encryptionConfiguration") or {}).get("kmsKeyId")


def machine_context(machine: str) -> dict[str, str]:
    """The encryption context of a state machine's executions."""
    return {"kms:EncryptionContext:aws:states:stateMachineArn": machine}


# https://docs.aws.amazon.com/kms/latest/developerguide/service-integration.html; one contract test per service quotes
# the page it is taken from.
USES: dict[str, Use] = {
    "s3:PutObject": Use(_of_object_written, WRITE),
    "s3:GetObject": Use(_of_object_read, READ),
    "sqs:SendMessage": Use(_of_queue, BOTH),
    "sqs:ReceiveMessage": Use(_of_queue, READ),
    "sns:Publish": Use(_of_topic, BOTH),
    "kinesis:PutRecord": Use(_of_stream, WRITE),
    "kinesis:PutRecords": Use(_of_stream, WRITE),
    "kinesis:GetRecords": Use(_of_stream, READ),
    "secretsmanager:GetSecretValue": Use(_of_secret, READ),
    "secretsmanager:PutSecretValue": Use(_of_secret, BOTH),
    **{
        f"states:{operation}": Use(_of_execution, READ, lambda resource: machine_context(machine_of(resource)))
        for operation in ("DescribeExecution", "GetExecutionHistory")
    },
    **{f"dynamodb:{operation}": Use(_of_table, READ) for operation in _ITEMS},
}


def _uses(action: str, resource: str) -> tuple[str | None, tuple[str, ...], dict[str, str]]:
    """(ARN of the customer's key or None, actions on it, encryption context) of a call."""
    use = USES.get(action)
    if use is None or not resource.startswith("arn:"):
        return None, (), {}
    call = _call.get()
    call = call if call is not None and call.action == action else _NO_CALL
    actions = use.actions
    if action == "s3:PutObject" and ({"uploadId", "uploads"} & set(call.query)):
        actions = BOTH  # of an upload in parts, what was written is read again
    return customer_key(use.key(resource, call)), actions, use.context(resource)


def customer_key(reference: str | None) -> str | None:
    """The ARN of a key by id, ARN or alias; None for keys that AWS manages."""
    found = adapter.KMS_KEY.get()(reference) if reference else None
    return str(found["Arn"]) if found else None


# The check


def enforce(
    inner: Any,
    key: str,
    action: str,
    service: str,
    region_name: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """Around IAM's check of a call: what it does with a key is checked, too, and every decision can be noted."""
    decisions.refused.set(None)
    denied = inner(key, action, service, region_name, resource_arn=resource_arn, service_context=service_context)
    decisions.note(key, action, resource_arn, allowed=denied is None)
    if denied is not None or adapter.IS_ROOT_KEY.get()(key):
        return denied
    key_arn, actions, context = _uses(action, resource_arn)
    if key_arn is None:
        return None
    via = {"kms:ViaService": f"{service}.{region_name}.amazonaws.com", "kms:CallerAccount": key_arn.split(":")[4]}
    via |= context
    for needed in actions:
        denied = inner(key, needed, "kms", region_name, resource_arn=key_arn, service_context=via)
        decisions.note(key, needed, key_arn, allowed=denied is None)
        if denied is not None:
            decisions.refused.set((needed, key_arn))
            return denied
    return None


def _remember(inner: Any, name: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
    action: str | None = inner(name, method, path, headers, body, query)
    lower = {str(k).lower(): str(v) for k, v in dict(headers).items()}
    _call.set(Call(action, method, lower, body or b"", query or {}))
    return action


def install() -> None:
    """Called once, after the check of signatures is installed, which this one surrounds."""
    adapter.IAM_ACTION.wrap(_remember)
    adapter.IAM_ENFORCE.wrap(enforce)
    adapter.ACCESS_DENIED.wrap(decisions.denied_response)
