"""SageMaker's endpoints, called with the credentials of a role: what a model's function asks."""

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws import service
from embedded_aws.redshift.errors import SqlError


class SageMakerEndpoints:
    """`model_calls.Endpoints` on the embedded SageMaker; IAM applies to the role."""

    def __init__(self, role: str) -> None:
        self._role = role

    def invoke(self, endpoint: str, body: bytes) -> bytes:
        runtime = service.client("sagemaker-runtime", self._role, "RedshiftIamRoleSession")
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=body
            )
            return bytes(answer["Body"].read())
        except ClientError as error:
            found = error.response["Error"]
            text = error.response.get("OriginalMessage") or found.get("Message", "")
            raise SqlError(f"SageMaker endpoint {endpoint} answered {found.get('Code')}: {text}") from error
        except BotoCoreError as error:
            raise SqlError(f"SageMaker endpoint {endpoint} cannot be reached: {error}") from error

    def require(self, endpoint: str) -> None:
        """Looked up as AWS itself: that the role may ask the endpoint shows at the first call."""
        try:
            service.operator_client("sagemaker").describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            raise SqlError(f"SageMaker endpoint {endpoint} does not exist") from error
