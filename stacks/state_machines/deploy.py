"""The second half of `train`: model, endpoint configuration, and the endpoint created or updated, and verified.

CreateEndpoint and UpdateEndpoint have no `.sync`. After a rollback SageMaker says InService, on the old configuration:
so the configuration is compared, too. With `challenger_weight` in its input, the new model comes beside the champion.
"""

from typing import Any

from solvent.naming import CHALLENGER, CHAMPION, captured_prefix
from stacks.constructs.images import OFFLINE_PIP
from stacks.serving import rollback_alarms
from stacks.state_machines import live, scaling
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine

MODEL_CODE = "/opt/ml/model/code"  # where model.tar.gz has inference.py


def add(parts: Parts, machine: Machine) -> None:
    """The states from CreateModel to CompleteRun, which comes after what a live model brings with it."""
    _create(parts, machine)
    scales = parts.config.serving.scales
    _deploy(
        parts,
        machine,
        update="DescribeInstances" if scales else "StopScaling",
        then="RegisterScaling" if scales else "AsWanted",
    )
    scaling.before_update(parts, machine, then="UpdateEndpoint")
    if scales:
        scaling.after_service(parts, machine, then="AsWanted")
    live.add(parts, machine)


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
                    # Of the archive that was judged: another one fails the container's health check.
                    "MODEL_SHA256.$": "$.gate.metrics.model_sha256",
                },
            },
            "EnableNetworkIsolation": True,
            **parts.vpc_config,
        },
        then="BesideChampion",
    )
    beside = {"Variable": "$.run.challenger_weight", "NumericGreaterThan": 0}
    machine.choose("BesideChampion", [(beside, "FindChampion")], otherwise="CreateEndpointConfig")
    machine.invoke(
        "FindChampion",
        parts.run_control,
        {"action": "champion", "run.$": "$.run"},
        select={"model.$": "$.Payload.model", "weight.$": "$.Payload.weight"},
        keep="$.champion",
        then="CreateChallengerConfig",
    )
    variant = {"InstanceType": serving.instance_type, "InitialInstanceCount": serving.instances}
    new, old = {"ModelName.$": "$.run.job_name"}, {"ModelName.$": "$.champion.model"}
    champion, challenger = {"VariantName": CHAMPION, **variant}, {"VariantName": CHALLENGER, **variant}
    for name, variants in (
        ("CreateEndpointConfig", [{**champion, **new}]),
        (
            "CreateChallengerConfig",
            [
                {**champion, **old, "InitialVariantWeight.$": "$.champion.weight"},
                {**challenger, **new, "InitialVariantWeight.$": "$.run.challenger_weight"},
            ],
        ),
    ):
        _create_once(
            machine,
            name,
            "aws-sdk:sagemaker:createEndpointConfig",
            {
                "EndpointConfigName.$": "$.run.job_name",
                "KmsKeyId": parts.key,
                "ProductionVariants": variants,
                **_capture(parts),
            },
            then="DescribeLive",
        )


def _capture(parts: Parts) -> dict[str, Any]:
    """Data capture: requests and answers as JSON, under the platform's key."""
    percent = parts.config.serving.capture_percent
    if not percent:
        return {}
    where = f"States.Format('s3://{parts.artifacts_bucket}/{captured_prefix('{}').rstrip('/')}', $.run.portfolio)"
    return {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri.$": where,
            "KmsKeyId": parts.key,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        }
    }


def _create_once(machine: Machine, name: str, resource: str, parameters: dict[str, Any], *, then: str) -> None:
    """Create; what an earlier attempt has created already is good (its name holds run and attempt)."""
    check = f"{name}Error"
    machine.task(name, resource, parameters, keep=None, then=then, caught=[{**ANY, "Next": check}])
    exists = {"Variable": "$.error.Cause", "StringMatches": "*already exist*"}
    machine.choose(check, [(exists, then)], otherwise="RecordFailure")


def _deploy(parts: Parts, machine: Machine, *, update: str, then: str) -> None:
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
    machine.choose("LiveAlready", [(wanted, "AwaitEndpoint")], otherwise=update)
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
    machine.poll(
        "Endpoint",
        "aws-sdk:sagemaker:describeEndpoint",
        {"EndpointName.$": "$.run.endpoint"},
        select={"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"},
        keep="$.endpoint",
        seconds=parts.config.orchestration.endpoint_poll_seconds,
        timeout_minutes=parts.config.serving.rollout_timeout_minutes,
        rules=[
            (in_service, then),
            ({"Variable": status, "StringEquals": "Failed"}, "ExplainEndpoint"),
        ],
        late="the endpoint did not become InService in time; see its events in SageMaker",
    )
    as_wanted = {"Variable": "$.endpoint.config", "StringEqualsPath": "$.run.job_name"}
    machine.choose("AsWanted", [(as_wanted, live.FIRST)], otherwise="EndpointRolledBack")
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
