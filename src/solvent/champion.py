"""The champion: the model behind a portfolio's live endpoint, and its version in the registry.

An endpoint may have a challenger beside it, which gets a share of the requests. Whoever gets most of them is champion:
so a challenger that is promoted, by weights alone, is what the next models are compared with, and what `score` uses.
"""

from typing import Any

from botocore.exceptions import ClientError


class UnknownVersion(Exception):
    """The live model does not say which version it is, so nothing can be compared with it."""


def live_model(sagemaker: Any, endpoint: str) -> str | None:
    """The name of the model behind an endpoint, None when there is no endpoint. `sagemaker` is a boto3 client."""
    try:
        live = sagemaker.describe_endpoint(EndpointName=endpoint)
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=live["EndpointConfigName"])[
            "ProductionVariants"
        ]
    except ClientError as error:
        if "Could not find" in error.response["Error"].get("Message", ""):
            return None
        raise
    weights = {v["VariantName"]: v.get("CurrentWeight", 1.0) for v in live.get("ProductionVariants", [])}
    # `max` takes the first of equals, which is the one that was champion before.
    return str(max(variants, key=lambda variant: weights.get(variant["VariantName"], 1.0))["ModelName"])


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
