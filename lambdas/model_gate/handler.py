"""Judges a trained model by the specification's gates before anything is registered."""

from typing import Any

import boto3

from solvent.model_gate import ModelGate
from solvent.naming import Names
from solvent.settings import Settings

settings = Settings.from_environment()
gate = ModelGate(
    s3=boto3.client("s3"),
    sagemaker=boto3.client("sagemaker"),
    artifacts_bucket=Names(settings.environment).bucket("artifacts", settings.account, settings.region),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """{"run", "model_artifact"[, "champion"][, "autopilot"]} -> {"passed", "failures", "metrics", "report"}.

    With "autopilot", what became of that job, the answer has "autopilot", too.
    """
    return gate.judge(
        run=event["run"],
        model_artifact=event["model_artifact"],
        champion=event.get("champion"),
        automl_job=event.get("autopilot"),
    )
