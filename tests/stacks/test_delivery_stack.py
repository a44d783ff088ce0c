"""What the pipeline may do: its roles trust one job of one repository each, and may only pass on to CDK's roles."""

import json
from pathlib import Path
from typing import Any

import pytest

from gates.assembly import ACCOUNT, ROOT, Assembly, as_list, flat
from stacks import config

GITHUB = {"delivery": "github", "repository": "acme/solvent"}
ID = "{{{}2345678-1234-1234-1234-123456789012}}"
BITBUCKET = {
    "delivery": "bitbucket",
    "workspace": "acme",
    "workspace_id": ID.format(1),
    "repository_id": ID.format(2),
    "deployments": f"{ID.format(3)},{ID.format(4)}",
}
AUDIENCE = "token.actions.githubusercontent.com:aud"
SUBJECT = "token.actions.githubusercontent.com:sub"


def template(folder: Path, **context: str) -> dict[str, Any]:
    from stacks import synthesis

    synthesis.in_process("dev", folder, **context).synth()
    found: dict[str, Any] = json.loads((folder / "Solvent-Delivery.template.json").read_text())
    return found


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return template(tmp_path_factory.mktemp("github"), **GITHUB)


def of(found: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in found["Resources"].items() if r["Type"] == kind}


def trust(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Role -> its one trust statement."""
    roles = {}
    for role in of(found, "AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        roles[role["RoleName"]] = statement
    return roles


def test_each_role_trusts_one_job_of_the_repository_and_no_wildcard(github: dict[str, Any]) -> None:
    subjects = {}
    for name, statement in trust(github).items():
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Principal"] == {"Federated": {"Fn::GetAtt": ["Provider", "Arn"]}}
        assert set(statement["Condition"]) == {"StringEquals"}
        assert set(statement["Condition"]["StringEquals"]) == {AUDIENCE, SUBJECT}
        assert statement["Condition"]["StringEquals"][AUDIENCE] == "sts.amazonaws.com"
        subjects[name] = statement["Condition"]["StringEquals"][SUBJECT]
    assert subjects == {
        "solvent-delivery-dev": "repo:acme/solvent:environment:dev",
        "solvent-delivery-prod": "repo:acme/solvent:environment:prod",
        "solvent-delivery-read": "repo:acme/solvent:pull_request",
    }


def test_the_roles_may_only_assume_those_of_cdk_and_a_pull_request_only_look(github: dict[str, Any]) -> None:
    may = {}
    for policy in of(github, "AWS::IAM::Policy").values():
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
        (role,) = policy["Roles"]
        name = github["Resources"][role["Ref"]]["Properties"]["RoleName"].rsplit("-", 1)[1]
        may[name] = {flat(arn) for arn in as_list(statement["Resource"])}
    bootstrap = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{{}}-role-{ACCOUNT}-eu-west-1"
    deployer = {bootstrap.format(part) for part in ("deploy", "file-publishing", "lookup")}
    assert may == {"dev": deployer, "prod": deployer, "read": {bootstrap.format("lookup")}}
    assert not any("ManagedPolicyArns" in role or "Policies" in role for role in of(github, "AWS::IAM::Role").values())


def test_a_session_ends_after_an_hour(github: dict[str, Any]) -> None:
    assert {role["MaxSessionDuration"] for role in of(github, "AWS::IAM::Role").values()} == {3600}


def test_the_provider_needs_no_helper_function(github: dict[str, Any]) -> None:
    assert {r["Type"] for r in github["Resources"].values()} == {
        "AWS::IAM::OIDCProvider", "AWS::IAM::Role", "AWS::IAM::Policy"
    }  # fmt: skip
    (provider,) = of(github, "AWS::IAM::OIDCProvider").values()
    assert provider == {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"]}


def test_a_provider_that_the_account_has_already(tmp_path: Path) -> None:
    found = template(tmp_path, **GITHUB, provider="existing")
    assert of(found, "AWS::IAM::OIDCProvider") == {}
    principals = {flat(statement["Principal"]["Federated"]) for statement in trust(found).values()}
    assert principals == {f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}


def test_an_account_of_its_own_has_the_roles_of_its_environment_only(tmp_path: Path) -> None:
    assert set(trust(template(tmp_path, **GITHUB, environments="prod"))) == {
        "solvent-delivery-prod", "solvent-delivery-read"
    }  # fmt: skip


def test_on_bitbucket_only_the_id_of_the_step_is_open(tmp_path: Path) -> None:
    issuer = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
    found = template(tmp_path, **BITBUCKET)
    audience = f"ari:cloud:bitbucket::workspace/{ID.format(1).strip('{}')}"
    (provider,) = of(found, "AWS::IAM::OIDCProvider").values()
    assert provider == {"Url": f"https://{issuer}", "ClientIdList": [audience]}
    conditions = {name: statement["Condition"] for name, statement in trust(found).items()}
    assert {name: c["StringLike"] for name, c in conditions.items()} == {
        "solvent-delivery-dev": {f"{issuer}:sub": f"{ID.format(2)}:{ID.format(3)}:*"},
        "solvent-delivery-prod": {f"{issuer}:sub": f"{ID.format(2)}:{ID.format(4)}:*"},
        "solvent-delivery-read": {f"{issuer}:sub": f"{ID.format(2)}:*"},
    }
    assert all(c["StringEquals"] == {f"{issuer}:aud": audience} for c in conditions.values())


@pytest.mark.parametrize("context", [GITHUB, BITBUCKET], ids=lambda c: c["delivery"])
def test_it_passes_the_same_gates_as_the_platform(context: dict[str, str], tmp_path: Path) -> None:
    from gates.templates import cloudformation as templates
    from gates.templates import nag

    template(tmp_path, **context)
    made = Assembly("dev", tmp_path)
    assert len(made.paths) == 1
    assert nag.raw(made) == [], "there is nothing to acknowledge"
    assert templates.cfn_lint(made).findings == []


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"delivery": "gitlab"}, "-c delivery is github or bitbucket"),
        ({"delivery": "github"}, "-c repository: Field required"),
        ({**GITHUB, "repository": "acme/*"}, "-c repository: String should match"),
        ({**GITHUB, "environments": "dev,stage"}, "no environment 'stage'"),
        ({**GITHUB, "provider": "old"}, "-c provider: String should match"),
        ({**BITBUCKET, "workspace_id": "acme"}, "-c workspace_id: String should match"),
        ({**BITBUCKET, "deployments": ID.format(3)}, "give the id of each of dev, prod"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(context: dict[str, str], said: str, tmp_path: Path) -> None:
    from stacks import synthesis

    with pytest.raises(config.ConfigurationError, match=said.replace("*", r"\*")):
        synthesis.in_process("dev", tmp_path, **context)
    assert not list(tmp_path.glob("*.template.json"))


def test_every_setting_is_in_the_document() -> None:
    from stacks import delivery

    page = (ROOT / "docs" / "delivery.md").read_text()
    settings = {name for kind in delivery.KINDS.values() for name in kind.model_fields}
    assert settings > {"repository", "workspace"}
    assert sorted(name for name in settings if f"`{name}`" not in page) == []
