"""What Autopilot may learn from, and that its candidate is judged by our thresholds and can change nothing."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from examples import GOOD, RUN
from solvent import autopilot, naming, specification

LENDING = specification.load("lending")
BEST = {
    "CandidateName": "solvent-dev-auto-1-003",
    "FinalAutoMLJobObjectiveMetric": {"MetricName": "validation:auc", "StandardMetricName": "AUC", "Value": 0.81},
    "CandidateProperties": {
        "CandidateMetrics": [
            {"MetricName": "LogLoss", "StandardMetricName": "LogLoss", "Set": "Train", "Value": 0.01},
            {"MetricName": "LogLoss", "StandardMetricName": "LogLoss", "Set": "Validation", "Value": 0.3},
        ]
    },
}
JOB = {"AutoMLJobStatus": "Completed", "BestCandidate": BEST}


def judged(job: dict[str, Any] = JOB, champion: Any = None, **best: Any) -> dict[str, Any]:
    if best:
        job = {**job, "BestCandidate": {**BEST, **best}}
    return autopilot.verdict(LENDING, GOOD, champion, job)


def scored(auc: float, **more: Any) -> dict[str, Any]:
    return {"FinalAutoMLJobObjectiveMetric": {"Value": auc}, **more}


@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_it_learns_from_the_features_alone(portfolio: str) -> None:
    spec = specification.load(portfolio)
    left_out = spec.features[0].name
    names = autopilot.features(spec, [left_out])["FeatureAttributeNames"]
    assert names == [feature.name for feature in spec.features[1:]]
    assert not {spec.entity, spec.group, spec.label.column, *spec.protected} & set(names)


def test_features_have_the_kinds_that_autopilot_knows() -> None:
    document = autopilot.features(LENDING, [])
    assert set(document["FeatureDataTypes"]) == set(document["FeatureAttributeNames"])
    assert set(document["FeatureDataTypes"].values()) == {"numeric", "categorical"}


def test_a_job_is_prepared_under_a_name_of_its_own_which_aws_takes() -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-west-1")
        s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        run = {**RUN, "job_name": "solvent-dev-lending-0123456789abcdef-1", "excluded_features": '["annual_income"]'}
        job = autopilot.prepare(s3, run=run, bucket="artifacts", prefix="solvent-dev")
        key = job["features"].removeprefix("s3://artifacts/")
        written = json.loads(s3.get_object(Bucket="artifacts", Key=key)["Body"].read())
        assert "annual_income" not in written["FeatureAttributeNames"]
        again = autopilot.prepare(s3, run={**run, "job_name": "another-2"}, bucket="artifacts", prefix="solvent-dev")
    assert job["target"] == LENDING.label.column
    assert job["job_name"] != again["job_name"]
    longest = naming.Names("environmen").prefix
    assert len(naming.automl_job(longest, "job")) <= 32
    assert not any(
        naming.Names("dev").endpoint(p).startswith(naming.automl_prefix("solvent-dev")) for p in naming.PORTFOLIOS
    )


def test_a_good_candidate_stands_beside_ours_and_is_never_champion() -> None:
    verdict = judged()
    assert verdict["figures"] == {"auc": 0.81, "log_loss": 0.3}
    assert verdict["failures"] == []
    assert verdict["champion"] == autopilot.NEVER
    assert "0.8100 on its own validation split" in verdict["text"]
    assert f"{GOOD['auc']:.4f} ours out of fold" in verdict["text"]
    assert "calibration" in verdict["not_measured"]


def test_its_figures_are_held_against_the_same_thresholds() -> None:
    champion = {**GOOD, "auc": 0.9}
    [low] = judged(**scored(0.5))["failures"]
    assert low.startswith("minimum_auc: 0.5000 is")
    [worse] = judged(champion=champion)["failures"]
    assert worse.startswith("maximum_auc_loss_to_champion: 0.8100 is 0.0900 below")
    assert judged(champion={**champion, "label_sources": ["another"]})["failures"] == []
    loud = {"CandidateMetrics": [{"StandardMetricName": "LogLoss", "Set": "Validation", "Value": 9.0}]}
    [baseline] = judged(CandidateProperties=loud)["failures"]
    assert baseline.startswith("baseline: log_loss 9.0000")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"AutoMLJobStatus": "Failed", "FailureReason": "no rows"}, "failed: no rows"),
        ({"AutoMLJobStatus": "Failed", "FailureReason": '{"errorMessage": "not emulated"}'}, "failed: not emulated"),
        ({"AutoMLJobStatus": "Completed"}, "failed: it ended as Completed without a candidate"),
        ({"AutoMLJobStatus": "Stopped", "BestCandidate": BEST}, "failed: it ended as Stopped without a candidate"),
    ],
)
def test_a_job_without_a_candidate_says_why(job: dict[str, Any], said: str) -> None:
    assert judged(job) == {"text": said}
