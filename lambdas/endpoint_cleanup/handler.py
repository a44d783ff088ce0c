"""CloudFormation custom resource: when the stack goes, so do the endpoints that the state machines created."""

from typing import Any

import boto3

from solvent import custom_resource
from solvent.cleanup import Cleanup
from solvent.naming import PORTFOLIOS, Names
from solvent.settings import Settings

settings = Settings.from_environment()
names = Names(settings.environment)
cleanup = Cleanup(sagemaker=boto3.client("sagemaker"), autoscaling=boto3.client("application-autoscaling"), names=names)


def handler(event: dict[str, Any], context: Any) -> None:
    """Acts on Delete. Property DeleteModelPackages "true" empties the model package groups, too."""

    def work() -> dict[str, int]:
        if event["RequestType"] != "Delete":
            return {}
        packages = event.get("ResourceProperties", {}).get("DeleteModelPackages") == "true"
        return cleanup.run(PORTFOLIOS, packages=packages)

    custom_resource.answer(event, physical_id=names.named("endpoint-cleanup"), work=work)
