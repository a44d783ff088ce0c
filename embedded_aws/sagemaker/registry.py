"""The model registry: package groups, and their versions 1, 2, ..."""

import time
from typing import Any

from embedded_aws.sagemaker import store
from embedded_aws.service import ApiError

Json = dict[str, Any]

_DECISIONS = ("Approved", "Rejected", "PendingManualApproval")


def create_group(request: Json) -> Json:
    """CreateModelPackageGroup."""
    name = request["ModelPackageGroupName"]
    store.check_name(name, "modelPackageGroupName")
    if name in store.state["model-package-group"]:
        raise ApiError(
            "ValidationException", f"Model Package Group already exists: {store.arn('model-package-group', name)}"
        )
    record = store.create("model-package-group", name, dict(request))
    record.update(
        ModelPackageGroupArn=store.arn("model-package-group", name), ModelPackageGroupStatus="Completed", CreatedBy={}
    )
    return {"ModelPackageGroupArn": record["ModelPackageGroupArn"]}


def _group(name: str) -> Json:
    name = name.rsplit("/", 1)[-1]
    if name not in store.state["model-package-group"]:
        raise ApiError(
            "ValidationException", f"ModelPackageGroup {store.arn('model-package-group', name)} does not exist."
        )
    return store.state["model-package-group"][name]


def describe_group(request: Json) -> Json:
    """DescribeModelPackageGroup."""
    return _group(request["ModelPackageGroupName"])


def delete_group(request: Json) -> Json:
    """DeleteModelPackageGroup; refused while it holds versions."""
    group = _group(request["ModelPackageGroupName"])
    if _versions(group):
        raise ApiError(
            "ConflictException",
            f"Model Package Group cannot be deleted because it still contains Model Packages: "
            f"{group['ModelPackageGroupArn']}",
        )
    store.delete("model-package-group", group["ModelPackageGroupName"])
    return {}


def list_groups(request: Json) -> Json:
    """ListModelPackageGroups."""
    names = ("ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription", "CreationTime",
             "ModelPackageGroupStatus")  # fmt: skip
    groups = store.state["model-package-group"].values()
    found, more = store.page(groups, request, name="ModelPackageGroupName", names=names)
    return {"ModelPackageGroupSummaryList": found, **more}


def _versions(group: Json) -> list[Json]:
    packages = store.state["model-package"].values()
    return [p for p in packages if p["ModelPackageGroupName"] == group["ModelPackageGroupName"]]


def create(request: Json) -> Json:
    """CreateModelPackage in a group; the same ClientToken gives the same version."""
    if not request.get("ModelPackageGroupName"):
        raise ApiError(
            "ValidationException", "The embedded AWS registers versioned packages: ModelPackageGroupName is required."
        )
    group = _group(request["ModelPackageGroupName"])
    token = request.get("ClientToken")
    for package in _versions(group):
        if token and package.get("ClientToken") == token:
            return {"ModelPackageArn": package["ModelPackageArn"]}
    if not request.get("InferenceSpecification", {}).get("Containers"):
        raise ApiError("ValidationException", "InferenceSpecification with a container is required.")
    decision = request.get("ModelApprovalStatus", "PendingManualApproval")
    _check_decision(decision)
    name = group["ModelPackageGroupName"]
    group["_last"] = version = group.get("_last", 0) + 1  # a number is never used again
    arn, now = f"{store.arn('model-package', name)}/{version}", time.time()
    record = {key: value for key, value in request.items() if key != "Tags"}
    store.state["tags"][arn] = request.get("Tags", [])
    store.state["model-package"][arn] = {
        **record,
        "ModelPackageName": f"{name}/{version}",
        "ModelPackageGroupName": name,
        "ModelPackageVersion": version,
        "ModelPackageArn": arn,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "ModelApprovalStatus": decision,
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": {},
    }
    return {"ModelPackageArn": arn}


def _check_decision(decision: str) -> None:
    if decision not in _DECISIONS:
        raise ApiError("ValidationException", f"ModelApprovalStatus {decision} is not one of {', '.join(_DECISIONS)}.")


def find(name: str) -> Json:
    """A package by ARN or `<group>/<version>`."""
    arn = name if name.startswith("arn:") else store.arn("model-package", name)
    if arn not in store.state["model-package"]:
        raise ApiError("ValidationException", f"ModelPackage {arn} does not exist.")
    return store.state["model-package"][arn]


def describe(request: Json) -> Json:
    """DescribeModelPackage."""
    return find(request["ModelPackageName"])


def update(request: Json) -> Json:
    """UpdateModelPackage: the approval and the customer's metadata."""
    package = find(request["ModelPackageArn"])
    if decision := request.get("ModelApprovalStatus"):
        _check_decision(decision)
        package["ModelApprovalStatus"] = decision
    if "ApprovalDescription" in request:
        package["ApprovalDescription"] = request["ApprovalDescription"]
    properties = {**package.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
    for name in request.get("CustomerMetadataPropertiesToRemove", []):
        properties.pop(name, None)
    package["CustomerMetadataProperties"] = properties
    package["LastModifiedTime"] = time.time()
    return {"ModelPackageArn": package["ModelPackageArn"]}


def delete(request: Json) -> Json:
    """DeleteModelPackage."""
    arn = find(request["ModelPackageName"])["ModelPackageArn"]
    store.state["tags"].pop(arn, None)
    store.state["model-package"].pop(arn)
    return {}


def list_packages(request: Json) -> Json:
    """ListModelPackages: of one group or all, by approval."""
    packages = list(store.state["model-package"].values())
    if request.get("ModelPackageGroupName"):
        packages = _versions(_group(request["ModelPackageGroupName"]))
    if request.get("ModelApprovalStatus"):
        packages = [p for p in packages if p["ModelApprovalStatus"] == request["ModelApprovalStatus"]]
    names = ("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "CreationTime",
             "ModelPackageDescription", "ModelPackageStatus", "ModelApprovalStatus")  # fmt: skip
    found, more = store.page(packages, request, name="ModelPackageName", names=names)
    return {"ModelPackageSummaryList": found, **more}
