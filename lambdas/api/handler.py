"""The REST API: health, and scores from the SageMaker endpoint."""

from typing import Any

import boto3
from botocore.config import Config
from settings import Settings

from solvent.naming import PORTFOLIOS, Names
from solvent.web import Api

settings = Settings.from_environment()
api = Api(
    # Two attempts of 12 seconds end before this function (29 s) and API Gateway (30 s) do, so that the caller gets our
    # answer and not a bare 504. `max_attempts` would not count the first attempt.
    runtime=boto3.client(
        "sagemaker-runtime",
        config=Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2}),
    ),
    endpoint=Names(settings.environment).endpoint(PORTFOLIOS[0]),
    environment=settings.environment,
    version=settings.version,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """HTTP API payload 2.0 in, a response out."""
    return api.respond(event)
