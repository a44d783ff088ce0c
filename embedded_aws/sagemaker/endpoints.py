"""Endpoints: created, updated, deleted, described.

An update that fails leaves the old configuration in service, and the endpoint says InService again, as on AWS.
"""

from collections.abc import Callable
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import fleets, store
from embedded_aws.sagemaker.roles import check_caller, check_grant
from embedded_aws.service import ApiError

Json = dict[str, Any]

on_update: list[Callable[[str, list[Json]], None]] = []  # who may refuse an update, by its name and new variants
on_delete: list[Callable[[str], None]] = []  # what else goes with an endpoint, by its name

_BUSY = ("Creating", "Updating", "RollingBack", "SystemUpdating")


# Operations


def create(request: Json) -> Json:
    """CreateEndpoint."""
    name, config = request["EndpointName"], request["EndpointConfigName"]
    store.check_name(name, "endpointName")
    known = store.find("endpoint-config", config)
    variants = known["ProductionVariants"]
    check_grant(known.get("KmsKeyId"), None)
    _check_deployment(request.get("DeploymentConfig"), variants)
    endpoint = store.create(
        "endpoint", name, {"EndpointName": name, "EndpointConfigName": config, "Tags": request.get("Tags", [])}
    )
    endpoint.update(EndpointArn=store.arn("endpoint", name), EndpointStatus="Creating")
    if request.get("DeploymentConfig"):
        endpoint["LastDeploymentConfig"] = request["DeploymentConfig"]
    service.spawn_thread(fleets.bring_up, endpoint)
    return {"EndpointArn": endpoint["EndpointArn"]}


def update(request: Json) -> Json:
    """UpdateEndpoint."""
    endpoint = store.find("endpoint", request["EndpointName"])
    config = request["EndpointConfigName"]
    variants = store.find("endpoint-config", config)["ProductionVariants"]
    if endpoint["EndpointStatus"] in _BUSY or endpoint["EndpointStatus"] == "Deleting":
        raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    if endpoint["EndpointStatus"] == "Failed":
        raise ApiError(
            "ValidationException", f'Cannot update failed endpoint "{endpoint["EndpointArn"]}": delete it instead.'
        )
    deployment = request.get("DeploymentConfig")
    if deployment is None and request.get("RetainDeploymentConfig"):
        deployment = endpoint.get("LastDeploymentConfig")
    _check_deployment(deployment, variants)
    for checks in on_update:
        checks(request["EndpointName"], variants)
    if deployment:
        endpoint["LastDeploymentConfig"] = deployment
    endpoint.pop("FailureReason", None)
    store.touch(endpoint, EndpointStatus="Updating", _next=config)
    service.spawn_thread(fleets.replace, endpoint, config, deployment or {})
    return {"EndpointArn": endpoint["EndpointArn"]}


def delete(request: Json) -> Json:
    """DeleteEndpoint; refused while it is being created or updated."""
    endpoint = store.find("endpoint", request["EndpointName"])
    if endpoint["EndpointStatus"] in _BUSY:
        raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    store.delete("endpoint", request["EndpointName"])
    fleets.retire(fleets.fleets.pop(request["EndpointName"], {}))
    for goes in on_delete:
        goes(request["EndpointName"])
    return {}


def describe(request: Json) -> Json:
    """DescribeEndpoint."""
    endpoint = store.find("endpoint", request["EndpointName"])
    return {key: value for key, value in endpoint.items() if not key.startswith("_")}


def list_endpoints(request: Json) -> Json:
    """ListEndpoints."""
    names = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    found, more = store.page(
        store.state["endpoint"].values(), request, name="EndpointName", names=names, status="EndpointStatus"
    )
    return {"Endpoints": found, **more}


def update_weights(request: Json) -> Json:
    """UpdateEndpointWeightsAndCapacities: weights route requests; counts are recorded."""
    endpoint = store.find("endpoint", request["EndpointName"])
    if endpoint["EndpointStatus"] != "InService":
        raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    wanted = {item["VariantName"]: item for item in request["DesiredWeightsAndCapacities"]}
    for variant in endpoint["ProductionVariants"]:
        item = wanted.pop(variant["VariantName"], {})
        if "DesiredWeight" in item:
            variant["CurrentWeight"] = variant["DesiredWeight"] = item["DesiredWeight"]
        if "DesiredInstanceCount" in item:
            variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"] = item["DesiredInstanceCount"]
    if wanted:
        raise ApiError("ValidationException", f'Could not find variant "{next(iter(wanted))}".')
    store.touch(endpoint)
    return {"EndpointArn": endpoint["EndpointArn"]}


def _check_deployment(deployment: Json | None, variants: list[Json]) -> None:
    """What AWS refuses: a canary above half of the instances, steps out of range, alarms that do not exist."""
    if not deployment:
        return
    routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    field = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(routing.get("Type", ""))
    if field:
        size = routing.get(field)
        if not size:
            raise ApiError("ValidationException", f"{field} is required for traffic routing of type {routing['Type']}.")
        instances = min(variant["InitialInstanceCount"] for variant in variants)
        if fleets.canary_share(deployment, variants) > 0.5 or instances < 2:
            raise ApiError(
                "ValidationException",
                f"{field} of {size['Value']} {size['Type']} exceeds 50% of the endpoint's {instances} instance(s).",
            )
    alarms = [alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
    for alarm in alarms:
        check_caller("cloudwatch:DescribeAlarms", service.arn("cloudwatch", f"alarm:{alarm}"))
    missing = set(alarms) - fleets.alarm_states(alarms).keys()
    if missing:
        raise ApiError("ValidationException", f"Could not find the CloudWatch alarm(s) {', '.join(sorted(missing))}.")
