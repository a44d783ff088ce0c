"""Who calls: IAM principals become database users, the admin secret makes the caller the admin."""

import json
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws import adapter, service
from embedded_aws.service import ApiError

ROLES_TAG = "RedshiftDbRoles"
OPERATOR_ROLES = ("admin",)


def caller_arn() -> str:
    """The IAM principal of the current request."""
    return str(adapter.CALLER_ARN.get()())


def role_arn(principal: str) -> str | None:
    """The role behind `arn:aws:sts::1:assumed-role/name/session`, None for users and root."""
    parts = principal.split(":", 5)
    if parts[5].startswith("assumed-role/"):
        return f"arn:aws:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
    return principal if parts[5].startswith("role/") else None


def database_user() -> str:
    """`IAMR:<role>` or `IAM:<user>`, as Redshift names a caller without a secret."""
    principal = caller_arn()
    if role := role_arn(principal):
        return f"IAMR:{role.rsplit('/', 1)[-1]}"
    return f"IAM:{principal.rsplit('/', 1)[-1].rsplit(':', 1)[-1]}"


def database_roles() -> tuple[str, ...]:
    """The database roles of a caller without a secret: its role's or user's tag RedshiftDbRoles, `a:b:c`.

    docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html. The operator of the laptop is
    the account's root, which cannot be tagged: it is treated as if its tag were `admin`.
    """
    principal = caller_arn()
    if principal.endswith(":root"):
        return OPERATOR_ROLES
    name = (role_arn(principal) or principal).rsplit("/", 1)[-1]
    iam = service.operator_client("iam")
    tags = iam.list_role_tags(RoleName=name) if role_arn(principal) else iam.list_user_tags(UserName=name)
    named = next((tag["Value"] for tag in tags["Tags"] if tag["Key"] == ROLES_TAG), "")
    return tuple(filter(None, named.split(":")))


def authenticate(
    workgroup: dict[str, Any], namespace: dict[str, Any], secret: str | None
) -> tuple[str, tuple[str, ...]]:
    """The database user of a Data API call, and the roles that only its session has.

    Raises ApiError when the caller may not connect.
    """
    role = role_arn(caller_arn())
    if secret is None:
        if role:
            service.authorize(role, "redshift-serverless:GetCredentials", workgroup["workgroupArn"])
        return database_user(), database_roles()
    client = (
        service.client("secretsmanager", role, "RedshiftDataApi") if role else service.operator_client("secretsmanager")
    )
    try:
        content = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    except ClientError as error:
        raise ApiError(
            "ValidationException", f"The secret {secret} cannot be read: {error.response['Error']['Message']}"
        ) from error
    own = namespace.get("adminPasswordSecretArn")
    if own is None or service.operator_client("secretsmanager").describe_secret(SecretId=secret)["ARN"] != own:
        raise ApiError(
            "ValidationException", f'FATAL: password authentication failed for user "{content.get("username")}"'
        )
    return str(content["username"]), ()
