"""No property, output or state names what is not the platform's, and each objection is really made."""

import json
from pathlib import Path
from typing import Any

import pytest

from gates.assembly import Assembly
from gates.faults.changes import Change, attribute, put, state
from gates.faults.fault import Fault, copy
from gates.templates import foreign

STRANGER = "arn:aws:iam::222222222222:role/solvent-prod-copy"
DESTINATION = {"Role": STRANGER, "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::strangers"}}]}
ANYBODY = {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}}
CAPTURE = {"EnableCapture": True, "DestinationS3Uri": "s3://strangers/capture", "InitialSamplingPercentage": 100}
TO_OTHERS = {"Type": "AWS::RAM::ResourceShare", "Properties": {"Name": "lake"}}
ONE_OF_AWS = "alias/aws/s3"
SIBLING = {"Fn::Sub": "arn:aws:lambda:eu-west-1:${AWS::AccountId}:layer:another:1"}
OUTSIDE = {"Value": {"Fn::Sub": "https://strangers.s3.eu-west-1.amazonaws.com/${AWS::AccountId}"}}


def test_everything_that_is_named_is_ours_or_listed(assembly: Assembly) -> None:
    outcome = foreign.check(assembly)
    assert outcome.findings == []
    assert int(outcome.looked_at.split()[0]) > 3000


OBJECTIONS: list[tuple[str, str, Change]] = [
    ("foreign-bucket", "Etl/Job", put("Command.ScriptLocation", "s3://strangers/etl.py")),
    ("foreign-bucket", "Etl/Job", put("DefaultArguments.--raw_bucket", "strangers")),
    ("foreign-bucket", "Etl/Job", put("DefaultArguments.--TempDir", "s3://solvent-prod-raw-222222222222-eu-west-1/t/")),
    ("foreign-bucket", "Api/Function", put("Code.S3Bucket", "strangers")),
    ("foreign-bucket", "Api/Function", put("Code.S3Bucket", "cdk-hnb659fds-assets-222222222222-eu-west-1")),
    ("foreign-bucket", "Orchestration/DeliveryArrived", put("EventPattern.detail.bucket.name", ["strangers"])),
    ("foreign-bucket", "Lake/Raw", put("ReplicationConfiguration", DESTINATION)),
    ("foreign-bucket", "Network/Vpc/S3", put("PolicyDocument.Statement.1.Resource", "arn:aws:s3:::*")),
    ("foreign-bucket", "Orchestration/Score", state("Transform", "Parameters.TransformOutput.S3OutputPath", "s3://s/")),
    ("foreign-bucket", "Orchestration/Train", state("CreateEndpointConfig", "Parameters.DataCaptureConfig", CAPTURE)),
    ("foreign-bucket", "Api", attribute("Outputs.Away", OUTSIDE)),
    ("gives-to-others", "Lake/Raw", put("ReplicationConfiguration", DESTINATION)),
    ("gives-to-others", "Orchestration/Runs", put("Replicas.0.ResourcePolicy", ANYBODY)),
    ("gives-to-others", "Warehouse/Namespace", put("NamespaceResourcePolicy", ANYBODY)),
    ("gives-to-others", "Warehouse/Namespace", put("SnapshotCopyConfigurations", [{"DestinationRegion": "eu-west-1"}])),
    ("gives-to-others", "Lake", attribute("Resources.Share", TO_OTHERS)),
    ("foreign-region", "Orchestration/Runs", put("Replicas.0.Region", "us-east-1")),
    ("foreign-account", "Lake/Raw", put("ReplicationConfiguration", DESTINATION)),
    ("foreign-account", "Network/Vpc/S3", put("PolicyDocument.Statement.0.Condition", {"a": {"b": "222222222222"}})),
    ("any-account", "Observability/TrainFailed", put("AlarmActions", ["arn:aws:sns:eu-west-1:*:alarms"])),
    ("foreign-role", "Lake/Raw", put("ReplicationConfiguration", DESTINATION)),
    ("foreign-role", "Orchestration/Train", state("Train", "Parameters.RoleArn", STRANGER)),
    ("foreign-key", "Orchestration/Train", state("Train", "Parameters.OutputDataConfig.KmsKeyId", ONE_OF_AWS)),
    ("foreign-key", "Warehouse/Namespace", put("KmsKeyId", {"Fn::GetAtt": ["CopyRoleA4EADB21", "Arn"]})),
    ("foreign-layer", "Api/Function", put("Layers", [SIBLING])),
    ("foreign-image", "Orchestration/Train", state("CreateModel", "Parameters.PrimaryContainer.Image", "docker.io/x")),
]


@pytest.mark.parametrize(
    ("rule", "target", "change"), OBJECTIONS, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(OBJECTIONS)]
)
def test_what_is_not_ours_is_named(prod: Assembly, tmp_path: Path, rule: str, target: str, change: Change) -> None:
    findings = foreign.check(copy(prod, Fault("", target, change, ""), tmp_path / "damaged")).findings
    assert any(finding.rule == rule and target.partition("/")[0] in finding.where for finding in findings)


def test_an_entry_of_the_list_that_nothing_names_is_stale(prod: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: dict[str, dict[str, Any]] = json.loads(json.dumps(foreign.LISTED))
    listed["buckets"]["strangers"] = "a reason that is long enough to be one"
    monkeypatch.setattr(foreign, "LISTED", listed)
    assert [(f.rule, f.text) for f in foreign.check(prod).findings] == [("stale-entry", "nothing names strangers")]


def test_an_entry_needs_a_reason(prod: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {group: dict.fromkeys(names, "because") for group, names in foreign.LISTED.items()}
    monkeypatch.setattr(foreign, "LISTED", listed)
    assert {f.rule for f in foreign.check(prod).findings} == {"foreign-account", "foreign-bucket"}


def test_what_the_input_tells_is_left_to_the_run(prod: Assembly, tmp_path: Path) -> None:
    told = {"S3OutputPath.$": "$.run.predictions", "KmsKeyId.$": "$.key"}
    change = state("Transform", "Parameters.TransformOutput", told)
    damaged = copy(prod, Fault("", "Orchestration/Score", change, ""), tmp_path / "damaged")
    assert foreign.check(damaged).findings == []
