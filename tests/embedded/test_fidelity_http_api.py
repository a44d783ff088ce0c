"""An HTTP API's AWS_IAM routes, and the simple address it has on the laptop."""

import datetime
import io
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
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


def signed(
    aws: EmbeddedAws, url: str, credentials: dict | None = None, *, service: str = "execute-api", region: str = ""
) -> urllib.request.Request:
    request = AWSRequest(method="POST", url=url, data=b"{}", headers={"content-type": "application/json"})
    SigV4Auth(aws.session(credentials).get_credentials(), service, region or aws.region).add_auth(request)
    return urllib.request.Request(request.url, request.data, dict(request.headers), method="POST")


@pytest.mark.contract(
    "api-gateway.open-route",
    page="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html",
    says="A route without an authorizer answers everybody.",
)
def test_an_open_route_answers_without_a_signature(aws: EmbeddedAws, api: str) -> None:
    assert call(urllib.request.Request(f"{api}/open")) == (200, {"route": "GET /open", "version": "2.0"})


@pytest.mark.contract(
    "api-gateway.iam-route",
    page="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html",
    says="When IAM authorization is on, callers must sign their requests with Signature Version 4.",
)
def test_an_unsigned_call_of_an_iam_route_is_forbidden(aws: EmbeddedAws, api: str) -> None:
    # http-api-access-control-iam: "If IAM authorization is enabled, clients must sign their requests with SigV4".
    status, body = call(urllib.request.Request(f"{api}/closed", b"{}", method="POST"))
    assert (status, body) == (403, {"message": "Forbidden"})


@pytest.mark.contract(
    "api-gateway.invoke-permission",
    page="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html",
    quote="API Gateway invokes your API route only if the client has execute-api permission for the route.",
)
def test_a_signed_call_needs_execute_api_invoke(aws: EmbeddedAws, api: str) -> None:
    assert call(signed(aws, f"{api}/closed"))[0] == 200
    sts = aws.client("sts")
    for action, expected in (("s3:GetObject", 403), ("execute-api:Invoke", 200)):
        role = aws.role({"Effect": "Allow", "Action": action, "Resource": "*"})
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="caller")["Credentials"]
        assert call(signed(aws, f"{api}/closed", credentials))[0] == expected


FORBIDDEN = (403, {"message": "Forbidden"})


def test_an_authorization_that_is_no_signature_is_forbidden(aws: EmbeddedAws, api: str) -> None:
    for authorization in ("Bearer x", "Basic dGVzdDp0ZXN0", "AWS4-HMAC-SHA256 Credential=test", "AWS test:x"):
        request = urllib.request.Request(f"{api}/closed", b"{}", {"Authorization": authorization}, method="POST")
        assert call(request) == FORBIDDEN, authorization


def callers(aws: EmbeddedAws) -> list[dict[str, str]]:
    """Credentials of the operator, of a user and of a role's session, all allowed."""
    iam, name = aws.client("iam"), aws.name("user")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_user(UserName=name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    user = iam.create_access_key(UserName=name)["AccessKey"]
    session = aws.client("sts").assume_role(RoleArn=aws.role(everything), RoleSessionName="caller")["Credentials"]
    return [{"AccessKeyId": "test", "SecretAccessKey": "test"}, user, session]


def test_every_kind_of_caller_must_know_the_secret(aws: EmbeddedAws, api: str) -> None:
    for credentials in callers(aws):
        assert call(signed(aws, f"{api}/closed", credentials))[0] == 200
        wrong = {**credentials, "SecretAccessKey": "not-the-secret"}
        assert call(signed(aws, f"{api}/closed", wrong)) == FORBIDDEN
        if "SessionToken" in credentials:
            token = {**credentials, "SessionToken": "another"}
            assert call(signed(aws, f"{api}/closed", token)) == FORBIDDEN
    assert call(signed(aws, f"{api}/closed", {"AccessKeyId": "AKIAUNKNOWN", "SecretAccessKey": "x"})) == FORBIDDEN


@pytest.mark.contract(
    "iam.credential-scope",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html",
    says="A signature is bound to the request, its body, the service and the region.",
)
def test_a_signature_is_for_one_request(aws: EmbeddedAws, api: str) -> None:
    good = signed(aws, f"{api}/closed")
    forged = dict(good.headers)
    forged["Authorization"] = forged["Authorization"][:-1] + ("0" if forged["Authorization"][-1] != "0" else "1")
    assert call(urllib.request.Request(good.full_url, good.data, forged, method="POST")) == FORBIDDEN
    body = urllib.request.Request(good.full_url, b'{"another": 1}', dict(good.headers), method="POST")
    assert call(body) == FORBIDDEN
    assert call(signed(aws, f"{api}/closed", service="s3")) == FORBIDDEN
    assert call(signed(aws, f"{api}/closed", region="us-east-1")) == FORBIDDEN
    assert call(good)[0] == 200


def test_a_signed_hash_must_be_the_bodys(aws: EmbeddedAws, api: str) -> None:
    request = AWSRequest(method="POST", url=f"{api}/closed", data=b"{}")
    request.headers["X-Amz-Content-SHA256"] = SigV4Auth(None, "", "").payload(request)
    SigV4Auth(aws.session().get_credentials(), "execute-api", aws.region).add_auth(request)
    headers = dict(request.headers)
    assert call(urllib.request.Request(request.url, b"{}", headers, method="POST"))[0] == 200
    assert call(urllib.request.Request(request.url, b'{"another": 1}', headers, method="POST")) == FORBIDDEN


@pytest.mark.contract(
    "iam.signature-age",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html",
    quote="In most cases, a request must reach AWS within five minutes of the time stamp in the request.",
)
def test_an_old_signature_is_forbidden(aws: EmbeddedAws, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.datetime.now(datetime.UTC)
    for minutes, expected in ((-20, 403), (20, 403), (0, 200)):
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda at=minutes: _at(now, at))
        assert call(signed(aws, f"{api}/closed"))[0] == expected


def _at(now: datetime.datetime, minutes: int) -> datetime.datetime:
    return now + datetime.timedelta(minutes=minutes)


def refused(operation: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        operation(**given)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.contract(
    "iam.signature",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html",
    says="A request whose signature is not that of the caller's secret key is denied.",
)
def test_every_service_asks_every_caller_for_the_secret(aws: EmbeddedAws) -> None:
    for credentials in callers(aws):
        wrong = {**credentials, "SecretAccessKey": "not-the-secret"}
        assert refused(aws.client("s3", wrong).list_buckets) == "SignatureDoesNotMatch"
        assert refused(aws.client("sqs", wrong).list_queues) == "SignatureDoesNotMatch"
        assert refused(aws.client("sagemaker", wrong).list_models) == "InvalidSignatureException"
        assert refused(aws.client("dynamodb", wrong).list_tables) == "InvalidSignatureException"
        aws.client("s3", credentials).list_buckets()


@pytest.mark.contract(
    "iam.foreign-authorization",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html",
    says="An Authorization header that is no signature identifies nobody.",
)
def test_an_authorization_that_is_no_signature_is_not_the_operators(aws: EmbeddedAws) -> None:
    headers = {
        "Authorization": "Bearer x",
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Content-Type": "application/x-amz-json-1.0",
    }
    status, body = call(urllib.request.Request(aws.url, b"{}", headers, method="POST"))
    assert (status, "TableNames" in body) in ((400, False), (403, False))


@pytest.mark.contract(
    "s3.no-public-access",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    quote="By default, new buckets, access points, and objects don't allow public access.",
)
def test_nothing_in_s3_is_public(aws: EmbeddedAws) -> None:
    s3, bucket = aws.client("s3"), aws.name("bucket")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.put_object(Bucket=bucket, Key="k", Body=b"private")
    for method, path in (("GET", "/"), ("GET", f"/{bucket}/k"), ("PUT", f"/{bucket}/k"), ("DELETE", f"/{bucket}/k")):
        for headers in ({}, {"Authorization": "Bearer x"}):
            request = urllib.request.Request(f"{aws.url}{path}", b"x", headers, method=method)
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=20)
            assert caught.value.code in (400, 403)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"private"


@pytest.mark.contract(
    "s3.presigned-url",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html",
    says="A presigned URL gives access to one object for a time without credentials of one's own.",
)
def test_a_presigned_url_and_a_streamed_upload_still_work(aws: EmbeddedAws) -> None:
    s3, bucket = aws.client("s3"), aws.name("bucket")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.put_object(Bucket=bucket, Key="a b+c/ü", Body=io.BytesIO(b"ok"), ChecksumAlgorithm="SHA256")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b+c/ü"})
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.read() == b"ok"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url[:-1] + ("0" if url[-1] != "0" else "1"), timeout=20)
    assert caught.value.code == 403
