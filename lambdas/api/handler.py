"""The REST API: health, and scores from the SageMaker endpoint."""

from typing import Any

import boto3
from botocore.config import Config
from settings import Settings

from solvent.naming import PORTFOLIOS, Names
from solvent.web import Api

settings = Settings.from_environment()
api = Api(
    # Shorter than API Gateway's 30 seconds, so that the caller gets our answer and not a bare 504.
    runtime=boto3.client(
        "sagemaker-runtime", config=Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 2})
    ),
    endpoint=Names(settings.environment).endpoint(PORTFOLIOS[0]),
    environment=settings.environment,
    version=settings.version,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """HTTP API payload 2.0 in, a response out."""
    return api.respond(event)
