"""Brings the warehouse up to date: as a custom resource at every deploy that changes it, and for `solvent migrate`."""

import json
from dataclasses import asdict
from functools import partial
from typing import Any

import boto3
from settings import Settings

from solvent import custom_resource
from solvent.naming import DATABASE, Names
from solvent.warehouse import upgrade
from solvent.warehouse.data_api import DataApi

SECONDS_TO_ANSWER = 30
settings = Settings.from_environment()
names = Names(settings.environment)
options = [name for name in settings.options.split(",") if name]
apply = partial(upgrade.apply, names=names, wanted=options, groups=json.loads(settings.regions))
warehouse = DataApi(
    boto3.client("redshift-data"),
    workgroup=names.workgroup,
    database=DATABASE,
    secret_arn=settings.admin_secret_arn,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """CloudFormation's request: Create and Update apply what is pending; Delete leaves the schema to the namespace's
    own fate. Or {"action": "ledgers" | "apply"}: what has been applied; what was applied now.
    """
    api = warehouse.within(context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER)
    if event.get("action") == "ledgers":
        return asdict(upgrade.ledgers(api))
    if event.get("action") == "apply":
        return dict(apply(api))

    def work() -> dict[str, str]:
        deleted = event["RequestType"] == "Delete"
        applied = {} if deleted else apply(api)
        told = {"Applied": "migrations", "Marts": "marts", "Options": "options"}
        return {name: ",".join(applied.get(kind, [])) for name, kind in told.items()}

    custom_resource.answer(event, physical_id=names.named("migrations"), work=work)
    return None
