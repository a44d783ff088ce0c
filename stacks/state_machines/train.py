"""`train`: training job -> gates -> registry -> warehouse -> approval -> model and endpoint, verified.

A model that fails anywhere before UpdateEndpoint never touches the live endpoint, and an update that AWS rolls back is
noticed: SageMaker reports InService then, on the old configuration. No model goes live without its row in the
warehouse's `ops.models`: predictions name versions, and a version must lead to its figures.
"""

from typing import Any

from solvent.naming import models_prefix
from stacks.constructs.images import OFFLINE_PIP
from stacks.state_machines import approval, autopilot, deploy, live, tuning
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine

ANSWERS = ["application/json", "application/jsonlines", "text/csv"]


def definition(parts: Parts) -> dict[str, Any]:
    machine = parts.machine("train", "Train, gate, register and deploy a model. Input: portfolio[, challenger_weight]")
    parts.open(machine, then=tuning.FIRST if parts.config.training.tuning else "Train")
    _train(parts, machine)
    _register(parts, machine)
    approval.add(parts, machine)
    deploy.add(parts, machine)
    machine.close(
        {
            "model.$": "$.run.job_name",
            "model_package.$": "$.package.arn",
            "model_version.$": "$.version.text",
            "endpoint.$": "$.run.endpoint",
            "metrics.$": "$.gate.metrics",
            "gate.$": "$.gate.report",
            "experiment.$": "$.experiment.text",
            **({"tuning.$": "$.tuned.text"} if parts.config.training.tuning else {}),
            **({"autopilot.$": "$.gate.autopilot.text"} if parts.config.training.autopilot else {}),
            **live.result(parts),
        }
    )
    return machine.definition()


def _train(parts: Parts, machine: Machine) -> None:
    training = parts.config.training
    request = job(parts)
    if training.tuning:
        tuning.add(parts, machine, training.tuning, request, then="Train")
    machine.task(
        "Train",
        "sagemaker:createTrainingJob.sync",
        request,
        select={"model_artifact.$": "$.ModelArtifacts.S3ModelArtifacts"},
        keep="$.trained",
        then=autopilot.FIRST if training.autopilot else "EvaluateModel",
        timeout_seconds=(training.timeout_minutes + 15) * 60,
    )
    if training.autopilot:
        autopilot.add(parts, machine, training.autopilot, then="EvaluateModel")
    answered = ("passed.$", "failures.$", "metrics.$", "report.$", *(["autopilot.$"] if training.autopilot else []))
    machine.invoke(
        "EvaluateModel",
        parts.model_gate,
        {
            "run.$": "$.run",
            "model_artifact.$": "$.trained.model_artifact",
            **({"autopilot.$": "$.autopilot"} if training.autopilot else {}),
        },
        select={name: f"$.Payload.{name[:-2]}" for name in answered},
        keep="$.gate",
        then="LogExperiment",
    )
    # The log is for people: whatever becomes of it, the model goes its way, and the run's report says how it went.
    machine.invoke(
        "LogExperiment",
        parts.experiment_log,
        {"run.$": "$.run", "model_artifact.$": "$.trained.model_artifact", "gate.$": "$.gate"},
        select={"text.$": "States.Format('{} in {}', $.Payload.run, $.Payload.experiment)"},
        keep="$.experiment",
        then="GatePassed",
        caught=[{**ANY, "ResultPath": "$.experiment_error", "Next": "ExperimentNotLogged"}],
    )
    machine.states["ExperimentNotLogged"] = {
        "Type": "Pass",
        "Parameters": {"text.$": "States.Format('not logged: {}', $.experiment_error.Cause)"},
        "ResultPath": "$.experiment",
        "Next": "GatePassed",
    }
    machine.choose(
        "GatePassed", [({"Variable": "$.gate.passed", "BooleanEquals": True}, "RegisterModel")], otherwise="GateRefused"
    )
    machine.refuse("GateRefused", "GateRefused", cause_path="States.JsonToString($.gate.failures)")


def job(parts: Parts) -> dict[str, Any]:
    """CreateTrainingJob's request."""
    training = parts.config.training
    models = f"s3://{parts.artifacts_bucket}/{models_prefix('{}')}"
    return {
        "TrainingJobName.$": "$.run.job_name",
        "RoleArn": parts.training_role,
        # No MetricDefinitions: AWS refuses them for this image. The figures are in the model's evaluation.json.
        "AlgorithmSpecification": {"TrainingImage": parts.image, "TrainingInputMode": "File"},
        "Environment": OFFLINE_PIP,
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"/opt/ml/input/data/code/{parts.training_source_key}",
            "portfolio.$": "$.run.portfolio",
            "run_id.$": "$.run.run_id",
            "excluded_features.$": "$.run.excluded_features",
            **({"tuned.$": "$.tuned.settings"} if training.tuning else {}),
        },
        "InputDataConfig": [
            _channel("code", {"S3Uri": parts.training_source}),
            _channel("packages", {"S3Uri": parts.training_packages}),
            _channel("train", {"S3Uri.$": "$.run.training_prefix"}),
        ],
        "OutputDataConfig": {
            "S3OutputPath.$": f"States.Format('{models}', $.run.portfolio)",
            "KmsKeyId": parts.key,
        },
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": training.instance_type,
            "VolumeSizeInGB": training.volume_gb,
            "VolumeKmsKeyId": parts.key,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": training.timeout_minutes * 60},
        "EnableNetworkIsolation": True,
        **parts.vpc_config,
    }


def _channel(name: str, source: dict[str, str]) -> dict[str, Any]:
    s3 = {"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated", **source}
    return {"ChannelName": name, "InputMode": "File", "DataSource": {"S3DataSource": s3}}


def _register(parts: Parts, machine: Machine) -> None:
    serving = parts.config.serving
    machine.task(
        "RegisterModel",
        "aws-sdk:sagemaker:createModelPackage",
        {
            "ModelPackageGroupName.$": "$.run.model_package_group",
            # An attempt of a run is one execution: however often it asks, it registers one version.
            "ClientToken.$": "States.Hash($$.Execution.Id, 'MD5')",
            "ModelPackageDescription.$": "States.Format('run {}, job {}', $.run.run_id, $.run.job_name)",
            "ModelApprovalStatus": parts.config.training.approval,
            "CustomerMetadataProperties.$": "$.gate.metrics",
            "InferenceSpecification": {
                "Containers": [{"Image": parts.image, "ModelDataUrl.$": "$.trained.model_artifact"}],
                "SupportedContentTypes": [*ANSWERS, "application/x-parquet"],
                "SupportedResponseMIMETypes": ANSWERS,
                "SupportedRealtimeInferenceInstanceTypes": [serving.instance_type],
                "SupportedTransformInstanceTypes": [serving.transform_instance_type],
            },
        },
        select={"arn.$": "$.ModelPackageArn"},
        keep="$.package",
        then="NoteTime",
    )
    # The time is the registration's, so that a load that is tried again writes the same row.
    machine.states["NoteTime"] = {
        "Type": "Pass",
        "Parameters": {"text.$": "$$.State.EnteredTime"},
        "ResultPath": "$.registered_at",
        "Next": "LoadWarehouse",
    }
    registered = {
        "model_package.$": "$.package.arn",
        "registered_at.$": "$.registered_at.text",
        "as_of.$": "$.run.as_of",
        "metrics.$": "$.gate.metrics",
    }
    # No mart that is materialized reads it, so there is nothing to refresh.
    parts.load(machine, "train", {"registered": registered}, then="ReadPackage", copies=False)
