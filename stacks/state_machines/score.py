"""`score`: all open loans through the champion (batch transform) -> predictions in the warehouse -> notification."""

from typing import Any

from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY


def definition(parts: Parts) -> dict[str, Any]:
    config = parts.config
    machine = parts.machine("score", "Batch predictions of the champion. Input: portfolio")
    parts.open(machine, first="DescribeChampion", then="Transform")
    machine.task(
        "DescribeChampion",
        "aws-sdk:sagemaker:describeEndpoint",
        {"EndpointName.$": f"States.Format('{config.names.endpoint('{}')}', $.portfolio)"},
        select={"config.$": "$.EndpointConfigName"},
        keep="$.endpoint",
        then="DescribeChampionConfig",
        caught=[{**ANY, "Next": "ChampionMissing"}],
    )
    missing = {"Variable": "$.error.Cause", "StringMatches": "*Could not find*"}
    machine.choose("ChampionMissing", [(missing, "NoChampion")], otherwise="RecordFailure")
    machine.refuse(
        "NoChampion",
        "NoChampion",
        cause="there is no champion yet, so nothing can be scored: run `train` (or `pipeline`) first",
    )
    machine.task(
        "DescribeChampionConfig",
        "aws-sdk:sagemaker:describeEndpointConfig",
        {"EndpointConfigName.$": "$.endpoint.config"},
        select={"model.$": "$.ProductionVariants[0].ModelName"},
        keep="$.variant",
        then="UseChampion",
    )
    machine.states["UseChampion"] = {
        "Type": "Pass",
        "InputPath": "$.variant.model",
        "ResultPath": "$.champion",
        "Next": "BeginRun",
    }
    machine.task(
        "Transform",
        "sagemaker:createTransformJob.sync",
        {
            "TransformJobName.$": "$.run.job_name",
            "ModelName.$": "$.champion",
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": 6,
            "TransformInput": {
                "ContentType": "application/jsonlines",
                "SplitType": "Line",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri.$": "$.run.open_loans_prefix"}},
            },
            "TransformOutput": {
                "S3OutputPath.$": "$.run.predictions_prefix",
                "Accept": "application/jsonlines",
                "AssembleWith": "Line",
                "KmsKeyId": parts.key,
            },
            "TransformResources": {
                "InstanceCount": 1,
                "InstanceType": config.serving.transform_instance_type,
                "VolumeKmsKeyId": parts.key,
            },
        },
        keep=None,
        then="LoadWarehouse",
        timeout_seconds=config.serving.transform_timeout_minutes * 60,
    )
    payload = {"phase": "score", "predictions_prefix.$": "$.run.predictions_prefix"}
    parts.load(machine, payload, then="Notify")
    machine.task(
        "Notify",
        "sns:publish",
        {
            "TopicArn": parts.topic,
            "Subject.$": "States.Format('Solvent: predictions of {} are in the warehouse', $.run.portfolio)",
            "Message.$": "States.Format('Run {}, model {}; report: {}', $.run.run_id, $.champion, $.run.report)",
        },
        keep=None,
        then="CompleteRun",
    )
    machine.close({"model.$": "$.champion", "statement_id.$": "$.load.id", "predictions.$": "$.run.predictions_prefix"})
    return machine.definition()
