import hashlib
import json
from typing import Any

import boto3
import pytest
from fakes import SageMaker
from moto import mock_aws

from examples import GOOD, MANIFEST, RUN, archive, packed
from solvent.model_archive import UnreadableModel
from solvent.model_gate import ModelGate


class TestModelGate:
    @pytest.fixture
    def s3(self) -> Any:
        with mock_aws():
            client = boto3.client("s3", region_name="eu-west-1")
            client.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            client.put_object(Bucket="artifacts", Key="new.tar.gz", Body=archive(GOOD))
            yield client

    def judge(self, s3: Any, sagemaker: SageMaker | None = None, **more: Any) -> dict[str, Any]:
        gate = ModelGate(s3=s3, sagemaker=sagemaker or SageMaker(), artifacts_bucket="artifacts")
        return gate.judge(**{"run": RUN, "model_artifact": "s3://artifacts/new.tar.gz", **more})

    def with_champion(self, s3: Any, evaluation: Any) -> SageMaker:
        s3.put_object(Bucket="artifacts", Key="old.tar.gz", Body=archive(evaluation, "evaluation.json"))
        sagemaker = SageMaker()
        sagemaker.models["one"] = "s3://artifacts/old.tar.gz"
        sagemaker.go_live("solvent-dev-lending", "one")
        return sagemaker

    def test_a_first_model_passes_and_its_figures_become_text(self, s3: Any) -> None:
        verdict = self.judge(s3)
        assert verdict["passed"] is True
        assert verdict["metrics"]["auc"] == "0.78"
        assert verdict["metrics"]["rows"] == "1000"
        assert all(isinstance(value, str) for value in verdict["metrics"].values())
        key = verdict["report"].removeprefix("s3://artifacts/")
        assert key == f"runs/lending/0123456789abcdef/{RUN['job_name']}/gate.json"
        assert json.loads(s3.get_object(Bucket="artifacts", Key=key)["Body"].read())["passed"] is True

    def test_autopilots_candidate_is_in_the_report_and_changes_no_verdict(self, s3: Any) -> None:
        job = {"AutoMLJobStatus": "Completed", "BestCandidate": {"FinalAutoMLJobObjectiveMetric": {"Value": 0.1}}}
        verdict = self.judge(s3, automl_job=job)
        assert verdict["passed"] is True
        assert verdict["failures"] == []
        key = verdict["report"].removeprefix("s3://artifacts/")
        report = json.loads(s3.get_object(Bucket="artifacts", Key=key)["Body"].read())
        assert report["autopilot"] == verdict["autopilot"]
        assert verdict["autopilot"]["failures"][0].startswith("minimum_auc")
        assert "autopilot" not in self.judge(s3)

    def test_the_documents_of_the_archive_are_laid_beside_the_report_and_nothing_else_is(self, s3: Any) -> None:
        held = dict.fromkeys(
            (
                "evidence/a/../x.html",
                "evidence/run.sh",
                "other/x.html",
                "../evidence/y.html",
                "evidence/model_card.json",
            ),
            b"{}",
        )
        held.update(
            {"model.json": MANIFEST, "./evaluation.json": json.dumps(GOOD).encode(), "evidence/fairness.html": b"<p>"}
        )
        s3.put_object(Bucket="artifacts", Key="new.tar.gz", Body=packed(held))
        self.judge(s3)
        prefix = f"runs/lending/0123456789abcdef/{RUN['job_name']}/evidence/"
        found = s3.list_objects_v2(Bucket="artifacts", Prefix="runs/")["Contents"]
        assert {o["Key"] for o in found} - {f"runs/lending/0123456789abcdef/{RUN['job_name']}/gate.json"} == {
            f"{prefix}fairness.html",
            f"{prefix}model_card.json",
        }
        page = s3.get_object(Bucket="artifacts", Key=f"{prefix}fairness.html")
        assert page["Body"].read() == b"<p>"
        assert page["ContentType"] == "text/html; charset=utf-8"

    def test_what_a_person_must_look_at_is_in_the_metrics_of_the_registry(self, s3: Any) -> None:
        assert self.judge(s3)["metrics"]["review"] == "none"
        unequal = {**GOOD["fairness"], "sex": {**GOOD["fairness"]["sex"], "ratio": 0.7}}
        s3.put_object(Bucket="artifacts", Key="new.tar.gz", Body=archive({**GOOD, "fairness": unequal}))
        verdict = self.judge(s3)
        assert verdict["passed"] is True
        assert verdict["metrics"]["review"] == "fairness"

    def test_the_registry_pins_the_file_that_names_all_others(self, s3: Any) -> None:
        assert self.judge(s3)["metrics"]["model_sha256"] == hashlib.sha256(MANIFEST).hexdigest()
        s3.put_object(Bucket="artifacts", Key="new.tar.gz", Body=packed({"evaluation.json": json.dumps(GOOD).encode()}))
        with pytest.raises(UnreadableModel, match=r"new\.tar\.gz holds no model\.json"):
            self.judge(s3)

    def test_the_archive_itself_is_weighed(self, s3: Any) -> None:
        report = self.judge(s3)["report"].removeprefix("s3://artifacts/")
        judged = json.loads(s3.get_object(Bucket="artifacts", Key=report)["Body"].read())
        assert judged["evaluation"]["artifact_bytes"] == len(archive(GOOD))

    def test_rows_stay_whole_however_many_they_are(self, s3: Any) -> None:
        s3.put_object(Bucket="artifacts", Key="new.tar.gz", Body=archive({**GOOD, "rows": 20_900_001}))
        assert self.judge(s3)["metrics"]["rows"] == "20900001"

    def test_the_live_model_is_the_champion_to_beat(self, s3: Any) -> None:
        verdict = self.judge(s3, self.with_champion(s3, {**GOOD, "auc": 0.9}))
        assert verdict["passed"] is False
        assert verdict["failures"][0].startswith("maximum_auc_loss_to_champion")

    def test_a_champion_may_be_named(self, s3: Any) -> None:
        sagemaker = self.with_champion(s3, {**GOOD, "auc": 0.9})
        sagemaker.endpoints.clear()
        assert self.judge(s3, sagemaker, champion="one")["passed"] is False

    def test_a_model_of_another_run_is_refused(self, s3: Any) -> None:
        s3.put_object(Bucket="artifacts", Key="new.tar.gz", Body=archive({**GOOD, "run_id": "f" * 16}))
        assert self.judge(s3)["failures"][0].startswith("provenance")

    # An archive's bytes hold the time: names of tests must not, or two processes would not agree on them.
    @pytest.mark.parametrize(
        "body",
        [b"", b"no archive", archive(GOOD)[:60], archive(b"{"), archive([1]), archive({}, "x")],
        ids=["empty", "no archive", "cut", "no JSON", "a list", "another file"],
    )
    def test_an_archive_without_evaluation_is_an_error_not_a_pass(self, s3: Any, body: bytes) -> None:
        s3.put_object(Bucket="artifacts", Key="new.tar.gz", Body=body)
        with pytest.raises(UnreadableModel, match="s3://artifacts/new.tar.gz"):
            self.judge(s3)
