"""Resource types of the services that we add: made through their own APIs, as CloudFormation does it."""

from datetime import datetime
from typing import Any

from embedded_aws import service
from embedded_aws.cloudformation import handlers
from embedded_aws.cloudformation.handlers import Properties, physical_name


def register() -> None:
    """SageMaker's model package group and MLflow app, Redshift Serverless' namespace and workgroup."""
    handlers.register("AWS::SageMaker::ModelPackageGroup", _group, _delete_group, _keep_group)
    handlers.register("AWS::SageMaker::MlflowApp", _mlflow_app, _delete_mlflow_app, _keep_mlflow_app)
    handlers.register("AWS::RedshiftServerless::Namespace", _namespace, _delete_namespace, _update_namespace)
    handlers.register("AWS::RedshiftServerless::Workgroup", _workgroup, _delete_workgroup, _update_workgroup)


def _group(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    name = p.get("ModelPackageGroupName") or physical_name(stack, logical_id)
    request = {k: p[k] for k in ("ModelPackageGroupDescription", "Tags") if k in p}
    made = service.operator_client("sagemaker").create_model_package_group(ModelPackageGroupName=name, **request)
    arn = made["ModelPackageGroupArn"]
    return arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}


def _keep_group(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    return physical_id, {"ModelPackageGroupArn": physical_id, "ModelPackageGroupStatus": "Completed"}


def _delete_group(physical_id: str, p: Properties) -> None:
    # As on AWS, a group that still holds versions is not deleted: the stack says so.
    service.operator_client("sagemaker").delete_model_package_group(
        ModelPackageGroupName=physical_id.rsplit("/", 1)[-1]
    )


def _mlflow_app(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    names = ("Name", "ArtifactStoreUri", "RoleArn", "ModelRegistrationMode", "WeeklyMaintenanceWindowStart", "Tags")
    made = service.operator_client("sagemaker").create_mlflow_app(**{k: p[k] for k in names if k in p})
    return made["Arn"], {"Arn": made["Arn"]}


def _keep_mlflow_app(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    return physical_id, {"Arn": physical_id}


def _delete_mlflow_app(physical_id: str, p: Properties) -> None:
    service.operator_client("sagemaker").delete_mlflow_app(Arn=physical_id)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _request(p: Properties, *names: str) -> dict[str, Any]:
    """The named properties under the API's spelling, tags and parameters included."""
    request: dict[str, Any] = {_lower(n): p[n] for n in names if n in p}
    for numeric in ("baseCapacity", "maxCapacity", "port"):
        if numeric in request:
            request[numeric] = int(request[numeric])
    if "tags" in request:
        request["tags"] = [{"key": t["Key"], "value": t["Value"]} for t in request["tags"]]
    if "configParameters" in request:
        request["configParameters"] = [
            {"parameterKey": c["ParameterKey"], "parameterValue": str(c["ParameterValue"])}
            for c in request["configParameters"]
        ]
    return request


def _attributes(prefix: str, made: dict[str, Any]) -> dict[str, Any]:
    """`{"namespaceArn": ...}` -> `{"Namespace.NamespaceArn": ...}`, nested objects too; times become text."""
    found: dict[str, Any] = {}
    for key, value in made.items():
        path = f"{prefix}.{key[0].upper()}{key[1:]}"
        plain = value.isoformat() if isinstance(value, datetime) else value
        found |= _attributes(path, value) if isinstance(value, dict) else {path: plain}
    return found


_NAMESPACE_UPDATE = (
    "ManageAdminPassword",
    "AdminPasswordSecretKmsKeyId",
    "KmsKeyId",
    "DefaultIamRoleArn",
    "IamRoles",
    "LogExports",
)


def _namespace(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    names = ("NamespaceName", "DbName", "AdminUsername", "Tags", *_NAMESPACE_UPDATE)
    made = service.operator_client("redshift-serverless").create_namespace(**_request(p, *names))["namespace"]
    return made["namespaceName"], _attributes("Namespace", made)


def _update_namespace(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    changed = [n for n in _NAMESPACE_UPDATE if new.get(n) != old.get(n)]
    client = service.operator_client("redshift-serverless")
    if changed:
        client.update_namespace(namespaceName=physical_id, **_request(new, *changed))
    return physical_id, _attributes("Namespace", client.get_namespace(namespaceName=physical_id)["namespace"])


def _delete_namespace(physical_id: str, p: Properties) -> None:
    service.operator_client("redshift-serverless").delete_namespace(namespaceName=physical_id)


_WORKGROUP_UPDATE = (
    "BaseCapacity",
    "MaxCapacity",
    "ConfigParameters",
    "EnhancedVpcRouting",
    "Port",
    "PubliclyAccessible",
    "SecurityGroupIds",
    "SubnetIds",
)


def _workgroup(logical_id: str, p: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    names = ("WorkgroupName", "NamespaceName", "Tags", *_WORKGROUP_UPDATE)
    made = service.operator_client("redshift-serverless").create_workgroup(**_request(p, *names))["workgroup"]
    return made["workgroupName"], _attributes("Workgroup", made)


def _update_workgroup(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    changed = [n for n in _WORKGROUP_UPDATE if new.get(n) != old.get(n)]
    client = service.operator_client("redshift-serverless")
    if changed:
        client.update_workgroup(workgroupName=physical_id, **_request(new, *changed))
    return physical_id, _attributes("Workgroup", client.get_workgroup(workgroupName=physical_id)["workgroup"])


def _delete_workgroup(physical_id: str, p: Properties) -> None:
    service.operator_client("redshift-serverless").delete_workgroup(workgroupName=physical_id)
