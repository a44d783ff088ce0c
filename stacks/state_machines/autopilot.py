"""The option `training.autopilot`: SageMaker Autopilot tries its own candidates, and the gate judges the best one.

Whatever becomes of it, `train` goes on: the gate's report says it. Its candidate is compared and never goes live
(docs/decisions/0021).
"""

from typing import Any

from solvent.naming import models_prefix
from stacks.config import AUTOPILOT_POLL_SECONDS, Autopilot
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine, State

FIRST = "PrepareAutopilot"
CATCHER: State = {**ANY, "ResultPath": "$.autopilot_error", "Next": "AutopilotFailed"}
PARQUET = "x-application/vnd.amazon+parquet"


def add(parts: Parts, machine: Machine, option: Autopilot, *, then: str) -> None:
    """The states from PrepareAutopilot to `then`, which finds DescribeAutoMLJobV2's answer in `$.autopilot`."""
    machine.invoke(
        FIRST,
        parts.run_control,
        {"action": "autopilot", "run.$": "$.run"},
        select={f"{name}.$": f"$.Payload.{name}" for name in ("job_name", "target", "features")},
        keep="$.autopilot_job",
        then="StartAutopilot",
        caught=[CATCHER],
    )
    ended = [({"Variable": "$.autopilot.AutoMLJobStatus", "StringEquals": s}, then) for s in ("Completed", "Failed")]
    stopped = ({"Variable": "$.autopilot.AutoMLJobStatus", "StringEquals": "Stopped"}, then)
    first = machine.poll(
        "Autopilot",
        "aws-sdk:sagemaker:describeAutoMLJobV2",
        {"AutoMLJobName.$": "$.autopilot_job.job_name"},
        select=None,
        keep="$.autopilot",
        seconds=AUTOPILOT_POLL_SECONDS,
        timeout_minutes=option.wait_minutes,
        rules=[*ended, stopped],
        late="it did not end within training.autopilot.maximum_runtime_minutes and half an hour",
        catcher=CATCHER,
    )
    machine.task(
        "StartAutopilot",
        "aws-sdk:sagemaker:createAutoMLJobV2",
        _job(parts, option),
        keep=None,
        then=first,
        caught=[CATCHER],
    )
    machine.states["AutopilotFailed"] = {
        "Type": "Pass",
        "Parameters": {"AutoMLJobStatus": "Failed", "FailureReason.$": "$.autopilot_error.Cause"},
        "ResultPath": "$.autopilot",
        "Next": then,
    }


def _job(parts: Parts, option: Autopilot) -> dict[str, Any]:
    """CreateAutoMLJobV2's request. The API knows no network isolation; in a private environment the VPC is the wall."""
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri.$": "$.run.training_prefix"}}
    return {
        "AutoMLJobName.$": "$.autopilot_job.job_name",
        "RoleArn": parts.autopilot_role,
        "AutoMLJobInputDataConfig": [{"ChannelType": "training", "ContentType": PARQUET, "DataSource": data}],
        "OutputDataConfig": {
            "S3OutputPath.$": f"States.Format('s3://{parts.artifacts_bucket}/{models_prefix('{}')}', $.run.portfolio)",
            "KmsKeyId": parts.key,
        },
        "AutoMLJobObjective": {"MetricName": "AUC"},
        "AutoMLProblemTypeConfig": {
            "TabularJobConfig": {
                "ProblemType": "BinaryClassification",
                "TargetAttributeName.$": "$.autopilot_job.target",
                "FeatureSpecificationS3Uri.$": "$.autopilot_job.features",
                "Mode": "HYPERPARAMETER_TUNING",  # the mode whose candidates are counted
                # Its images lie in XGBoost's account; those of the other algorithms do not.
                "CandidateGenerationConfig": {"AlgorithmsConfig": [{"AutoMLAlgorithms": ["xgboost"]}]},
                "CompletionCriteria": {
                    "MaxCandidates": option.maximum_candidates,
                    "MaxAutoMLJobRuntimeInSeconds": option.maximum_runtime_minutes * 60,
                },
            }
        },
        "SecurityConfig": {
            "VolumeKmsKeyId": parts.key,
            "EnableInterContainerTrafficEncryption": True,
            **parts.vpc_config,
        },
    }
