"""SageMaker over HTTP: routed and authorized as on AWS. Its rules: tests/unit/embedded."""

import pytest
from botocore.exceptions import ClientError
from conftest import EmbeddedAws

pytestmark = pytest.mark.embedded


@pytest.mark.contract(
    "sagemaker.authorization",
    page="https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html",
    says="Who asks an endpoint needs sagemaker:InvokeEndpoint on this very endpoint.",
)
def test_an_endpoint_answers_whose_policy_names_it(aws: EmbeddedAws) -> None:
    endpoint = aws.endpoint()
    arn = f"arn:aws:sagemaker:{aws.region}:{aws.account}:endpoint/"
    for action, resource, allowed in (
        ("sagemaker:InvokeEndpoint", f"{arn}{endpoint}", True),
        ("sagemaker:InvokeEndpoint", f"{arn}another", False),
        ("sagemaker:DescribeEndpoint", f"{arn}{endpoint}", False),
    ):
        role = aws.role({"Effect": "Allow", "Action": action, "Resource": resource})
        credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="caller")["Credentials"]
        runtime = aws.client("sagemaker-runtime", credentials)
        if allowed:
            assert runtime.invoke_endpoint(EndpointName=endpoint, Body=b"hello")["Body"].read() == b"hello"
        else:
            with pytest.raises(ClientError, match="not authorized to perform: sagemaker:InvokeEndpoint"):
                runtime.invoke_endpoint(EndpointName=endpoint, Body=b"hello")
