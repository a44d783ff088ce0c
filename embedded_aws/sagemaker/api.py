"""SageMaker's operations by name, the resource each call is authorized against, and restart."""

from collections.abc import Callable
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import endpoints, fleets, mlflow, models, registry, runtime, store, training, transform
from embedded_aws.service import JsonService

Json = dict[str, Any]


def _describe(kind: str, field: str) -> Callable[[Json], Json]:
    return lambda request: store.find(kind, request[field])


OPERATIONS: dict[str, Any] = {
    "CreateTrainingJob": training.create,
    "DescribeTrainingJob": training.describe,
    "StopTrainingJob": training.stop,
    "ListTrainingJobs": training.list_jobs,
    "CreateModel": models.create_model,
    "DescribeModel": _describe("model", "ModelName"),
    "DeleteModel": models.delete_model,
    "ListModels": models.list_models,
    "CreateEndpointConfig": models.create_config,
    "DescribeEndpointConfig": _describe("endpoint-config", "EndpointConfigName"),
    "DeleteEndpointConfig": models.delete_config,
    "ListEndpointConfigs": models.list_configs,
    "CreateEndpoint": endpoints.create,
    "UpdateEndpoint": endpoints.update,
    "UpdateEndpointWeightsAndCapacities": endpoints.update_weights,
    "DescribeEndpoint": endpoints.describe,
    "DeleteEndpoint": endpoints.delete,
    "ListEndpoints": endpoints.list_endpoints,
    "InvokeEndpoint": runtime.invoke_endpoint,
    "CreateTransformJob": transform.create,
    "DescribeTransformJob": transform.describe,
    "StopTransformJob": transform.stop,
    "ListTransformJobs": transform.list_jobs,
    "CreateModelPackageGroup": registry.create_group,
    "DescribeModelPackageGroup": registry.describe_group,
    "DeleteModelPackageGroup": registry.delete_group,
    "ListModelPackageGroups": registry.list_groups,
    "CreateModelPackage": registry.create,
    "DescribeModelPackage": registry.describe,
    "UpdateModelPackage": registry.update,
    "DeleteModelPackage": registry.delete,
    "ListModelPackages": registry.list_packages,
    "CreateMlflowApp": mlflow.create,
    "DescribeMlflowApp": mlflow.describe,
    "DeleteMlflowApp": mlflow.delete,
    **store.tag_operations(),
}

# The field that names the resource of a call, and the kind in its ARN.
_RESOURCES = (
    ("TrainingJobName", "training-job"),
    ("TransformJobName", "transform-job"),
    ("EndpointName", "endpoint"),
    ("EndpointConfigName", "endpoint-config"),
    ("ModelName", "model"),
    ("ModelPackageName", "model-package"),
    ("ModelPackageGroupName", "model-package-group"),
)


def resource(operation: str, payload: Json, path: str) -> str:
    """The ARN that a call is authorized against, "*" for lists."""
    if operation == "InvokeEndpoint":
        return store.arn("endpoint", runtime.endpoint_of(path))
    if operation.startswith("List") and operation != "ListTags":
        return "*"
    if operation == "CreateMlflowApp":
        return store.arn("mlflow-app", "*")
    for field in ("ResourceArn", "ModelPackageArn", "Arn"):
        if field in payload:
            return str(payload[field])
    if operation == "CreateModelPackage":
        # Its ARN is known only afterwards; AWS authorizes the versions of the group.
        return store.arn("model-package", f"{payload.get('ModelPackageGroupName', '').rsplit('/', 1)[-1]}/*")
    for field, kind in _RESOURCES:
        if field in payload:
            return payload[field] if payload[field].startswith("arn:") else store.arn(kind, payload[field])
    return "*"


class SageMaker(JsonService):
    """The service; requests wait for the endpoints' servers while saved state is coming back."""

    def load_persisted_state(self, saved: Json) -> None:
        fleets.expect_restart()
        super().load_persisted_state(saved)


def _after_restart() -> None:
    training.after_restart()
    transform.after_restart()
    fleets.after_restart()


sagemaker = SageMaker(
    OPERATIONS, store.state, rest=runtime.operation, on_restore=_after_restart, on_reset=fleets.stop_all
)


def register() -> None:
    """Add sagemaker (and its runtime) to the embedded AWS."""
    service.register("sagemaker", sagemaker, "SageMaker", resource=resource)
