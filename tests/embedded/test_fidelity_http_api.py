"""An HTTP API's AWS_IAM routes, and the simple address it has on the laptop."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from conftest import EmbeddedAws

from embedded_aws import lifecycle

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def api(aws: EmbeddedAws) -> str:
    """The address of an API with `GET /open` and, IAM-authorized, `POST /closed`."""
    gateway = aws.client("apigatewayv2")
    function = aws.function(
        """
        import json

        def handler(event, context):
            return {"statusCode": 200, "body": json.dumps({"route": event["routeKey"], "version": event["version"]})}
        """
    )
    identifier = gateway.create_api(Name=aws.name("api"), ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=identifier, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    target = f"integrations/{integration}"
    gateway.create_route(ApiId=identifier, RouteKey="GET /open", Target=target)
    gateway.create_route(ApiId=identifier, RouteKey="POST /closed", Target=target, AuthorizationType="AWS_IAM")
    gateway.create_stage(ApiId=identifier, StageName="$default", AutoDeploy=True)
    return lifecycle.api_url(aws.url, identifier)


def call(request: urllib.request.Request) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def signed(aws: EmbeddedAws, url: str, credentials: dict | None = None) -> urllib.request.Request:
    request = AWSRequest(method="POST", url=url, data=b"{}", headers={"content-type": "application/json"})
    SigV4Auth(aws.session(credentials).get_credentials(), "execute-api", aws.region).add_auth(request)
    return urllib.request.Request(request.url, request.data, dict(request.headers), method="POST")


def test_an_open_route_answers_without_a_signature(aws: EmbeddedAws, api: str) -> None:
    assert call(urllib.request.Request(f"{api}/open")) == (200, {"route": "GET /open", "version": "2.0"})


def test_an_unsigned_call_of_an_iam_route_is_forbidden(aws: EmbeddedAws, api: str) -> None:
    # http-api-access-control-iam: "If IAM authorization is enabled, clients must sign their requests with SigV4".
    status, body = call(urllib.request.Request(f"{api}/closed", b"{}", method="POST"))
    assert (status, body) == (403, {"message": "Forbidden"})


def test_a_signed_call_needs_execute_api_invoke(aws: EmbeddedAws, api: str) -> None:
    assert call(signed(aws, f"{api}/closed"))[0] == 200
    sts = aws.client("sts")
    for action, expected in (("s3:GetObject", 403), ("execute-api:Invoke", 200)):
        role = aws.role({"Effect": "Allow", "Action": action, "Resource": "*"})
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="caller")["Credentials"]
        assert call(signed(aws, f"{api}/closed", credentials))[0] == expected
