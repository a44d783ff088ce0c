"""What a reviewer asks and no gate does: who may do what, what can be reached, what dev leaves behind.

Encryption, access, retention and what prod keeps are asked by gates/rules/.
"""

import json
from typing import Any

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


def test_only_the_ledger_function_may_write_the_ledger_and_the_erasure_its_lock(assembly: Any) -> None:
    writers = {where for where, s in _all_statements(assembly) if "dynamodb:PutItem" in _list(s["Action"])}
    assert {"RunControl" in where or "Erasure" in where for where in writers} == {True}
    assert len(writers) == 2
    (lock,) = [s for s in assembly.statements("erase") if "dynamodb:PutItem" in _list(s["Action"])]
    assert "lock#" in json.dumps(lock["Condition"])


def test_stream_ingest_may_write_but_not_read_the_lake(assembly: Any) -> None:
    assert not {"s3:GetObject", "s3:DeleteObject", "s3:ListBucket"} & assembly.actions("stream-ingest")


def test_the_loader_is_the_user_that_the_migrations_create(assembly: Any) -> None:
    """The warehouse names an IAM caller `IAMR:<role>`: a renamed role would load nothing."""
    role = f"solvent-{assembly.environment}-warehouse-load"
    assembly.one("AWS::IAM::Role", RoleName=role)
    sql = (ROOT / "sql" / "warehouse" / "0002_access.sql").read_text()
    assert "IAMR:${prefix}-warehouse-load" in sql
    assert "redshift-serverless:GetCredentials" in assembly.actions("warehouse-load")


def test_the_ledgers_key_is_used_through_dynamodb_alone(assembly: Any) -> None:
    """DynamoDB uses a table's key as the caller; the actions are those of CDK's own grants."""
    via = {"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}}
    through = [s for s in assembly.statements("run-control") if s.get("Condition") == via]
    assert len(through) == 1
    assert set(through[0]["Action"]) > {"kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"}


# reachability


def test_what_reaches_in_comes_by_https(prod: Any) -> None:
    rules = list(prod.of("AWS::EC2::SecurityGroupIngress").values())
    for group in prod.of("AWS::EC2::SecurityGroup").values():
        rules += group.get("SecurityGroupIngress", [])
    assert rules
    for rule in rules:
        among_workers = rule.get("SourceSecurityGroupId") == rule.get("GroupId") is not None  # Glue asks for it
        assert among_workers or rule["FromPort"] == rule["ToPort"] == 443


def test_the_warehouse_lies_in_three_zones_and_copies_with_a_role_that_it_has(assembly: Any) -> None:
    assert len(assembly.one("AWS::RedshiftServerless::Workgroup")["SubnetIds"]) == 3
    namespace = assembly.one("AWS::RedshiftServerless::Namespace")
    assert namespace["DefaultIamRoleArn"] in namespace["IamRoles"]


def test_scoring_wants_a_signature_and_only_health_is_open(assembly: Any) -> None:
    routes = {r["RouteKey"]: r["AuthorizationType"] for r in assembly.of("AWS::ApiGatewayV2::Route").values()}
    assert routes == {"GET /v1/health": "NONE", "POST /v1/score": "AWS_IAM"}


def test_the_log_of_the_api_holds_no_data_of_applicants(assembly: Any) -> None:
    assert "body" not in assembly.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"].lower()


# keeping and losing data


def test_dev_leaves_nothing_behind(dev: Any) -> None:
    assert [w for w, r in dev.everything() if r["Type"] in STATEFUL and r.get("DeletionPolicy") == "Retain"] == []
    assert len(dev.of("Custom::S3AutoDeleteObjects")) == len(dev.of("AWS::S3::Bucket"))


def test_dev_can_be_deleted(dev: Any) -> None:
    manifest = json.loads((dev.folder / "manifest.json").read_text())
    stacks = [a for a in manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
    assert stacks and not any(stack["properties"].get("terminationProtection") for stack in stacks)
