"""Namespaces of Redshift Serverless: their roles, their database, their admin secret."""

import json
import secrets
import shutil
import uuid
from datetime import UTC, datetime
from typing import Any

from embedded_aws import service
from embedded_aws.redshift.databases import databases
from embedded_aws.service import ApiError

Json = dict[str, Any]

state: dict[str, dict[str, Any]] = {"namespaces": {}, "workgroups": {}, "tags": {}}


def now() -> str:
    """The time as this API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def find(kind: str, name: str) -> Json:
    """A namespace or workgroup by name. Raises ApiError ResourceNotFoundException."""
    if name not in state[kind]:
        raise ApiError("ResourceNotFoundException", f"The {kind[:-1]} {name} does not exist.", 404)
    return state[kind][name]


def create_namespace(request: Json) -> Json:
    """CreateNamespace; with ManageAdminPassword its secret really exists in Secrets Manager."""
    name = request["namespaceName"]
    if name in state["namespaces"]:
        raise ApiError("ConflictException", f"Namespace {name} already exists.")
    if request.get("manageAdminPassword") and request.get("adminUserPassword"):
        raise ApiError("ValidationException", "adminUserPassword and manageAdminPassword exclude each other.")
    _check_roles(request)
    identifier = str(uuid.uuid4())
    namespace = {
        "namespaceName": name,
        "namespaceId": identifier,
        "namespaceArn": service.arn("redshift-serverless", f"namespace/{identifier}"),
        "adminUsername": request.get("adminUsername", "admin"),
        "dbName": request.get("dbName", "dev"),
        "iamRoles": request.get("iamRoles", []),
        "logExports": request.get("logExports", []),
        "kmsKeyId": request.get("kmsKeyId", "AWS_OWNED_KMS_KEY"),
        "status": "AVAILABLE",
        "creationDate": now(),
    }
    if request.get("defaultIamRoleArn"):
        namespace["defaultIamRoleArn"] = request["defaultIamRoleArn"]
    if request.get("manageAdminPassword"):
        _add_secret(namespace, request.get("adminPasswordSecretKmsKeyId"))
    state["namespaces"][name] = namespace
    state["tags"][namespace["namespaceArn"]] = request.get("tags", [])
    return {"namespace": namespace}


def _check_roles(request: Json) -> None:
    default = request.get("defaultIamRoleArn")
    if default and default not in request.get("iamRoles", []):
        raise ApiError("ValidationException", "The default IAM role must be one of the namespace's IAM roles.")


def _add_secret(namespace: Json, key: str | None) -> None:
    content = {"username": namespace["adminUsername"], "password": secrets.token_urlsafe(24)}
    made = service.operator_client("secretsmanager").create_secret(
        Name=f"redshift!{namespace['namespaceName']}-{namespace['adminUsername']}",
        Description=f"Admin of the namespace {namespace['namespaceName']}, managed by Redshift Serverless",
        SecretString=json.dumps(content),
        **({"KmsKeyId": key} if key else {}),
    )
    namespace["adminPasswordSecretArn"] = made["ARN"]
    if key:
        namespace["adminPasswordSecretKmsKeyId"] = key


def update_namespace(request: Json) -> Json:
    """UpdateNamespace."""
    namespace = find("namespaces", request["namespaceName"])
    merged = {**namespace, **request}
    _check_roles(merged)
    for name in ("defaultIamRoleArn", "iamRoles", "logExports", "kmsKeyId"):
        if name in request:
            namespace[name] = request[name]
    if request.get("manageAdminPassword") and "adminPasswordSecretArn" not in namespace:
        _add_secret(namespace, request.get("adminPasswordSecretKmsKeyId"))
    return {"namespace": namespace}


def delete_namespace(request: Json) -> Json:
    """DeleteNamespace: its databases and its secret are gone."""
    namespace = find("namespaces", request["namespaceName"])
    users = [w for w in state["workgroups"].values() if w["namespaceName"] == namespace["namespaceName"]]
    if users:
        raise ApiError(
            "ConflictException", f"The namespace has the workgroup {users[0]['workgroupName']}; delete it first."
        )
    databases.close(namespace["namespaceId"])
    shutil.rmtree(databases.folder(namespace["namespaceId"]), ignore_errors=True)
    if arn := namespace.get("adminPasswordSecretArn"):
        client = service.operator_client("secretsmanager")
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    state["tags"].pop(namespace["namespaceArn"], None)
    return {"namespace": {**state["namespaces"].pop(namespace["namespaceName"]), "status": "DELETING"}}
