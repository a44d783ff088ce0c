"""Trust, key and resource policies: nothing to object to, and each objection is really made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from damage import Damage, Resources, damaged

from gates.assembly import Assembly, as_list
from gates.iam.policies import check

ANYBODY, STRANGER = {"AWS": "*"}, {"AWS": "arn:aws:iam::222222222222:root"}
GITHUB = {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}
EC2 = {"Service": "ec2.amazonaws.com"}


def test_nobody_else_comes_in_and_everything_arrives(assembly: Assembly) -> None:
    outcome = check(assembly)
    assert outcome.findings == []
    alarms, rules, groups = (
        assembly.of(f"AWS::{kind}") for kind in ("CloudWatch::Alarm", "Events::Rule", "Logs::LogGroup")
    )
    assert alarms and rules and len(groups) >= 15


def _one(resources: Resources, kind: str, named: str = "") -> dict[str, Any]:
    return next(r["Properties"] for name, r in resources.items() if r["Type"] == kind and name.startswith(named))


def _statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    documents = ("KeyPolicy", "PolicyDocument", "AssumeRolePolicyDocument")
    found: list[dict[str, Any]] = next(properties[name] for name in documents if name in properties)["Statement"]
    return found


def _let_in(kind: str, principal: Any, action: str, named: str = "", **more: Any) -> Damage:
    added = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}
    return lambda resources: _statements(_one(resources, kind, named)).append(added)


def _shut(kind: str, action: str, named: str = "", sid: str | None = None) -> Damage:
    """Without the Allow for an action (of this Sid, where several have it)."""

    def damage(resources: Resources) -> None:
        statements = _statements(_one(resources, kind, named))
        allowed = [s for s in statements if s["Effect"] == "Allow" and action in as_list(s["Action"])]
        statements.remove(next(s for s in allowed if sid in (None, s.get("Sid"))))

    return damage


def _unbound(kind: str, action: str, named: str = "", sid: str | None = None) -> Damage:
    """The Allow for an action without its condition."""

    def damage(resources: Resources) -> None:
        statements = _statements(_one(resources, kind, named))
        allowed = [s for s in statements if s["Effect"] == "Allow" and action in as_list(s["Action"])]
        del next(s for s in allowed if sid in (None, s.get("Sid")))["Condition"]

    return damage


def _conditional(kind: str, action: str, condition: dict[str, Any], named: str = "", sid: str | None = None) -> Damage:
    """The Allow for an action under another condition."""

    def damage(resources: Resources) -> None:
        statements = _statements(_one(resources, kind, named))
        allowed = [s for s in statements if s["Effect"] == "Allow" and action in as_list(s["Action"])]
        next(s for s in allowed if sid in (None, s.get("Sid")))["Condition"] = condition

    return damage


def _also(kind: str, action: str, beside: str, sid: str | None = None) -> Damage:
    """One more action for whoever may do the other."""

    def damage(resources: Resources) -> None:
        allowed = [s for s in _statements(_one(resources, kind)) if s["Effect"] == "Allow"]
        found = next(s for s in allowed if beside in as_list(s["Action"]) and sid in (None, s.get("Sid")))
        found["Action"] = [*as_list(found["Action"]), action]

    return damage


def _tagged(role: str, value: str) -> Damage:
    return lambda resources: _one(resources, "AWS::IAM::Role", role)["Tags"][0].update(Value=value)


def _refuses(kind: str, named: str, **changed: Any) -> Damage:
    """The refusal of requests without TLS, changed."""
    return lambda resources: next(s for s in _statements(_one(resources, kind, named)) if s["Effect"] == "Deny").update(
        changed
    )


def _trust(role: str, change: Callable[[dict[str, Any]], object]) -> Damage:
    return lambda resources: change(_statements(_one(resources, "AWS::IAM::Role", role))[0])


def _set(kind: str, **values: Any) -> Damage:
    return lambda resources: _one(resources, kind).update(values)


def _no_dead_letters(resources: Resources) -> None:
    del _one(resources, "AWS::Events::Rule")["Targets"][0]["DeadLetterConfig"]


def _second_policy(resources: Resources) -> None:
    resources["Second"] = next(r for r in resources.values() if r["Type"] == "AWS::SNS::TopicPolicy")


KEY, TOPIC, QUEUE, BUCKET = "AWS::KMS::Key", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"
ROLE, POLICY = "AWS::IAM::Role", "AWS::IAM::Policy"
MODEL_ROLE = {"AWS": {"Fn::GetAtt": ["RunControlRole146E2311", "Arn"]}}
ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
SERVICES = "AlarmsAndEventsOfThisAccount"
OBJECTIONS: list[tuple[str, str, Damage]] = [
    ("trust-anybody", "Orchestration", _let_in("AWS::IAM::Role", "*", "sts:AssumeRole")),
    ("trust-stranger", "Orchestration", _let_in("AWS::IAM::Role", STRANGER, "sts:AssumeRole")),
    ("trust-stranger", "Orchestration", _let_in("AWS::IAM::Role", GITHUB, "sts:AssumeRoleWithWebIdentity")),
    ("trust-service", "Orchestration", _let_in("AWS::IAM::Role", EC2, "sts:AssumeRole")),
    ("trust-service", "Orchestration", _trust("TrainRole", lambda s: s.update(Principal=EC2))),
    ("trust-source-account", "Orchestration", _trust("TrainRole", lambda s: s.pop("Condition"))),
    ("trust-action", "Orchestration", _trust("TrainRole", lambda s: s.update(Action="sts:*"))),
    ("open-to-anybody", "Lake", _let_in(KEY, "*", "kms:Decrypt")),
    ("open-to-anybody", "Orchestration", _let_in(TOPIC, ANYBODY, "sns:Publish")),
    ("open-to-anybody", "Lake", _let_in(BUCKET, ANYBODY, "s3:GetObject")),
    ("open-to-anybody", "Api", _set("AWS::Lambda::Permission", Principal="*")),
    ("open-to-stranger", "Lake", _let_in(BUCKET, STRANGER, "s3:GetObject")),
    ("open-to-stranger", "Api", _set("AWS::Lambda::Permission", Principal="222222222222")),
    ("unexpected-service", "Lake", _let_in(KEY, EC2, "kms:Decrypt")),
    ("unbound-service", "Lake", _unbound(KEY, "kms:GenerateDataKey*", sid=SERVICES)),
    ("unbound-service", "Lake", _unbound(KEY, "kms:Encrypt*")),
    ("unbound-service", "Orchestration", _unbound(QUEUE, "sqs:SendMessage")),
    ("all-actions", "Lake", _let_in(BUCKET, {"Service": "logging.s3.amazonaws.com"}, "s3:*")),
    ("open-to-role", "Orchestration", _let_in(TOPIC, MODEL_ROLE, "sns:Publish")),
    ("unexpected-action", "Lake", _also(KEY, "kms:ScheduleKeyDeletion", "kms:Decrypt", SERVICES)),
    ("unexpected-action", "Orchestration", _also(TOPIC, "sns:SetTopicAttributes", "sns:Publish")),
    ("unexpected-action", "Api", _set("AWS::Lambda::Permission", Action="lambda:UpdateFunctionCode")),
    ("key-without-root", "Lake", _shut(KEY, "kms:*")),
    ("key-without-root", "Lake", _conditional(KEY, "kms:*", {"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
    ("unbound-service", "Lake", _conditional(KEY, "kms:Decrypt", {"StringNotEquals": ACCOUNT}, sid=SERVICES)),
    ("unbound-service", "Lake", _conditional(KEY, "kms:Decrypt", {"StringEqualsIfExists": ACCOUNT}, sid=SERVICES)),
    ("unbound-service", "Orchestration", _conditional(TOPIC, "sns:Publish", {"StringNotEquals": ACCOUNT})),
    (
        "unbound-service",
        "Orchestration",
        _conditional(TOPIC, "sns:Publish", {"StringEquals": {**ACCOUNT, "aws:PrincipalOrgID": "o-1"}}),
    ),
    (
        "unbound-service",
        "Orchestration",
        _conditional(TOPIC, "sns:Publish", {"StringEquals": {"aws:SourceAccount": ["111111111111", "222222222222"]}}),
    ),
    ("alarm-unheard", "Orchestration", _conditional(TOPIC, "sns:Publish", {"StringNotEquals": ACCOUNT})),
    (
        "trust-source-account",
        "Orchestration",
        _conditional(ROLE, "sts:AssumeRole", {"StringNotEquals": ACCOUNT}, "Train"),
    ),
    ("trust-condition", "Orchestration", _conditional(ROLE, "sts:AssumeRole", {"StringEquals": ACCOUNT}, "RunControl")),
    ("deny", "Lake", _let_in(KEY, "*", "kms:Decrypt", Effect="Deny")),
    ("deny", "Orchestration", _let_in(POLICY, {}, "s3:PutObject", "RunControlRole", Effect="Deny")),
    ("deny", "Orchestration", _let_in(ROLE, {"AWS": "*"}, "sts:AssumeRole", "RunControlRole", Effect="Deny")),
    ("deny", "Network", _let_in("AWS::EC2::VPCEndpoint", "*", "*", "VpcS3", Effect="Deny")),
    ("deny", "Lake", _refuses(BUCKET, "Raw", Principal=STRANGER)),
    ("deny", "Lake", _refuses(BUCKET, "Raw", Resource="arn:aws:s3:::raw/public/*")),
    ("deny", "Lake", _refuses(BUCKET, "Raw", Condition={"Bool": {"aws:SecureTransport": "true"}})),
    ("boundary", "Orchestration", _set(ROLE, PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll")),
    ("people-role", "Warehouse", _tagged("Analyst", "risk_officer")),
    ("people-role", "Warehouse", _tagged("RiskOfficer", "officer")),
    ("two-policies", "Orchestration", _second_policy),
    ("alarm-unheard", "Orchestration", _shut(TOPIC, "sns:Publish")),
    ("alarm-unheard", "Orchestration", _unbound(TOPIC, "sns:Publish")),
    ("alarm-unheard", "Lake", _shut(KEY, "kms:GenerateDataKey*", sid=SERVICES)),
    ("rule-without-dead-letters", "Orchestration", _no_dead_letters),
    ("dead-letters-refused", "Orchestration", _shut(QUEUE, "sqs:SendMessage")),
    ("dead-letters-refused", "Lake", _shut(KEY, "kms:GenerateDataKey*", sid=SERVICES)),
    ("log-group-key", "Lake", _shut(KEY, "kms:Encrypt*")),
    ("log-group-key", "Lake", _unbound(KEY, "kms:Encrypt*")),
    ("machine-log-key", "Lake", _shut(KEY, "kms:Decrypt", sid="DeliveryOfTheStateMachinesLogs")),
    ("access-logs-refused", "Lake", _shut(BUCKET, "s3:PutObject", "AccessLogs")),
    ("access-logs-refused", "Lake", _unbound(BUCKET, "s3:PutObject", "AccessLogs")),
    (
        "api-permission",
        "Api",
        _set("AWS::Lambda::Permission", SourceArn="arn:aws:execute-api:eu-west-1:111111111111:*"),
    ),
]


@pytest.mark.parametrize(
    ("rule", "part", "damage"), OBJECTIONS, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(OBJECTIONS)]
)
def test_a_damaged_policy_is_named(prod: Assembly, tmp_path: Path, rule: str, part: str, damage: Damage) -> None:
    assert rule in {finding.rule for finding in check(damaged(prod, tmp_path, part, damage)).findings}
