"""`score`: all open loans through the champion (batch transform) -> predictions, marts -> notification."""

from typing import Any

from stacks.state_machines.parts import Parts


def definition(parts: Parts) -> dict[str, Any]:
    config = parts.config
    machine = parts.machine("score", "Batch predictions of the champion. Input: portfolio")
    # BeginRun looks the champion up once it holds the lock: what it had to wait for may have put a new one live.
    parts.open(machine, then="Transform")
    machine.task(
        "Transform",
        "sagemaker:createTransformJob.sync",
        {
            "TransformJobName.$": "$.run.job_name",
            "ModelName.$": "$.run.champion",
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": 6,
            "TransformInput": {
                "ContentType": "application/jsonlines",
                "SplitType": "Line",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri.$": "$.run.batch_prefix"}},
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
    parts.load(machine, "score", {"predictions_prefix.$": "$.run.predictions_prefix"}, then="RefreshMarts")
    parts.refresh(machine, then="Notify")
    machine.task(
        "Notify",
        "sns:publish",
        {
            "TopicArn": parts.topic,
            "Subject.$": "States.Format('Solvent: predictions of {} are in the warehouse', $.run.portfolio)",
            "Message.$": "States.Format('Run {}, model {}; report: {}', $.run.run_id, $.run.champion, $.run.report)",
        },
        keep=None,
        then="CompleteRun",
    )
    machine.close(
        {"model.$": "$.run.champion", "statement_id.$": "$.load.id", "predictions.$": "$.run.predictions_prefix"}
    )
    return machine.definition()
