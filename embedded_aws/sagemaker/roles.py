"""Checks that SageMaker makes on roles when something is created."""

from botocore.exceptions import ClientError

from embedded_aws import adapter, service
from embedded_aws.service import ApiError


def check_role(arn: str) -> None:
    """The role must exist (ValidationException) and the caller may pass it to SageMaker (AccessDeniedException)."""
    try:
        service.operator_client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])
    except ClientError as error:
        raise ApiError(
            "ValidationException",
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role.",
        ) from error
    caller = str(adapter.CALLER_ARN.get()())
    parts = caller.split(":", 5)
    if not parts[5].startswith(("assumed-role/", "role/")):
        return
    role = f"arn:aws:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
    service.authorize(role, "iam:PassRole", arn, {"iam:PassedToService": "sagemaker.amazonaws.com"})
