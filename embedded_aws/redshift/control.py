"""Redshift Serverless' control plane: its operations by name, tags, temporary credentials."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from embedded_aws import service
from embedded_aws.redshift import callers, namespaces, workgroups
from embedded_aws.redshift.databases import databases
from embedded_aws.redshift.namespaces import find, state
from embedded_aws.service import JsonService

Json = dict[str, Any]

_CREDENTIAL_HOURS = 1


def _get_credentials(request: Json) -> Json:
    find("workgroups", request.get("workgroupName", ""))
    expiration = datetime.now(UTC) + timedelta(hours=_CREDENTIAL_HOURS)
    return {
        "dbUser": callers.database_user(),
        "dbPassword": secrets.token_urlsafe(24),
        "expiration": expiration.timestamp(),
        "nextRefreshTime": expiration.timestamp(),
    }


def _tag(request: Json) -> Json:
    kept = {tag["key"]: tag for tag in state["tags"].get(request["resourceArn"], [])}
    kept |= {tag["key"]: tag for tag in request["tags"]}
    state["tags"][request["resourceArn"]] = list(kept.values())
    return {}


def _untag(request: Json) -> Json:
    kept = [t for t in state["tags"].get(request["resourceArn"], []) if t["key"] not in request["tagKeys"]]
    state["tags"][request["resourceArn"]] = kept
    return {}


def _resource(operation: str, payload: Json, path: str) -> str:
    """The ARN that a call is authorized against: workgroup or namespace, by id as on AWS."""
    if workgroup := state["workgroups"].get(payload.get("workgroupName", "")):
        return workgroup["workgroupArn"]
    if namespace := state["namespaces"].get(payload.get("namespaceName", "")):
        return namespace["namespaceArn"]
    return payload.get("resourceArn", "*")


def _forget_all() -> None:
    databases.close_all(delete=True)


_OPERATIONS: dict[str, Callable[[Json], Json | None]] = {
    "CreateNamespace": namespaces.create_namespace,
    "UpdateNamespace": namespaces.update_namespace,
    "DeleteNamespace": namespaces.delete_namespace,
    "GetNamespace": lambda request: {"namespace": find("namespaces", request["namespaceName"])},
    "ListNamespaces": lambda request: {"namespaces": list(state["namespaces"].values())},
    "CreateWorkgroup": workgroups.create_workgroup,
    "UpdateWorkgroup": workgroups.update_workgroup,
    "DeleteWorkgroup": workgroups.delete_workgroup,
    "GetWorkgroup": lambda request: {"workgroup": find("workgroups", request["workgroupName"])},
    "ListWorkgroups": lambda request: {"workgroups": list(state["workgroups"].values())},
    "GetCredentials": _get_credentials,
    "ListTagsForResource": lambda request: {"tags": state["tags"].get(request["resourceArn"], [])},
    "TagResource": _tag,
    "UntagResource": _untag,
}

control = JsonService(_OPERATIONS, state, on_reset=_forget_all)


def register() -> None:
    """Add redshift-serverless to the embedded AWS."""
    service.register("redshift-serverless", control, "RedshiftServerless", resource=_resource)
