"""Nothing missing, nothing unused, no wildcard without a reason, for every role; and each objection is really made."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damage import Damage, Resources, damaged

from gates.assembly import ROOT, Assembly
from gates.iam import implicit
from gates.iam.least_privilege import check
from gates.iam.roles import roles
from gates.outcome import Finding
from stacks.constructs import permissions
from stacks.metadata import REASONS


def test_every_role_may_do_what_it_does_and_nothing_else(assembly: Assembly) -> None:
    outcome = check(assembly)
    assert outcome.findings == []
    assert len(roles(assembly)) >= 20 and all(role.granted for role in roles(assembly).values())


def _policy(resources: Resources, role: str) -> Resources:
    return next(r for name, r in resources.items() if name.startswith(f"{role}DefaultPolicy"))


def _statement(resources: Resources, role: str, action: str) -> dict[str, Any]:
    statements = _policy(resources, role)["Properties"]["PolicyDocument"]["Statement"]
    return next(s for s in statements if action in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]]))


def _add(role: str, reason: str | None = None, **statement: Any) -> Damage:
    def damage(resources: Resources) -> None:
        policy = _policy(resources, role)
        added = {"Effect": "Allow", "Sid": "Added", "Resource": {"Fn::GetAtt": ["RunsE45A2291", "Arn"]}, **statement}
        policy["Properties"]["PolicyDocument"]["Statement"].append(added)
        if reason:
            policy["Metadata"].setdefault(REASONS, {})["Added"] = reason

    return damage


def _without(role: str, action: str) -> Damage:
    return lambda resources: _statement(resources, role, action)["Action"].remove(action)


def _on(role: str, action: str, resource: Any) -> Damage:
    return lambda resources: _statement(resources, role, action).update(Resource=resource)


def _conditions(role: str, action: str, **condition: Any) -> Damage:
    return lambda resources: _statement(resources, role, action).update(Condition=condition)


def _own(service: str, name: str) -> dict[str, str]:
    """The ARN of something in this account and region."""
    return {"Fn::Sub": f"arn:aws:{service}:eu-west-1:${{AWS::AccountId}}:{name}"}


def _reasons(role: str, change: Callable[[dict[str, str]], object]) -> Damage:
    return lambda resources: change(_policy(resources, role)["Metadata"][REASONS])


def _idle_role(resources: Resources) -> None:
    resources["Idle"] = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}


def _managed(resources: Resources) -> None:
    resources["RunControlRole146E2311"]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]


CONTEXT = "kms:EncryptionContext:aws:states:stateMachineArn"
TRAIN_MACHINE = _own("states", "stateMachine:solvent-prod-train")
STRANGERS = "arn:aws:sagemaker:eu-west-1:222222222222:endpoint/solvent-prod-lending"
GRANT, VIA = "kms:GrantIsForAWSResource", "kms:ViaService"
ANOTHER_KEY, OTHER_ENDPOINT = "1c7a0b8e-7f0a-4f0e-9d2e-3b1f6a5c4d3e", "endpoint/solvent-prod-other"
ANY = "the reason is long enough, but not what is asked for"
OBJECTIONS: list[tuple[str, str, Damage]] = [
    ("missing-action", "run-control", _without("RunControlRole", "dynamodb:PutItem")),
    ("missing-action", "train", _without("TrainRole", "sagemaker:AddTags")),
    ("missing-action", "ingest", _without("IngestRole", "glue:GetJobRuns")),
    ("unused-action", "run-control", _add("RunControlRole", Action="dynamodb:Scan")),
    ("unused-role", "Idle", _idle_role),
    ("action-wildcard", "run-control", _add("RunControlRole", Action="dynamodb:Get*")),
    ("unknown-action", "run-control", _add("RunControlRole", Action="dynamodb:GetItems")),
    ("not-action", "run-control", _add("RunControlRole", NotAction="iam:CreateUser", Action=[])),
    ("not-resource", "run-control", _add("RunControlRole", Action="s3:GetObject", NotResource="*", Resource=[])),
    ("too-broad", "run-control", _add("RunControlRole", ANY, Action="dynamodb:PutItem", Resource="*")),
    ("wildcard-unexplained", "run-control", _add("RunControlRole", Action="xray:PutTraceSegments", Resource="*")),
    ("wildcard-unexplained", "train", _reasons("TrainRole", lambda r: r.update(SagemakerListTags="because"))),
    ("stale-reason", "TrainRole", _reasons("TrainRole", lambda r: r.update(Nothing=ANY))),
    ("managed-policy", "run-control", _managed),
    ("pass-role", "train", _conditions("TrainRole", "iam:PassRole")),
    ("pass-role", "train", _conditions("TrainRole", "iam:PassRole", StringEquals={"iam:PassedToService": "ec2"})),
    (
        "missing-resource",
        "train",
        _on("TrainRole", "lambda:InvokeFunction", {"Fn::GetAtt": ["ModelGateDF666466", "Arn"]}),
    ),
    ("unused-resource", "pipeline", _add("PipelineRole", Action="lambda:InvokeFunction")),
    ("missing-resource", "nightly", _on("ScheduleRole", "states:StartExecution", {"Ref": "Train781835F2"})),
    ("unused-resource", "nightly", _on("ScheduleRole", "states:StartExecution", {"Ref": "Train781835F2"})),
    ("missing-context", "pipeline", _conditions("PipelineRole", "kms:Decrypt")),
    ("missing-context", "train", _conditions("TrainRole", "kms:Decrypt", StringNotEquals={CONTEXT: TRAIN_MACHINE})),
    ("unused-context", "train", _conditions("TrainRole", "kms:Decrypt", StringEquals={CONTEXT: "arn:other"})),
    ("foreign-resource", "run-control", _on("RunControlRole", "s3:PutObject", "arn:aws:s3:::elsewhere/runs/a")),
    ("foreign-resource", "train", _on("TrainRole", "sagemaker:DescribeEndpoint", STRANGERS)),
    ("foreign-resource", "run-control", _on("RunControlRole", "dynamodb:PutItem", _own("dynamodb", "table/other"))),
    ("foreign-resource", "run-control", _on("RunControlRole", "dynamodb:PutItem", {"Ref": "Nothing"})),
    ("foreign-resource", "run-control", _on("RunControlRole", "kms:Decrypt", _own("kms", f"key/{ANOTHER_KEY}"))),
    ("foreign-resource", "train", _on("TrainRole", "sagemaker:DescribeEndpoint", _own("sagemaker", OTHER_ENDPOINT))),
    ("foreign-resource", "train", _on("TrainRole", "sagemaker:DescribeEndpoint", _own("sagemaker", "endpoint/*"))),
    (
        "foreign-resource",
        "train",
        _on("TrainRole", "cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1::alarm:a"),
    ),
    ("missing-condition", "train", _conditions("TrainRole", "kms:CreateGrant")),
    ("missing-condition", "score", _conditions("ScoreRole", "kms:CreateGrant", StringEquals={GRANT: "true"})),
    ("missing-condition", "run-control", _conditions("RunControlRole", "kms:Encrypt")),
    ("missing-condition", "run-control", _conditions("RunControlRole", "kms:Encrypt", StringEquals={VIA: "s3"})),
]


@pytest.mark.parametrize(
    ("rule", "where", "damage"), OBJECTIONS, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(OBJECTIONS)]
)
def test_a_damaged_policy_is_named(prod: Assembly, tmp_path: Path, rule: str, where: str, damage: Damage) -> None:
    findings = check(damaged(prod, tmp_path, "Orchestration", damage)).findings
    assert any(finding.rule == rule and where in finding.where for finding in findings)


def test_callers_of_the_api_reach_signed_routes_only(prod: Assembly, tmp_path: Path) -> None:
    def open_route(resources: Resources) -> None:
        policy = next(r for r in resources.values() if r["Type"] == "AWS::IAM::ManagedPolicy")
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        statement["Resource"]["Fn::Join"][1][-1] = statement["Resource"]["Fn::Join"][1][-1].replace("score", "*")

    rules = {finding.rule for finding in check(damaged(prod, tmp_path, "Api", open_route)).findings}
    assert rules >= {"unused-resource", "missing-resource", "wildcard-unexplained"}


@pytest.mark.parametrize(
    ("part", "role", "action"),
    [
        ("Etl", "Role", "cloudwatch:PutMetricData"),
        ("Training", "Role", "cloudwatch:PutMetricData"),
        ("Etl", "Role", "ec2:CreateTags"),
        ("Warehouse", "Analyst", "redshift-data:GetStatementResult"),
        ("Warehouse", "MigrateRole", "redshift-data:DescribeStatement"),
    ],
)
def test_a_condition_that_is_gone_is_named(prod: Assembly, tmp_path: Path, part: str, role: str, action: str) -> None:
    findings = check(damaged(prod, tmp_path, part, _conditions(role, action))).findings
    assert any(finding.rule == "missing-condition" and action in finding.text for finding in findings)


def test_callers_of_another_api_are_named(prod: Assembly, tmp_path: Path) -> None:
    def another_api(resources: Resources) -> None:
        policy = next(r for r in resources.values() if r["Type"] == "AWS::IAM::ManagedPolicy")
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        parts = statement["Resource"]["Fn::Join"][1]
        parts[parts.index({"Ref": "Api"})] = "a1b2c3d4e5"

    rules = {finding.rule for finding in check(damaged(prod, tmp_path, "Api", another_api)).findings}
    assert rules >= {"unused-resource", "missing-resource"}


class TestSources:
    """The same templates, other sources."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        for folder in ("lambdas", "glue_jobs", "sagemaker", "src/solvent"):
            shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
        return tmp_path

    def test_a_new_call_is_missing(self, prod: Assembly, checkout: Path) -> None:
        gates = checkout / "src" / "solvent" / "model_archive.py"
        gates.write_text(gates.read_text().replace("s3.get_object(", "s3.get_object_tagging("))
        named = Finding("missing-action", "solvent-prod-model-gate", "s3:GetObjectTagging is needed and not allowed")
        assert named in check(prod, checkout).findings

    def test_a_call_that_went_leaves_a_permission_unused(self, prod: Assembly, checkout: Path) -> None:
        ledger = checkout / "src" / "solvent" / "ledger.py"
        ledger.write_text(ledger.read_text().replace("self._table.delete_item(", "dict("))
        named = Finding(
            "unused-action", "solvent-prod-run-control", "dynamodb:DeleteItem is allowed and nothing needs it"
        )
        assert named in check(prod, checkout).findings

    def test_a_call_that_cannot_be_read_is_named(self, prod: Assembly, checkout: Path) -> None:
        handler = checkout / "lambdas" / "api" / "handler.py"
        handler.write_text(handler.read_text() + "\n\ngetattr(api, f'respond_{__name__}')\n")
        rules = {(finding.rule, finding.where) for finding in check(prod, checkout).findings}
        assert ("unreadable-call", "solvent-prod-api") in rules


class TestImplicitActions:
    def test_every_entry_has_its_own_name_and_a_page_of_aws(self) -> None:
        entries = implicit.entries()
        assert len({entry.name for entry in entries}) == len(entries)
        assert [e.name for e in entries if not e.page.startswith("https://docs.aws.amazon.com/")] == []

    def test_an_entry_that_nobody_needs_is_stale(self, prod: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
        never = implicit.Entry("never", ({"task": "braket:createQuantumTask.sync"},), frozenset({"s3:GetObject"}), "")
        known = (*implicit.entries(), never)
        monkeypatch.setattr("gates.iam.implicit.entries", lambda: known)
        monkeypatch.setattr("gates.iam.least_privilege.entries", lambda: known)
        assert [(f.rule, f.where) for f in check(prod).findings] == [("stale-entry", "never")]

    def test_what_turns_a_feature_off_leaves_its_permissions_unused(self, prod: Assembly, tmp_path: Path) -> None:
        def untraced(resources: Resources) -> None:
            for resource in resources.values():
                if resource["Type"] == "AWS::Lambda::Function":
                    del resource["Properties"]["TracingConfig"]

        findings = check(damaged(prod, tmp_path, "Api", untraced)).findings
        assert {(f.rule, f.text.split()[0]) for f in findings} == {
            ("unused-action", "xray:PutTelemetryRecords"),
            ("unused-action", "xray:PutTraceSegments"),
        }


class TestAllow:
    """What the stacks' own vocabulary refuses."""

    @pytest.fixture
    def role(self, tmp_path: Path) -> Any:
        from aws_cdk import App

        from stacks import config
        from stacks.constructs.base import SolventStack

        stack = SolventStack(App(outdir=str(tmp_path)), "Test", config=config.load("dev"), description="")
        return permissions.service_role(stack, "Role", name="r", service="lambda.amazonaws.com", description="d")

    def test_a_wildcard_needs_a_reason(self, role: Any) -> None:
        with pytest.raises(ValueError, match="a wildcard has a reason"):
            permissions.allow(role, "s3:GetObject", on=["arn:aws:s3:::b/*"])

    def test_a_reason_needs_a_wildcard(self, role: Any) -> None:
        with pytest.raises(ValueError, match="only a wildcard"):
            permissions.allow(role, "s3:GetObject", on=["arn:aws:s3:::b/k"], why="there is none, though")

    def test_statements_get_names_of_their_own(self, role: Any) -> None:
        from aws_cdk import Stack, assertions

        for number in range(3):
            permissions.allow(
                role, "s3:GetObject", on=[f"arn:aws:s3:::b{number}/*"], why=f"reason {number}, long enough"
            )
        (policy,) = assertions.Template.from_stack(Stack.of(role)).find_resources("AWS::IAM::Policy").values()
        sids = [statement["Sid"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]]
        assert sids == list(policy["Metadata"][REASONS]) == ["S3GetObject", "S3GetObject2", "S3GetObject3"]
