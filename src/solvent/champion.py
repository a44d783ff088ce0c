"""The champion: the model behind a portfolio's live endpoint, and its version in the registry."""

from typing import Any

from botocore.exceptions import ClientError


class UnknownVersion(Exception):
    """The live model does not say which version it is, so nothing can be compared with it."""


def live_model(sagemaker: Any, endpoint: str) -> str | None:
    """The name of the model behind an endpoint, None when there is no endpoint. `sagemaker` is a boto3 client."""
    try:
        configuration = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    except ClientError as error:
        if "Could not find" in error.response["Error"].get("Message", ""):
            return None
        raise
    return str(variants[0]["ModelName"])


def live_version(sagemaker: Any, endpoint: str) -> int | None:
    """The model package version behind an endpoint, None when there is no endpoint. Raises UnknownVersion."""
    model = live_model(sagemaker, endpoint)
    if model is None:
        return None
    text = str(
        sagemaker.describe_model(ModelName=model)["PrimaryContainer"].get("Environment", {}).get("MODEL_VERSION")
    )
    if not text.isdecimal():
        raise UnknownVersion(
            f"Model {model} behind endpoint {endpoint} has no version in its variable MODEL_VERSION ({text[:40]!r}), "
            "so `train` did not make it. Delete that endpoint, then start `train` again; the endpoint is unchanged."
        )
    return int(text)
