"""CloudFormation: the resource types ministack lacks, and a table that accounts for every property of ours."""

from embedded_aws.cloudformation import (
    bucket,
    completed,
    custom_resources,
    handlers,
    helpers,
    made_by_api,
    own_services,
    properties,
    waiting,
)


def install() -> None:
    """Register the types, then guard all of them with the property table."""
    made_by_api.register()
    own_services.register()
    helpers.register()
    bucket.extend()
    completed.extend()
    custom_resources.install()
    properties.guard(handlers.all_types())
    handlers.install()
    waiting.install()
