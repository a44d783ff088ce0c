"""The log of experiments: MLflow's own client and file store, S3 by moto."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from mlflow import MlflowClient
from moto import mock_aws

from solvent.experiments import ExperimentLog
from solvent.model_archive import UnreadableModel

BUCKET = "artifacts"
RUN = {"portfolio": "lending", "run_id": "0123456789abcdef", "job_name": "solvent-dev-lending-0123456789abcdef-1"}
EVALUATION = {
    "auc": 0.71,
    "rows": 600,
    "decision": {"cost": 0.5},
    "fold_auc": [0.7, 0.72],
    "features": ["amount", "term months"],
    "protocol": "StratifiedGroupKFold",
}
PASSED = {"passed": True, "failures": []}


def archive(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, text in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


@pytest.fixture
def tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return MlflowClient(tracking_uri=(tmp_path / "mlflow").as_uri())


@pytest.fixture
def experiments(s3: Any, tracking: MlflowClient) -> ExperimentLog:
    model = {"evaluation.json": json.dumps(EVALUATION), "evidence/card.html": "<p>", "scorecard.json": "{}"}
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive(model))
    return ExperimentLog(s3=s3, tracking=tracking, prefix="solvent-dev")


def record(experiments: ExperimentLog, gate: dict[str, Any] = PASSED, key: str = "model.tar.gz") -> dict[str, str]:
    return experiments.record(run=RUN, model_artifact=f"s3://{BUCKET}/{key}", gate=gate)


def test_figures_parameters_and_evidence_of_a_job_are_logged(
    experiments: ExperimentLog, tracking: MlflowClient
) -> None:
    said = record(experiments)
    found = tracking.get_run(said["run"])
    assert said["experiment"] == "solvent-dev-lending" and found.info.status == "FINISHED"
    assert found.data.metrics == {"auc": 0.71, "rows": 600.0, "decision.cost": 0.5}
    assert found.data.params == {"protocol": "StratifiedGroupKFold", "features": "amount, term months"}
    assert found.data.tags["solvent.job"] == RUN["job_name"] and found.data.tags["solvent.gate"] == "passed"
    assert [a.path for a in tracking.list_artifacts(said["run"])] == ["evaluation.json", "evidence"]
    assert [a.path for a in tracking.list_artifacts(said["run"], "evidence")] == ["evidence/card.html"]


def test_a_refused_model_is_logged_with_what_refused_it(experiments: ExperimentLog, tracking: MlflowClient) -> None:
    said = record(experiments, {"passed": False, "failures": ["minimum_auc: 0.5"]})
    tags = tracking.get_run(said["run"]).data.tags
    assert tags["solvent.gate"] == "refused" and tags["solvent.gate.failure.1"] == "minimum_auc: 0.5"


def test_a_job_that_is_logged_again_stays_one_run(experiments: ExperimentLog, tracking: MlflowClient) -> None:
    first, second = record(experiments), record(experiments)
    assert first == second
    experiment = tracking.get_experiment_by_name("solvent-dev-lending")
    assert len(tracking.search_runs([experiment.experiment_id])) == 1


@pytest.mark.parametrize("body", [b"no archive", archive({"scorecard.json": "{}"})])
def test_what_is_no_model_archive_is_refused_by_name(experiments: ExperimentLog, s3: Any, body: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key="other.tar.gz", Body=body)
    with pytest.raises(UnreadableModel, match="other.tar.gz"):
        record(experiments, key="other.tar.gz")


def test_a_member_outside_of_the_folder_is_not_written(
    experiments: ExperimentLog, tracking: MlflowClient, s3: Any, tmp_path: Path
) -> None:
    hostile = archive({"evaluation.json": json.dumps(EVALUATION), "evidence/../../../escaped": "x"})
    s3.put_object(Bucket=BUCKET, Key="hostile.tar.gz", Body=hostile)
    said = record(experiments, key="hostile.tar.gz")
    assert [a.path for a in tracking.list_artifacts(said["run"])] == ["evaluation.json"]
    assert not list(tmp_path.rglob("escaped"))


def test_autopilots_candidate_is_logged_beside_ours(experiments: ExperimentLog, tracking: MlflowClient) -> None:
    challenger = {"text": "AUC 0.8 on its own validation split", "figures": {"auc": 0.8}}
    found = tracking.get_run(record(experiments, {**PASSED, "autopilot": challenger})["run"])
    assert (found.data.metrics["auc"], found.data.metrics["autopilot.auc"]) == (0.71, 0.8)
    assert found.data.tags["solvent.autopilot"] == challenger["text"]
