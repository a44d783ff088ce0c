"""CDK's own helper resources, done in Python.

Their functions are Node programs that need an SDK and a Docker-less Node that the embedded AWS does not have: a deploy
would wait an hour for them. The functions are still created, as the template says; they are just not called.
"""

import contextlib
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws import service
from embedded_aws.cloudformation import handlers
from embedded_aws.cloudformation.handlers import Properties, physical_name


def register() -> None:
    """One handler per helper that our templates contain."""
    handlers.register("Custom::S3AutoDeleteObjects", _named_after_bucket, _empty_bucket, _keep)
    handlers.register("Custom::VpcRestrictDefaultSG", _restrict_default_group, lambda *_: None, _keep)
    handlers.register("Custom::LogRetention", _set_retention, lambda *_: None)
    handlers.register("Custom::S3BucketNotifications", _notify, _stop_notifying, _renotify)


def _keep(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    return physical_id, {}


def _named_after_bucket(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    return properties["BucketName"], {}


def _empty_bucket(physical_id: str, properties: Properties) -> None:
    s3 = service.operator_client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=properties["BucketName"]):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found]
            if objects:
                s3.delete_objects(Bucket=properties["BucketName"], Delete={"Objects": objects, "Quiet": True})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _restrict_default_group(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    """Take every rule off the VPC's default security group."""
    ec2 = service.operator_client("ec2")
    group = properties["DefaultSecurityGroupId"]
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    if found.get("IpPermissions"):
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
    if found.get("IpPermissionsEgress"):
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"])
    return physical_name(stack, logical_id), {}


def _set_retention(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    logs, group = service.operator_client("logs"), properties["LogGroupName"]
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):  # the function has already written
        logs.create_log_group(logGroupName=group)
    if days := properties.get("RetentionInDays"):
        logs.put_retention_policy(logGroupName=group, retentionInDays=int(days))
    return group, {"LogGroupName": group}


def _notify(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    bucket, wanted = properties["BucketName"], dict(properties["NotificationConfiguration"])
    service.operator_client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=wanted, SkipDestinationValidation=True
    )
    return physical_name(stack, logical_id), {}


def _renotify(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    _notify(physical_id, new, stack)
    return physical_id, {}


def _stop_notifying(physical_id: str, properties: Properties) -> None:
    s3 = service.operator_client("s3")
    try:
        s3.put_bucket_notification_configuration(Bucket=properties["BucketName"], NotificationConfiguration={})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
