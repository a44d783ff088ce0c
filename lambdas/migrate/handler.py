"""CloudFormation custom resource: brings the warehouse's schema up to date at every deploy that changes it."""

from typing import Any

import boto3
from settings import Settings

from solvent import custom_resource
from solvent.naming import DATABASE, Names
from solvent.warehouse import migrations
from solvent.warehouse.data_api import DataApi

settings = Settings.from_environment()
names = Names(settings.environment)
warehouse = DataApi(
    boto3.client("redshift-data"),
    workgroup=names.workgroup,
    database=DATABASE,
    secret_arn=settings.admin_secret_arn,
)


def handler(event: dict[str, Any], context: Any) -> None:
    """Create and Update apply what is pending; Delete leaves the schema to the namespace's own fate."""

    def work() -> dict[str, str]:
        applied = [] if event["RequestType"] == "Delete" else migrations.apply(warehouse, prefix=names.prefix)
        return {"Applied": ",".join(applied)}

    custom_resource.answer(event, physical_id=names.named("migrations"), work=work)
