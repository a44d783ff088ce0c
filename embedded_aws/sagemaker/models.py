"""Models and endpoint configurations: what a container is made of."""

from typing import Any

from botocore.exceptions import ClientError

from embedded_aws import service
from embedded_aws.sagemaker import artifacts, registry, store
from embedded_aws.sagemaker.roles import check_role
from embedded_aws.service import ApiError

Json = dict[str, Any]


def create_model(request: Json) -> Json:
    """CreateModel; the artifact must be readable by the execution role."""
    name = request["ModelName"]
    store.check_name(name, "modelName")
    role = request.get("ExecutionRoleArn")
    if not role:
        raise ApiError("ValidationException", "ExecutionRoleArn is required.")
    containers = request.get("Containers") or [request.get("PrimaryContainer")]
    if len(containers) != 1 or not containers[0]:
        raise ApiError("ValidationException", "The embedded AWS serves models of exactly one container.")
    container = _resolved(containers[0])
    if not container.get("Image"):
        raise ApiError("ValidationException", "Image of the container is required.")
    check_role(role)
    if container.get("ModelDataUrl"):
        _check_artifact(role, container["ModelDataUrl"])
    record = store.create("model", name, {**request, "PrimaryContainer": container})
    record["ModelArn"] = store.arn("model", name)
    record["EnableNetworkIsolation"] = request.get("EnableNetworkIsolation", False)
    return {"ModelArn": record["ModelArn"]}


def _resolved(container: Json) -> Json:
    """A container that names a model package takes image and artifact from it; the package must be approved."""
    if not container.get("ModelPackageName"):
        return container
    package = registry.find(container["ModelPackageName"])
    if package["ModelApprovalStatus"] != "Approved":
        raise ApiError("ValidationException", f"Model package {package['ModelPackageArn']} is not approved.")
    inner = package["InferenceSpecification"]["Containers"][0]
    return {**inner, **container, "Environment": {**inner.get("Environment", {}), **container.get("Environment", {})}}


def _check_artifact(role: str, uri: str) -> None:
    bucket, key = artifacts.split(uri)
    try:
        service.client("s3", role, "SageMaker").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        raise ApiError(
            "ValidationException",
            f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust '
            f'relationship policy allows the action "sts:AssumeRole" for the service principal '
            f'"sagemaker.amazonaws.com". '
            f'Also ensure that the role has "s3:GetObject" permissions and that the object is located in this region.',
        ) from error


def create_config(request: Json) -> Json:
    """CreateEndpointConfig; its models must exist."""
    name, variants = request["EndpointConfigName"], request["ProductionVariants"]
    store.check_name(name, "endpointConfigName")
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise ApiError(
            "ValidationException", "Production variant names must be unique within an endpoint configuration."
        )
    for variant in variants:
        if "ServerlessConfig" not in variant and not variant.get("InstanceType"):
            raise ApiError("ValidationException", f"InstanceType of the variant {variant['VariantName']} is required.")
        store.find("model", variant.get("ModelName", ""))
        variant.setdefault("InitialVariantWeight", 1.0)
        variant.setdefault("InitialInstanceCount", 1)
    record = store.create("endpoint-config", name, dict(request))
    record["EndpointConfigArn"] = store.arn("endpoint-config", name)
    return {"EndpointConfigArn": record["EndpointConfigArn"]}


def delete_config(request: Json) -> Json:
    """DeleteEndpointConfig; refused while an endpoint is being created or updated with it."""
    name = request["EndpointConfigName"]
    for endpoint in store.state["endpoint"].values():
        busy = endpoint["EndpointStatus"] in ("Creating", "Updating", "RollingBack")
        if busy and name in (endpoint["EndpointConfigName"], endpoint.get("_next")):
            arn = store.arn("endpoint-config", name)
            raise ApiError(
                "ValidationException",
                f'Cannot delete endpoint configuration "{arn}": in use by "{endpoint["EndpointArn"]}".',
            )
    store.delete("endpoint-config", name)
    return {}


def delete_model(request: Json) -> Json:
    """DeleteModel."""
    store.delete("model", request["ModelName"])
    return {}


def list_models(request: Json) -> Json:
    """ListModels."""
    names = ("ModelName", "ModelArn", "CreationTime")
    found, more = store.page(store.state["model"].values(), request, name="ModelName", names=names)
    return {"Models": found, **more}


def list_configs(request: Json) -> Json:
    """ListEndpointConfigs."""
    names = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
    found, more = store.page(store.state["endpoint-config"].values(), request, name="EndpointConfigName", names=names)
    return {"EndpointConfigs": found, **more}
