"""The evaluation gate: reads a training job's archive, judges it by `solvent.gates`, publishes its evidence."""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solvent import autopilot, gates, naming, specification
from solvent.champion import live_model
from solvent.logs import log
from solvent.model_folder import MANIFEST

LARGEST_EVALUATION = 1_000_000
LARGEST_DOCUMENT = 5_000_000
EVIDENCE = {"html": "text/html; charset=utf-8", "json": "application/json"}


class UnreadableModel(Exception):
    """A model archive without a readable evaluation; the message says which."""


@dataclass(frozen=True)
class Archive:
    """What is read of a model archive. `manifest` is the SHA-256 of its model.json, None where it has none."""

    evaluation: dict[str, Any]
    documents: dict[str, bytes]
    manifest: str | None


_DOCUMENT = re.compile(r"evidence/[a-z_]+[.](html|json)")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""


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
        judged = self._read(model_artifact)
        evaluation = judged.evaluation
        if judged.manifest is None:
            raise UnreadableModel(f"{model_artifact} holds no {MANIFEST}: nothing could be served. Train again.")
        champion = champion or live_model(self._sagemaker, run["endpoint"])
        rival = self._read(self._model_data(champion)).evaluation if champion else None
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
        key = naming.report_key(run["portfolio"], run["run_id"], "gate")
        self._put(key, json.dumps(report, indent=1, sort_keys=True).encode(), EVIDENCE["json"])
        for name, body in judged.documents.items():
            self._put(naming.evidence_key(run["portfolio"], run["run_id"], name), body, EVIDENCE[name.split(".")[-1]])
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

    def _read(self, uri: str) -> Archive:
        """An archive's evaluation, with the archive's size, and the documents of its folder `evidence`."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        evaluation, documents, manifest = None, {}, None
        try:
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    if name == "evaluation.json" and member.size <= LARGEST_EVALUATION:
                        evaluation = json.loads(_content(archive, member))
                    elif name == MANIFEST and member.size <= LARGEST_DOCUMENT:
                        manifest = hashlib.sha256(_content(archive, member)).hexdigest()
                    elif _DOCUMENT.fullmatch(name) and member.size <= LARGEST_DOCUMENT:
                        documents[name.removeprefix("evidence/")] = _content(archive, member)
        except (tarfile.TarError, ValueError, EOFError, OSError) as error:
            raise UnreadableModel(f"{uri} is no model archive of this platform: {error}. Train again.") from error
        if not isinstance(evaluation, dict) or not {"auc", "rows"} <= set(evaluation):
            raise UnreadableModel(f"{uri} holds no evaluation.json with auc and rows. Train again with this release.")
        return Archive({**evaluation, "artifact_bytes": len(body)}, documents, manifest)

    def _model_data(self, model: str) -> str:
        return str(self._sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"])
