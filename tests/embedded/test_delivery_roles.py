"""The delivery stack holds in the embedded AWS: which token gets which role, and what a role then may do."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import EmbeddedAws

from solvent import deployment
from solvent.target import Target

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
ISSUER = "https://token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def delivery(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedAws:
    """The embedded AWS with `cdk bootstrap` and the delivery stack, as docs/delivery.md deploys it."""
    folder = tmp_path_factory.mktemp("delivery")
    settings = ["-c", "delivery=github", "-c", "repository=acme/solvent", "-o", str(folder / "assembly")]
    cdk = [sys.executable, "-m", "scripts.cdk", "synth", "--quiet", *settings]
    subprocess.run(cdk, cwd=ROOT, check=True, capture_output=True)
    target = Target.at(aws.url, "dev")
    deployment.bootstrap(target, folder / "assembly", folder / "bootstrap.log")
    deployment.deploy(target, folder / "assembly", folder / "deploy.log")
    return aws


def token(subject: str, audience: str = "sts.amazonaws.com", issuer: str = ISSUER) -> str:
    """A token as GitHub writes it, but unsigned: the embedded AWS reads its claims only."""
    parts = ({"alg": "none"}, {"iss": issuer, "aud": audience, "sub": subject})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "signature"])


def role(aws: EmbeddedAws, name: str) -> str:
    return f"arn:aws:iam::{aws.account}:role/{name}"


@pytest.fixture
def assume(delivery: EmbeddedAws) -> Callable[..., dict[str, str]]:
    """Credentials for a token; raises ClientError where the trust policy does not name its job."""

    def credentials(name: str, subject: str, **claims: str) -> dict[str, str]:
        answer = delivery.client("sts").assume_role_with_web_identity(
            RoleArn=role(delivery, f"solvent-delivery-{name}"),
            RoleSessionName="test",
            WebIdentityToken=token(subject, **claims),
        )
        found: dict[str, str] = answer["Credentials"]
        return found

    return credentials


def denied(call: Callable[..., Any], *arguments: Any, **named: Any) -> bool:
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    return error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


@pytest.mark.parametrize(
    ("name", "subject", "claims"),
    [
        ("prod", "repo:acme/solvent:environment:dev", {}),
        ("dev", "repo:acme/solvent:environment:prod", {}),
        ("dev", "repo:acme/solvent:pull_request", {}),
        ("dev", "repo:acme/solvent:ref:refs/heads/main", {}),
        ("dev", "repo:acme/solvent-fork:environment:dev", {}),
        ("read", "repo:acme/other:pull_request", {}),
        ("dev", "repo:acme/solvent:environment:dev", {"audience": "https://github.com/acme"}),
        ("dev", "repo:acme/solvent:environment:dev", {"issuer": "https://tokens.example.com"}),
    ],
)
def test_a_token_of_another_job_repository_audience_or_issuer_gets_no_role(
    assume: Callable[..., dict[str, str]], name: str, subject: str, claims: dict[str, str]
) -> None:
    assert denied(assume, name, subject, **claims)


def test_a_deployer_gets_the_roles_of_cdk_and_no_other(
    delivery: EmbeddedAws, assume: Callable[..., dict[str, str]]
) -> None:
    credentials = assume("dev", "repo:acme/solvent:environment:dev")
    sts = delivery.client("sts", credentials)
    suffix = f"role-{delivery.account}-{delivery.region}"
    for part in ("deploy", "file-publishing", "lookup"):
        sts.assume_role(RoleArn=role(delivery, f"cdk-hnb659fds-{part}-{suffix}"), RoleSessionName="test")
    for other in (
        f"cdk-hnb659fds-cfn-exec-{suffix}",
        f"cdk-hnb659fds-image-publishing-{suffix}",
        "solvent-delivery-prod",
    ):
        assert denied(sts.assume_role, RoleArn=role(delivery, other), RoleSessionName="test"), other
    assert denied(delivery.client("s3", credentials).list_buckets)


def test_a_pull_request_gets_the_role_that_looks_only(
    delivery: EmbeddedAws, assume: Callable[..., dict[str, str]]
) -> None:
    sts = delivery.client("sts", assume("read", "repo:acme/solvent:pull_request"))
    suffix = f"role-{delivery.account}-{delivery.region}"
    sts.assume_role(RoleArn=role(delivery, f"cdk-hnb659fds-lookup-{suffix}"), RoleSessionName="test")
    for part in ("deploy", "file-publishing"):
        wanted = role(delivery, f"cdk-hnb659fds-{part}-{suffix}")
        assert denied(sts.assume_role, RoleArn=wanted, RoleSessionName="test"), part


def make(aws: EmbeddedAws, folder: Path, name: str, subject: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A make target with nothing but the token of a job, as a pipeline runs it."""
    (folder / "token").write_text(token(subject))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    variables = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_REGION": aws.region,
        "AWS_ROLE_ARN": role(aws, f"solvent-delivery-{name}"),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token"),
        "CI": "true",
    }
    return subprocess.run(
        ["make", "--no-print-directory", "--assume-old=setup", *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_targets_of_the_pipeline_run_with_these_roles(delivery: EmbeddedAws, tmp_path: Path) -> None:
    """`make diff` as a pull request, `make deploy` as the job of the environment; one stack, to be quick."""
    stack = "STACKS=Solvent-dev-Lake"
    shown = make(delivery, tmp_path, "read", "repo:acme/solvent:pull_request", "diff", "ENVIRONMENT=dev", stack)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Stack Solvent-dev-Lake" in shown.stdout
    assert (ROOT / "build" / "diff-dev.txt").read_text().strip() in shown.stdout

    refused = make(delivery, tmp_path, "read", "repo:acme/solvent:pull_request", "deploy", "ENVIRONMENT=dev", stack)
    assert refused.returncode != 0 and "cdk-hnb659fds-deploy-role" in refused.stdout + refused.stderr

    deployed = make(delivery, tmp_path, "dev", "repo:acme/solvent:environment:dev", "deploy", "ENVIRONMENT=dev", stack)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    (found,) = delivery.client("cloudformation").describe_stacks(StackName="Solvent-dev-Lake")["Stacks"]
    assert found["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
