import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from fakes import NAMES, Executions, SageMaker, bucket, load_handler

from solvent import delivery, naming
from solvent.naming import tuning_job


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    (tmp_path / "customer_profile.csv").write_text("customer_id\nC000001\n")
    (tmp_path / "delivery.json").write_text(json.dumps({"as_of": "2026-06-30", "dataset": "test"}))
    found = delivery.build(tmp_path)
    key = naming.manifest_key("lending", found.delivery_id)
    boto3.client("s3").put_object(Bucket=bucket("landing"), Key=key, Body=found.to_bytes())
    return f"s3://{bucket('landing')}/{key}"


def invoke(event: dict[str, Any], sagemaker: SageMaker | None = None) -> Any:
    function = load_handler("run_control")
    function.control._states = Executions(a="RUNNING")
    function.control._sagemaker = function.approval._sagemaker = function.rollout._sagemaker = sagemaker or SageMaker()
    # As Lambda does: in and out through JSON.
    return json.loads(json.dumps(function.handler(json.loads(json.dumps(event)), None)))


def test_a_run_from_begin_to_complete(manifest: str) -> None:
    begin = {"action": "begin", "phase": "ingest", "execution": "a", "input": {"manifest": manifest, "run": {}}}
    run = invoke(begin)
    assert run["completed"] is False
    done = invoke(
        {"action": "complete", "phase": "ingest", "execution": "a", "run": run, "result": {"statement_id": "1"}}
    )
    assert done == {"run_id": run["run_id"], "phase": "ingest", "portfolio": "lending", "report": run["report"]}
    assert invoke(begin)["completed"] is True


def ingested(manifest: str) -> None:
    begin = {"action": "begin", "phase": "ingest", "execution": "a", "input": {"manifest": manifest}}
    invoke({"action": "complete", "run": invoke(begin)})


def test_the_champion_is_the_model_behind_the_endpoint(manifest: str) -> None:
    ingested(manifest)
    sagemaker = SageMaker()
    sagemaker.go_live(NAMES.endpoint("lending"), "model-1")
    begin = {"action": "begin", "phase": "score", "execution": "a", "input": {"portfolio": "lending"}}
    assert invoke(begin, sagemaker)["champion"] == "model-1"


def test_a_run_pauses_and_resumes(manifest: str) -> None:
    ingested(manifest)
    begin = {"action": "begin", "phase": "train", "execution": "a", "input": {"portfolio": "lending"}}
    run = invoke(begin)
    assert invoke({"action": "pause", "run": run, "package": "arn:package/2"}) == {"released": True}
    sagemaker = SageMaker()
    sagemaker.go_live(run["endpoint"], "model-1", version="1")
    assert invoke({"action": "resume", "run": run, "version": 2}, sagemaker) == {"live_version": 1}


def test_a_failure_without_a_run_still_gets_its_words() -> None:
    answer = invoke(
        {"action": "fail", "phase": "ingest", "execution": "a", "run": {}, "error": {"Error": "E", "Cause": "c"}}
    )
    assert answer == {"error": "E", "cause": "state an unknown state failed: c"}


def test_the_exceptions_have_the_class_names_that_the_state_machines_retry() -> None:
    for action, name in (("begin", "DeliveryError"), ("dance", "InvalidRun")):
        with pytest.raises(Exception, match=".") as raised:
            invoke({"action": action, "phase": "ingest", "execution": "a", "input": {"manifest": "s3://x/y"}})
        assert type(raised.value).__name__ == name


def test_a_variable_that_the_stack_forgot_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODE_VERSION")
    with pytest.raises(KeyError, match="CODE_VERSION"):
        load_handler("run_control")


def test_a_challenger_is_trained_beside_the_champion_with_the_rest_of_the_weight(manifest: str) -> None:
    ingested(manifest)
    sagemaker = SageMaker()
    sagemaker.go_live(NAMES.endpoint("lending"), "model-1")
    asked = {"portfolio": "lending", "challenger_weight": 0.1}
    run = invoke({"action": "begin", "phase": "train", "execution": "a", "input": asked}, sagemaker)
    assert (run["challenger_weight"], run["champion"]) == (0.1, "model-1")
    assert invoke({"action": "champion", "run": run}, sagemaker) == {"model": "model-1", "weight": 0.9}
    champion = invoke({"action": "begin", "phase": "train", "execution": "a", "input": {"portfolio": "lending"}})
    assert champion["challenger_weight"] == 0
    assert run["report"] != champion["report"]  # what became of a challenger says nothing of the champion's run
    assert champion["job_name"] != run["job_name"]  # one run may have both


@pytest.mark.parametrize(
    ("phase", "weight"), [("train", 0), ("train", 1), ("train", True), ("train", "x"), ("score", 0.1)]
)
def test_a_weight_that_is_no_share_of_a_challenger_is_refused(manifest: str, phase: str, weight: Any) -> None:
    ingested(manifest)
    asked = {"portfolio": "lending", "challenger_weight": weight}
    with pytest.raises(Exception, match=r"challenger_weight is an input of `train`.*Nothing ran"):
        invoke({"action": "begin", "phase": phase, "execution": "a", "input": asked})


def test_old_configurations_are_tidied_and_named(manifest: str) -> None:
    sagemaker, endpoint = SageMaker(), NAMES.endpoint("lending")
    for run in ("a", "b", "c"):
        sagemaker.go_live(endpoint, f"{endpoint}-{run}")
    done = invoke({"action": "tidy", "run": {"portfolio": "lending"}, "keep": 2}, sagemaker)
    assert done == {"text": f"the newest 2; deleted: {endpoint}-a"}


def test_a_tuning_job_is_named_after_the_training_job(manifest: str) -> None:
    ingested(manifest)
    run = invoke({"action": "begin", "phase": "train", "execution": "a", "input": {"portfolio": "lending"}})
    assert invoke({"action": "tuning", "run": run}) == {"job_name": tuning_job("solvent-dev", run["job_name"])}


def test_an_autopilot_job_is_prepared_with_its_features_in_the_artifacts_zone(manifest: str) -> None:
    ingested(manifest)
    run = invoke({"action": "begin", "phase": "train", "execution": "a", "input": {"portfolio": "lending"}})
    job = invoke({"action": "autopilot", "run": run})
    zone, _, key = job["features"].removeprefix("s3://").partition("/")
    assert (zone, job["target"]) == (bucket("artifacts"), "defaulted")
    assert job["job_name"].startswith("solvent-dev-auto-")
    features = json.loads(boto3.client("s3").get_object(Bucket=zone, Key=key)["Body"].read())
    assert features["FeatureAttributeNames"]
