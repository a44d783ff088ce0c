"""The second half of `train`: model, endpoint configuration, and the endpoint created or updated, and verified.

CreateEndpoint and UpdateEndpoint have no `.sync`. After a rollback SageMaker says InService, on the old configuration:
so the configuration is compared, too.
"""

from typing import Any

from stacks.constructs.images import OFFLINE_PIP
from stacks.serving import VARIANT, rollback_alarms
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine

MODEL_CODE = "/opt/ml/model/code"  # where model.tar.gz has inference.py


def add(parts: Parts, machine: Machine) -> None:
    """The states from CreateModel to CompleteRun, which comes after MakeSqlModel where SQL calls models."""
    _create(parts, machine)
    _deploy(parts, machine, then="MakeSqlModel" if parts.config.warehouse.sql_model else "CompleteRun")
    if parts.config.warehouse.sql_model:
        _make_sql_model(parts, machine)


def _create(parts: Parts, machine: Machine) -> None:
    serving = parts.config.serving
    _create_once(
        machine,
        "CreateModel",
        "aws-sdk:sagemaker:createModel",
        {
            "ModelName.$": "$.run.job_name",
            "ExecutionRoleArn": parts.model_role,
            "PrimaryContainer": {
                "Image": parts.image,
                "ModelDataUrl.$": "$.trained.model_artifact",
                "Environment": {
                    **OFFLINE_PIP,
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": MODEL_CODE,
                    "MODEL_VERSION.$": "$.version.text",
                },
            },
            "EnableNetworkIsolation": True,
            **parts.vpc_config,
        },
        then="CreateEndpointConfig",
    )
    _create_once(
        machine,
        "CreateEndpointConfig",
        "aws-sdk:sagemaker:createEndpointConfig",
        {
            "EndpointConfigName.$": "$.run.job_name",
            "KmsKeyId": parts.key,
            "ProductionVariants": [
                {
                    "VariantName": VARIANT,
                    "ModelName.$": "$.run.job_name",
                    "InstanceType": serving.instance_type,
                    "InitialInstanceCount": serving.instances,
                }
            ],
        },
        then="DescribeLive",
    )


def _create_once(machine: Machine, name: str, resource: str, parameters: dict[str, Any], *, then: str) -> None:
    """Create; what an earlier attempt has created already is good (its name holds run and attempt)."""
    check = f"{name}Error"
    machine.task(name, resource, parameters, keep=None, then=then, caught=[{**ANY, "Next": check}])
    exists = {"Variable": "$.error.Cause", "StringMatches": "*already exist*"}
    machine.choose(check, [(exists, then)], otherwise="RecordFailure")


def _deploy(parts: Parts, machine: Machine, *, then: str) -> None:
    machine.task(
        "DescribeLive",
        "aws-sdk:sagemaker:describeEndpoint",
        {"EndpointName.$": "$.run.endpoint"},
        select={"config.$": "$.EndpointConfigName"},
        keep="$.live",
        then="LiveAlready",
        caught=[{**ANY, "Next": "LiveMissing"}],
        may_be_missing=True,
    )
    missing = {"Variable": "$.error.Cause", "StringMatches": "*Could not find*"}
    machine.choose("LiveMissing", [(missing, "CreateEndpoint")], otherwise="RecordFailure")
    wanted = {"Variable": "$.live.config", "StringEqualsPath": "$.run.job_name"}
    machine.choose("LiveAlready", [(wanted, "AwaitEndpoint")], otherwise="UpdateEndpoint")
    target = {"EndpointName.$": "$.run.endpoint", "EndpointConfigName.$": "$.run.job_name"}
    machine.task("CreateEndpoint", "aws-sdk:sagemaker:createEndpoint", target, keep=None, then="AwaitEndpoint")
    machine.task(
        "UpdateEndpoint",
        "aws-sdk:sagemaker:updateEndpoint",
        {**target, "DeploymentConfig": _deployment(parts)},
        keep=None,
        then="AwaitEndpoint",
    )
    status = "$.endpoint.status"
    in_service = {"Variable": status, "StringEquals": "InService"}
    as_wanted = {"Variable": "$.endpoint.config", "StringEqualsPath": "$.run.job_name"}
    machine.poll(
        "Endpoint",
        "aws-sdk:sagemaker:describeEndpoint",
        {"EndpointName.$": "$.run.endpoint"},
        select={"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"},
        keep="$.endpoint",
        seconds=parts.config.orchestration.endpoint_poll_seconds,
        timeout_minutes=parts.config.serving.rollout_timeout_minutes,
        rules=[
            ({"And": [in_service, as_wanted]}, then),
            (in_service, "EndpointRolledBack"),
            ({"Variable": status, "StringEquals": "Failed"}, "ExplainEndpoint"),
        ],
        late="the endpoint did not become InService in time; see its events in SageMaker",
    )
    machine.refuse(
        "EndpointRolledBack",
        "EndpointRolledBack",
        cause_path="States.Format('endpoint {} went back to configuration {}', $.run.endpoint, $.endpoint.config)",
    )
    # Only a failed endpoint has the field FailureReason.
    machine.task(
        "ExplainEndpoint",
        "aws-sdk:sagemaker:describeEndpoint",
        {"EndpointName.$": "$.run.endpoint"},
        select={"text.$": "$.FailureReason"},
        keep="$.why",
        then="EndpointFailed",
    )
    machine.refuse("EndpointFailed", "EndpointFailed", cause_path="$.why.text")


def _make_sql_model(parts: Parts, machine: Machine) -> None:
    """The endpoint as a function of SQL. The model is live whatever becomes of that; the run's report says it."""
    machine.invoke(
        "MakeSqlModel",
        parts.warehouse_load,
        {"phase": "model", "portfolio.$": "$.run.portfolio"},
        select={"text.$": "$.Payload.text"},
        keep="$.sql_model",
        then="CompleteRun",
        caught=[{**ANY, "ResultPath": "$.sql_model_error", "Next": "SqlModelFailed"}],
    )
    machine.states["SqlModelFailed"] = {
        "Type": "Pass",
        "Parameters": {"text.$": "States.Format('not made; the model is live: {}', $.sql_model_error.Cause)"},
        "ResultPath": "$.sql_model",
        "Next": "CompleteRun",
    }


def _deployment(parts: Parts) -> dict[str, Any]:
    """Blue/green; all at once on one instance, else a canary. The alarms roll it back."""
    serving = parts.config.serving
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": serving.bake_seconds}
    if serving.rollout == "canary":
        routing["Type"] = "CANARY"
        routing["CanarySize"] = {"Type": "CAPACITY_PERCENT", "Value": serving.canary_percent}
    alarms = [f"States.Format('{name}', $.run.portfolio)" for name in rollback_alarms(parts.config.names, "{}")]
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": serving.rollout_timeout_minutes * 60,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName.$": name} for name in alarms]},
    }
