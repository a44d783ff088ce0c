"""Checks that SageMaker makes on roles: of who calls, and of the role that a job or model runs with."""

import re
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws import adapter, service
from embedded_aws.encryption import customer_key
from embedded_aws.service import ApiError
from embedded_aws.service_roles import trusts

_PULL = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
_IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com/(?P<name>[^:@]+)")
_FOR_SERVICE = {"kms:GrantIsForAWSResource": "true"}


def check_role(arn: str) -> None:
    """The role must exist (ValidationException) and the caller may pass it to SageMaker (AccessDeniedException)."""
    try:
        service.operator_client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])
        if not trusts(arn, "sagemaker.amazonaws.com"):
            raise PermissionError
    except (ClientError, PermissionError) as error:
        raise ApiError(
            "ValidationException",
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role.",
        ) from error
    check_caller("iam:PassRole", arn, {"iam:PassedToService": "sagemaker.amazonaws.com"})


def check_caller(action: str, resource: str, context: dict[str, Any] | None = None) -> None:
    """What a call needs of its caller beside its own action. Raises ApiError AccessDeniedException; the operator may
    do everything.
    """
    parts = str(adapter.CALLER_ARN.get()()).split(":", 5)
    if parts[5].startswith(("assumed-role/", "role/")):
        role = f"arn:aws:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
        service.authorize(role, action, resource, context)


def check_grant(key: str | None, role: str | None) -> None:
    """A volume under a customer's key: SageMaker makes a grant, with the role where it may, else as the caller.

    `kms:CreateGrant` is "required only if the associated ResourceConfig has a specified VolumeKmsKeyId and the
    associated role does not have a policy that permits this action".
    https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    """
    arn = customer_key(key)
    if arn is None:
        return
    context = {**_FOR_SERVICE, "kms:ViaService": f"sagemaker.{service.region()}.amazonaws.com"}
    try:
        if role is None:
            raise ApiError("AccessDeniedException", "no role", 403)
        service.authorize(role, "kms:CreateGrant", arn, context)
    except ApiError:
        check_caller("kms:CreateGrant", arn, context)


def check_pull(role: str, image: str) -> None:
    """The role must be allowed to pull the container's image from ECR. Raises ApiError.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    if found := _IMAGE.match(image):
        repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        service.authorize(role, "ecr:GetAuthorizationToken", "*")
        for operation in _PULL:
            service.authorize(role, f"ecr:{operation}", repository)
