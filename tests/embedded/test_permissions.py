"""A sample of what `make check-iam` does for every role: without one action, what needs it fails."""

import os
from pathlib import Path

import pytest
from conftest import EmbeddedAws

from embedded_aws import decisions
from scripts.iam import scenarios
from scripts.iam.check import Check, Decisions
from scripts.iam.roles import Permission
from scripts.iam.scenarios import Scenario
from scripts.iam.trial import Trial
from solvent import datasets
from solvent.client import Platform

pytestmark = pytest.mark.embedded

SAMPLE: list[tuple[str, str, Scenario]] = [
    ("analyst", "redshift-data:GetStatementResult", scenarios.person("analyst")),
    ("api", "sagemaker:InvokeEndpoint", scenarios.api),
    ("delivery-arrived", "states:StartExecution", scenarios.delivery_arrived),
    ("etl", "s3:PutObject", scenarios.ingest),
    ("migrate", "secretsmanager:GetSecretValue", scenarios.migrate),
    ("model-gate", "logs:PutLogEvents", scenarios.function("model-gate")),
    ("run-control", "states:GetExecutionHistory", scenarios.failure),
    ("stream-ingest", "kinesis:ListShards", scenarios.stream),
    ("train", "events:PutRule", scenarios.machines),
    ("warehouse-copy", "kms:Decrypt", scenarios.ingest),
]


@pytest.fixture(scope="module")
def check(aws: EmbeddedAws, platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Check:
    delivery = tmp_path_factory.mktemp("delivery")
    datasets.write("synthetic", delivery, size=400, seed=2)
    trial = Trial(platform, delivery)
    trial.reset()
    trial.begin()
    return Check(trial, Decisions(Path(os.environ[decisions.FILE])))


@pytest.mark.parametrize(("role", "action", "scenario"), SAMPLE, ids=[f"{role} {action}" for role, action, _ in SAMPLE])
def test_what_needs_an_action_fails_without_it(check: Check, role: str, action: str, scenario: Scenario) -> None:
    permission = Permission(check.trial.platform.names.named(role), action)
    if scenario not in {known.scenario for known in check.known}:
        check.learn([scenario])
    assert scenario in {known.scenario for known in check.using(permission)}, "it passes, and asks for this one"
    assert check.broken(scenario, permission)


def test_what_was_taken_away_is_back(check: Check) -> None:
    check.learn({scenario: None for _, _, scenario in SAMPLE})
