"""Logs a training job in MLflow, after the gate has judged it."""

from typing import Any

import boto3
from mlflow import MlflowClient
from settings import Settings

from solvent.experiments import ExperimentLog
from solvent.naming import Names

settings = Settings.from_environment()
experiments = ExperimentLog(
    s3=boto3.client("s3"),
    tracking=MlflowClient(tracking_uri=settings.tracking_uri),
    prefix=Names(settings.environment).prefix,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """{"run", "model_artifact", "gate"} -> {"experiment", "run"}."""
    return experiments.record(run=event["run"], model_artifact=event["model_artifact"], gate=event["gate"])
