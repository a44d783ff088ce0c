"""SageMaker's managed MLflow app: here a folder, which MLflow's own file store reads and writes.

A function that is told the app's ARN as its tracking address gets the folder's address instead.
"""

import hashlib
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import store
from embedded_aws.service import ApiError

Json = dict[str, Any]


def create(request: Json) -> Json:
    """CreateMlflowApp; ready at once."""
    name = request["Name"]
    if any(app["Name"] == name for app in store.state["mlflow-app"].values()):
        raise ApiError("ConflictException", f"An MLflow App with the name {name} already exists.")
    identity = f"app-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    record = store.create("mlflow-app", identity, dict(request))
    record.update(Arn=store.arn("mlflow-app", identity), Status="Created")
    return {"Arn": record["Arn"]}


def describe(request: Json) -> Json:
    """DescribeMlflowApp."""
    return _found(request["Arn"])


def delete(request: Json) -> Json:
    """DeleteMlflowApp; what was logged stays in its folder, as the artifact store does on AWS."""
    app = _found(request["Arn"])
    store.delete("mlflow-app", app["Arn"].rsplit("/", 1)[-1])
    return {"Arn": app["Arn"]}


def tracking(value: str) -> dict[str, str] | None:
    """The variables of a function in place of an app's ARN; None when `value` names no app."""
    if value.rsplit("/", 1)[-1] not in store.state["mlflow-app"]:
        return None
    # The file store is in maintenance: it wants to be asked for by name.
    folder = service.home() / "mlflow"
    return {"MLFLOW_TRACKING_URI": folder.as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}


def _found(arn: str) -> Json:
    app: Json | None = store.state["mlflow-app"].get(arn.rsplit("/", 1)[-1])
    if app is None:
        raise ApiError("ResourceNotFound", f"MLflow App {arn} does not exist.")
    return app
