"""What a reviewer asks first: who may do what, what is encrypted, what can be reached from outside."""

import json
from typing import Any

import pytest

from gates.assembly import ROOT
from gates.assembly import as_list as _list

STATEFUL = {
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::DynamoDB::GlobalTable",
    "AWS::RedshiftServerless::Namespace",
    "AWS::RedshiftServerless::Workgroup",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
}


def _all_statements(assembly: Any) -> list[tuple[str, dict[str, Any]]]:
    policies = assembly.of("AWS::IAM::Policy")
    return [(where, s) for where, policy in policies.items() for s in policy["PolicyDocument"]["Statement"]]


def test_only_the_ledger_function_may_write_the_ledger(assembly: Any) -> None:
    writers = {where for where, s in _all_statements(assembly) if "dynamodb:PutItem" in _list(s["Action"])}
    assert len(writers) == 1 and "RunControl" in writers.pop()


def test_stream_ingest_may_write_but_not_read_the_lake(assembly: Any) -> None:
    assert not {"s3:GetObject", "s3:DeleteObject", "s3:ListBucket"} & assembly.actions("stream-ingest")


def test_the_loader_is_the_user_that_the_migrations_create(assembly: Any) -> None:
    """The warehouse names an IAM caller `IAMR:<role>`: a renamed role would load nothing."""
    role = f"solvent-{assembly.environment}-warehouse-load"
    assembly.one("AWS::IAM::Role", RoleName=role)
    sql = (ROOT / "sql" / "warehouse" / "0002_access.sql").read_text()
    assert "IAMR:${prefix}-warehouse-load" in sql
    assert "redshift-serverless:GetCredentials" in assembly.actions("warehouse-load")


# encryption


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("AWS::Kinesis::Stream", "StreamEncryption"),
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
        ("AWS::RedshiftServerless::Namespace", "KmsKeyId"),
        ("AWS::RedshiftServerless::Namespace", "AdminPasswordSecretKmsKeyId"),
        ("AWS::Scheduler::Schedule", "KmsKeyArn"),
        ("AWS::Glue::Job", "SecurityConfiguration"),
    ],
)
def test_everything_is_encrypted_with_our_key(assembly: Any, kind: str, where: str) -> None:
    found = {name: p for name, p in assembly.of(kind).items() if "CustomS3AutoDeleteObjects" not in name}
    assert found
    assert [name for name, properties in found.items() if not properties.get(where)] == []


def test_buckets_are_private_versioned_and_speak_tls_only(assembly: Any) -> None:
    buckets = assembly.of("AWS::S3::Bucket")
    assert len(buckets) == 7
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        assert rule["SSEAlgorithm"] == ("AES256" if "AccessLogs" in name else "aws:kms"), name
    policies = assembly.of("AWS::S3::BucketPolicy").values()
    assert len(list(policies)) == 7
    for policy in policies:
        assert '"aws:SecureTransport": "false"' in json.dumps(policy)


def test_the_key_rotates(assembly: Any) -> None:
    assert assembly.one("AWS::KMS::Key")["EnableKeyRotation"] is True


def test_the_ledgers_key_is_used_through_dynamodb_alone(assembly: Any) -> None:
    """DynamoDB uses a table's key as the caller; the actions are those of CDK's own grants."""
    via = {"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}}
    through = [s for s in assembly.statements("run-control") if s.get("Condition") == via]
    assert len(through) == 1
    assert set(through[0]["Action"]) > {"kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"}


# reachability


def test_nothing_leads_to_the_internet(assembly: Any) -> None:
    for kind in ("InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "EIP"):
        assert assembly.of(f"AWS::EC2::{kind}") == {}
    assert all(not p.get("MapPublicIpOnLaunch") for p in assembly.of("AWS::EC2::Subnet").values())


def test_only_our_own_code_reaches_in_and_only_by_https(assembly: Any) -> None:
    rules = list(assembly.of("AWS::EC2::SecurityGroupIngress").values())
    for group in assembly.of("AWS::EC2::SecurityGroup").values():
        rules += group.get("SecurityGroupIngress", [])
    for rule in rules:
        assert "CidrIp" not in rule
        among_workers = rule.get("SourceSecurityGroupId") == rule.get("GroupId") is not None  # Glue asks for it
        assert among_workers or rule["FromPort"] == rule["ToPort"] == 443


def test_the_warehouse_is_private_and_its_password_nobody_knows(assembly: Any) -> None:
    workgroup, namespace = (
        assembly.one("AWS::RedshiftServerless::Workgroup"),
        assembly.one("AWS::RedshiftServerless::Namespace"),
    )
    assert workgroup["PubliclyAccessible"] is False and workgroup["EnhancedVpcRouting"] is True
    assert len(workgroup["SubnetIds"]) == 3
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in workgroup["ConfigParameters"]}
    assert parameters["require_ssl"] == "true" and parameters["enable_user_activity_logging"] == "true"
    assert namespace["ManageAdminPassword"] is True and "AdminUserPassword" not in namespace
    assert namespace["DefaultIamRoleArn"] in namespace["IamRoles"]


def test_scoring_wants_a_signature_and_only_health_is_open(assembly: Any) -> None:
    routes = {r["RouteKey"]: r["AuthorizationType"] for r in assembly.of("AWS::ApiGatewayV2::Route").values()}
    assert routes == {"GET /v1/health": "NONE", "POST /v1/score": "AWS_IAM"}


def test_the_api_is_logged_and_throttled(assembly: Any) -> None:
    stage = assembly.one("AWS::ApiGatewayV2::Stage")
    assert stage["AccessLogSettings"]["DestinationArn"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert "body" not in stage["AccessLogSettings"]["Format"].lower()


# keeping and losing data


def test_prod_keeps_everything_that_holds_data(prod: Any) -> None:
    kept = {where: r for where, r in prod.everything() if r["Type"] in STATEFUL}
    assert {r["Type"] for r in kept.values()} == STATEFUL
    lost = [
        w for w, r in kept.items() if (r.get("DeletionPolicy"), r.get("UpdateReplacePolicy")) != ("Retain", "Retain")
    ]
    assert lost == []
    assert prod.one("AWS::RedshiftServerless::Namespace")["FinalSnapshotName"]
    assert prod.one("AWS::DynamoDB::GlobalTable")["Replicas"][0]["DeletionProtectionEnabled"] is True


def test_dev_leaves_nothing_behind(dev: Any) -> None:
    assert [w for w, r in dev.everything() if r["Type"] in STATEFUL and r.get("DeletionPolicy") == "Retain"] == []
    assert len(dev.of("Custom::S3AutoDeleteObjects")) == len(dev.of("AWS::S3::Bucket"))


def test_prod_stacks_cannot_be_deleted_by_accident(prod: Any, dev: Any) -> None:
    def protected(assembly: Any) -> set[bool]:
        manifest = json.loads((assembly.folder / "manifest.json").read_text())
        stacks = [a for a in manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
        return {a["properties"].get("terminationProtection", False) for a in stacks}

    assert (protected(prod), protected(dev)) == ({True}, {False})


def test_logs_expire(assembly: Any) -> None:
    groups = assembly.of("AWS::Logs::LogGroup")
    assert len(groups) >= 15
    assert [name for name, group in groups.items() if not group.get("RetentionInDays")] == []
