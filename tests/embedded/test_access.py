"""The doors of the deployed platform for people and applications: what each may do, and nothing beside it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from conftest import EmbeddedAws, wait

from solvent.client import Platform, query
from solvent.target import Target
from solvent.warehouse.data_api import StatementFailed

pytestmark = pytest.mark.embedded


def assume(aws: EmbeddedAws, role: str) -> dict[str, str]:
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{aws.account}:role/{role}"
    return dict(aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"])


@pytest.mark.contract(
    "redshift.caller",
    page="https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html",
    says="Who calls the Data API with a role becomes the database user IAMR:<role>.",
)
def test_an_analyst_asks_the_warehouse_and_nothing_else(aws: EmbeddedAws, platform: Platform) -> None:
    target = platform.target
    analyst = Target(target.names, target.region, aws.session(assume(aws, "solvent-dev-analyst")), aws.url)
    columns, rows = query(analyst, "SELECT current_user AS me, count(*) AS loans FROM lending.loans")
    assert (columns, rows[0][0]) == (["me", "loans"], "IAMR:solvent-dev-analyst")
    for call in (
        lambda: analyst.client("s3").list_objects_v2(Bucket=target.bucket("cleaned")),
        lambda: analyst.client("redshift-serverless").get_namespace(namespaceName="solvent-dev"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_a_service_reads_marts_and_no_tables_of_people(aws: EmbeddedAws, platform: Platform) -> None:
    target = platform.target
    service = Target(target.names, target.region, aws.session(assume(aws, "solvent-dev-service")), aws.url)
    assert query(service, "SELECT current_user AS me, count(*) AS days FROM marts.kpi_daily")[1][0][0] == (
        "IAMR:solvent-dev-service"
    )
    with pytest.raises(StatementFailed, match="permission denied for relation customers"):
        query(service, "SELECT region FROM lending.customers")


def test_nobody_is_the_admin_without_a_second_factor(aws: EmbeddedAws, platform: Platform) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(aws, "solvent-dev-admin")


@pytest.mark.contract(
    "redshift.statement-owner",
    page="https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html",
    says="The condition key redshift-data:statement-owner-iam-userid limits a caller to its own statements.",
)
def test_a_statement_is_seen_by_who_submitted_it(aws: EmbeddedAws, platform: Platform) -> None:
    """What is authorized in the course of a call (GetCredentials) does not change whose statement it is."""
    where = {"WorkgroupName": platform.names.workgroup, "Database": "solvent"}
    analyst = aws.client("redshift-data", assume(aws, "solvent-dev-analyst"))
    of_the_operator = aws.client("redshift-data").execute_statement(Sql="SELECT 1", **where)["Id"]
    own = analyst.execute_statement(Sql="SELECT 1", **where)["Id"]
    wait(lambda: analyst.describe_statement(Id=own)["Status"] == "FINISHED")
    with pytest.raises(ClientError, match="AccessDenied"):
        analyst.describe_statement(Id=of_the_operator)


@pytest.fixture
def application(aws: EmbeddedAws) -> Iterator[boto3.Session]:
    """A role that has the managed policy and no other."""
    role, iam = aws.role(), aws.client("iam")
    policy = {
        "RoleName": role.rsplit("/", 1)[-1],
        "PolicyArn": f"arn:aws:iam::{aws.account}:policy/solvent-dev-score-caller",
    }
    iam.attach_role_policy(**policy)
    yield aws.session(assume(aws, role))
    iam.detach_role_policy(**policy)


def test_an_application_with_the_policy_may_score_through_the_api_alone(
    aws: EmbeddedAws, platform: Platform, application: boto3.Session
) -> None:
    url = f"{platform.api_url}/v1/score"
    assert _status(url, aws.session(assume(aws, aws.role())), aws.region) == 403
    assert _status(url, application, aws.region) in (422, 503)  # the model refuses {}, or there is none yet
    with pytest.raises(ClientError, match="AccessDenied"):
        runtime: Any = application.client("sagemaker-runtime", endpoint_url=aws.url)
        runtime.invoke_endpoint(EndpointName="solvent-dev-lending", ContentType="application/json", Body=b"{}")


def _status(url: str, session: boto3.Session, region: str) -> int:
    body = json.dumps({}).encode()
    request = AWSRequest(method="POST", url=url, data=body, headers={"content-type": "application/json"})
    SigV4Auth(session.get_credentials(), "execute-api", region).add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, dict(request.headers), method="POST")) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
