"""The evaluation gate: reads a training job's archive, judges it by `solvent.gates`, publishes its evidence."""

import json
from collections.abc import Mapping
from typing import Any

from solvent import autopilot, gates, model_archive, naming, specification
from solvent.champion import live_model
from solvent.logs import log
from solvent.model_archive import UnreadableModel
from solvent.model_folder import MANIFEST

EVIDENCE = {"html": "text/html; charset=utf-8", "json": "application/json"}


def _text(figure: float) -> str:
    return str(figure) if isinstance(figure, int) else f"{figure:.6g}"


class ModelGate:
    """Judges a training job's model archive. `s3` and `sagemaker` are boto3 clients."""

    def __init__(self, *, s3: Any, sagemaker: Any, artifacts_bucket: str) -> None:
        self._s3, self._sagemaker, self._bucket = s3, sagemaker, artifacts_bucket

    def judge(
        self,
        *,
        run: Mapping[str, Any],
        model_artifact: str,
        champion: str | None = None,
        automl_job: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """{"passed", "failures", "metrics": {name: text}, "report"}; report and evidence are in the artifacts zone.

        Among the metrics, `review` names what a person must look at before approving, else it is `none`, and
        `model_sha256` is what the served model.json must hash to. `champion` is a model's name; without one the model
        behind the portfolio's endpoint is looked up. `automl_job`, DescribeAutoMLJobV2's answer, adds "autopilot": what
        the gates say of that job's candidate, which changes nothing about the model. Raises UnreadableModel.
        """
        spec = specification.load(run["portfolio"])
        judged = model_archive.read(self._s3, model_artifact)
        evaluation = {**judged.evaluation, "artifact_bytes": judged.size}
        if judged.manifest is None:
            raise UnreadableModel(f"{model_artifact} holds no {MANIFEST}: nothing could be served. Train again.")
        champion = champion or live_model(self._sagemaker, run["endpoint"])
        rival = model_archive.read(self._s3, self._model_data(champion)).evaluation if champion else None
        failed, review = gates.failures(spec, evaluation, rival), gates.reviews(spec, evaluation)
        if evaluation.get("run_id") != run["run_id"]:
            failed.append(
                f"provenance: the model was trained on run {evaluation.get('run_id')}, not on {run['run_id']}"
            )
        report = {
            "passed": not failed,
            "failures": failed,
            "reviews": review,
            "champion": champion,
            "champion_evaluation": rival,
            "evaluation": evaluation,
            "model_artifact": model_artifact,
            "run_id": run["run_id"],
        }
        beside = {}
        if automl_job is not None:
            beside = {"autopilot": autopilot.verdict(spec, evaluation, rival, automl_job)}
        report |= beside
        of_it = run["portfolio"], run["run_id"], run["job_name"]
        key = naming.model_report_key(*of_it, "gate.json")
        self._put(key, json.dumps(report, indent=1, sort_keys=True).encode(), EVIDENCE["json"])
        for name, body in judged.documents.items():
            self._put(naming.model_report_key(*of_it, f"evidence/{name}"), body, EVIDENCE[name.split(".")[-1]])
        log("model_judged", run_id=run["run_id"], passed=not failed, failures=failed, reviews=review)
        named = sorted({name.partition(":")[0] for name in review})
        return {
            "passed": not failed,
            "failures": failed,
            "metrics": {
                **{name: _text(evaluation[name]) for name in gates.METRICS},
                "review": " ".join(named) or "none",
                "model_sha256": judged.manifest,
            },
            "report": f"s3://{self._bucket}/{key}",
            **beside,
        }

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def _model_data(self, model: str) -> str:
        return str(self._sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"])
