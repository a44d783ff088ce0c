"""Properties that ministack's own handlers drop, applied afterwards through the service's API."""

from collections.abc import Callable
from typing import Any

from embedded_aws import service
from embedded_aws.cloudformation import handlers
from embedded_aws.cloudformation.handlers import Properties


def extend() -> None:
    """Kinesis encryption, DynamoDB recovery and encryption, SNS encryption, Lambda's key and reserved concurrency,
    the check of a state machine's role.
    """
    _after("AWS::Kinesis::Stream", _stream)
    _after("AWS::DynamoDB::Table", _table)
    _after("AWS::DynamoDB::GlobalTable", _global_table)
    _after("AWS::SNS::Topic", _topic)
    _after("AWS::Lambda::Function", _function)
    _after("AWS::StepFunctions::StateMachine", _machine)


def _after(resource_type: str, apply: Callable[[str, Properties], None]) -> None:
    own = handlers.all_types()[resource_type]

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = own["create"](logical_id, properties, stack)
        apply(physical_id, properties)
        return physical_id, attributes

    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, *more: Any
    ) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = own["update"](physical_id, old, new, stack, *more)
        apply(physical_id, new)
        return physical_id, attributes

    handlers.all_types()[resource_type] = {**own, "create": create, **({"update": update} if "update" in own else {})}
    handlers.off_loop(resource_type)


def _stream(name: str, p: Properties) -> None:
    if encryption := p.get("StreamEncryption"):
        service.operator_client("kinesis").start_stream_encryption(StreamName=name, **encryption)


def _table(name: str, p: Properties) -> None:
    dynamodb = service.operator_client("dynamodb")
    recovery = p.get("PointInTimeRecoverySpecification") or {}
    if recovery:
        specification = {"PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryEnabled"] in (True, "true")}
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)
    if encryption := p.get("SSESpecification"):
        wanted = {"Enabled": encryption.get("SSEEnabled") in (True, "true")}
        wanted |= {k: encryption[k] for k in ("SSEType", "KMSMasterKeyId") if k in encryption}
        dynamodb.update_table(TableName=name, SSESpecification=wanted)
    if ttl := p.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)


def _global_table(name: str, p: Properties) -> None:
    """The replica of this region is the table; others would be other embedded AWSs."""
    replica = next(r for r in p["Replicas"] if r["Region"] == service.region())
    encryption = {**(p.get("SSESpecification") or {}), **(replica.get("SSESpecification") or {})}
    _table(name, {**p, **replica, **({"SSESpecification": encryption} if encryption else {})})


def _topic(arn: str, p: Properties) -> None:
    if key := p.get("KmsMasterKeyId"):
        service.operator_client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key
        )


def _machine(arn: str, p: Properties) -> None:
    """Logging in the API's spelling, not the template's; UpdateStateMachine checks the role, too."""
    logging = _as_api(p.get("LoggingConfiguration") or {"Level": "OFF"})
    service.operator_client("stepfunctions").update_state_machine(stateMachineArn=arn, loggingConfiguration=logging)


def _as_api(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_api(item) for item in value]
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _as_api(item) for name, item in value.items()}
    return value == "true" if value in ("true", "false") else value


def _function(name: str, p: Properties) -> None:
    if key := p.get("KmsKeyArn"):
        service.operator_client("lambda").update_function_configuration(FunctionName=name, KMSKeyArn=key)
    if "ReservedConcurrentExecutions" in p:
        service.operator_client("lambda").put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(p["ReservedConcurrentExecutions"])
        )
