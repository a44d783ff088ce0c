"""Redshift asks other services with the role that its SQL names. Its own rules: tests/unit/embedded."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import EmbeddedAws

from embedded_aws.redshift.stream_records import TAG

pytestmark = pytest.mark.embedded

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(aws: EmbeddedAws) -> Callable[..., Ask]:
    """A warehouse of its own with a default role: (statement of its admin) -> DescribeStatement with `Records`."""

    def made(*statements: dict[str, Any]) -> Ask:
        name, role = aws.name("wh"), aws.role(*statements, service="redshift.amazonaws.com")
        serverless, data = aws.client("redshift-serverless"), aws.client("redshift-data")
        serverless.create_namespace(
            namespaceName=name, dbName="dev", adminUsername="admin", manageAdminPassword=True, iamRoles=[role],
            defaultIamRoleArn=role,
        )  # fmt: skip
        where = {"WorkgroupName": name, "Database": "dev", "SecretArn": f"redshift!{name}-admin"}
        serverless.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=4)

        def run(sql: str) -> dict[str, Any]:
            identifier = data.execute_statement(**where, Sql=sql, WaitTimeSeconds=20)["Id"]
            described = data.describe_statement(Id=identifier)
            if described["HasResultSet"]:
                described["Records"] = data.get_statement_result(Id=identifier)["Records"]
            return dict(described)

        return run

    return made


@pytest.mark.contract(
    "redshift.remote-inference-role",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_MODEL.html",
    says="The role of a model needs sagemaker:InvokeEndpoint on the endpoint.",
)
def test_a_models_function_asks_the_endpoint_with_its_role(aws: EmbeddedAws, ask: Callable[..., Ask]) -> None:
    endpoint = aws.endpoint()
    create = f"CREATE MODEL m FUNCTION echo (varchar) RETURNS varchar SAGEMAKER '{endpoint}' IAM_ROLE default"
    arn = f"arn:aws:sagemaker:{aws.region}:{aws.account}:endpoint/{endpoint}"
    allowed = ask({"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn})
    assert allowed(create)["Status"] == "FINISHED"
    assert allowed("SELECT echo('a, b') AS x")["Records"] == [[{"stringValue": "a, b"}]]
    denied = ask()
    assert denied(create)["Status"] == "FINISHED"
    assert "answered AccessDeniedException" in denied("SELECT echo('a')")["Error"]
    assert "SageMaker endpoint none does not exist" in ask()(create.replace(endpoint, "none"))["Error"]


@pytest.mark.contract(
    "redshift.streaming-role",
    page="https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-streaming-ingestion-getting-started.html",
    says="A streaming view reads with the role of its external schema.",
)
def test_a_streaming_view_reads_what_the_streams_tag_names(aws: EmbeddedAws, ask: Callable[..., Ask]) -> None:
    kinesis, s3, name = aws.client("kinesis"), aws.client("s3"), aws.name("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.put_object(Bucket=name, Key="events/dt=2026-07-01/shardId-000000000000-17.jsonl", Body=b'{"a": 1}\n{"a": 2}\n')
    stream = f"arn:aws:kinesis:{aws.region}:{aws.account}:stream/{name}"
    reads = [{"Effect": "Allow", "Action": ["kinesis:Describe*", "kinesis:Get*", "kinesis:List*"], "Resource": stream}]
    view = (
        "CREATE MATERIALIZED VIEW v AS SELECT shard_id, sequence_number, "
        f"JSON_EXTRACT_PATH_TEXT(FROM_VARBYTE(kinesis_data, 'utf-8'), 'a') AS a FROM s.\"{name}\""
    )
    allowed, denied = ask(*reads), ask()
    for run in (allowed, denied):
        assert run("CREATE EXTERNAL SCHEMA s FROM KINESIS IAM_ROLE default")["Status"] == "FINISHED"
    assert f"Tag it with {TAG}" in allowed(view)["Error"]
    kinesis.add_tags_to_stream(StreamName=name, Tags={TAG: f"s3://{name}/events/"})
    assert "not authorized to perform: kinesis:DescribeStreamSummary" in denied(view)["Error"]
    assert allowed(view)["Status"] == "FINISHED"
    assert allowed("SELECT * FROM v ORDER BY a")["Records"] == [
        [{"stringValue": "shardId-000000000000"}, {"stringValue": "17"}, {"stringValue": value}] for value in "12"
    ]
