"""Workgroups of Redshift Serverless."""

import uuid
from typing import Any

from embedded_aws import service
from embedded_aws.redshift.namespaces import find, now, state
from embedded_aws.service import ApiError

Json = dict[str, Any]

_PORT = 5439
_SETTINGS = (
    "baseCapacity", "maxCapacity", "configParameters", "enhancedVpcRouting", "port", "publiclyAccessible",
    "securityGroupIds", "subnetIds",
)  # fmt: skip


def create_workgroup(request: Json) -> Json:
    """CreateWorkgroup."""
    name = request["workgroupName"]
    if name in state["workgroups"]:
        raise ApiError("ConflictException", f"Workgroup {name} already exists.")
    find("namespaces", request["namespaceName"])
    _check_capacity(request)
    _check_subnets(request.get("subnetIds", []))
    identifier = str(uuid.uuid4())
    _, _, _, region, account, _ = service.arn("redshift-serverless", "x").split(":")
    port = request.get("port", _PORT)
    workgroup = {
        "workgroupName": name,
        "workgroupId": identifier,
        "workgroupArn": service.arn("redshift-serverless", f"workgroup/{identifier}"),
        "namespaceName": request["namespaceName"],
        "baseCapacity": 128,
        "enhancedVpcRouting": False,
        "publiclyAccessible": False,
        "configParameters": [],
        "securityGroupIds": [],
        "subnetIds": [],
        "endpoint": {"address": f"{name}.{account}.{region}.redshift-serverless.amazonaws.com", "port": port},
        "status": "AVAILABLE",
        "creationDate": now(),
        **{key: request[key] for key in _SETTINGS if key in request},
        "port": port,
    }
    state["workgroups"][name] = workgroup
    state["tags"][workgroup["workgroupArn"]] = request.get("tags", [])
    return {"workgroup": workgroup}


def _check_capacity(request: Json) -> None:
    capacity = request.get("baseCapacity", 128)
    if capacity != 4 and not (8 <= capacity <= 1024 and capacity % 8 == 0):
        raise ApiError("ValidationException", f"Base capacity {capacity} is not 4, or a multiple of 8 from 8 to 1024.")
    if request.get("maxCapacity", capacity) < capacity:
        raise ApiError("ValidationException", "The maximum capacity is below the base capacity.")


def _check_subnets(subnets: list[str]) -> None:
    if not subnets:
        return
    found = service.operator_client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    zones = {subnet["AvailabilityZone"] for subnet in found}
    if len(zones) < 3:
        raise ApiError(
            "ValidationException",
            f"The subnets lie in {len(zones)} availability zone(s); a workgroup needs at least 3 subnets in 3 zones.",
        )


def update_workgroup(request: Json) -> Json:
    """UpdateWorkgroup."""
    workgroup = find("workgroups", request["workgroupName"])
    _check_capacity({**workgroup, **request})
    _check_subnets(request.get("subnetIds", []))
    workgroup.update({key: request[key] for key in _SETTINGS if key in request})
    workgroup["endpoint"]["port"] = workgroup["port"]
    return {"workgroup": workgroup}


def delete_workgroup(request: Json) -> Json:
    """DeleteWorkgroup."""
    workgroup = find("workgroups", request["workgroupName"])
    state["tags"].pop(workgroup["workgroupArn"], None)
    return {"workgroup": {**state["workgroups"].pop(workgroup["workgroupName"]), "status": "DELETING"}}


def namespace_of(workgroup: str) -> Json:
    """The namespace that a workgroup serves."""
    return find("namespaces", find("workgroups", workgroup)["namespaceName"])
