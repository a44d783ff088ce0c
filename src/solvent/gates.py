"""The evaluation gate: what a model must show before anything is registered, by the specification's figures."""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from solvent import naming, specification
from solvent.champion import live_model
from solvent.logs import log
from solvent.specification import Specification

METRICS = ("auc", "gini", "ks", "brier", "accuracy", "majority_accuracy", "bad_rate", "rows")
LARGEST_EVALUATION = 1_000_000


class UnreadableModel(Exception):
    """A model archive without a readable evaluation; the message says which."""


def failures(spec: Specification, evaluation: Mapping[str, Any], champion: Mapping[str, Any] | None) -> list[str]:
    """Every gate that does not hold, with by how much; empty when the model may be registered.

    The champion is compared by its own out-of-fold figure, and only when both learned the same kind of label: an AUC on
    a public data set says nothing about one on a lender's own loans.
    """
    found = []
    auc, rows, gates = float(evaluation["auc"]), int(evaluation["rows"]), spec.gates
    if rows < gates.minimum_rows:
        found.append(f"minimum_rows: trained on {rows} labelled loans, {gates.minimum_rows} are required")
    if not auc >= gates.minimum_auc:
        found.append(
            f"minimum_auc: out-of-fold AUC {auc:.4f} is {gates.minimum_auc - auc:.4f} below {gates.minimum_auc}"
        )
    if champion and champion.get("label_sources") == evaluation.get("label_sources"):
        loss = float(champion["auc"]) - auc
        if loss > gates.maximum_auc_loss_to_champion:
            found.append(
                f"maximum_auc_loss_to_champion: out-of-fold AUC {auc:.4f} is {loss:.4f} below the champion's "
                f"{float(champion['auc']):.4f}, {gates.maximum_auc_loss_to_champion} is allowed"
            )
    return found


def _text(figure: float) -> str:
    return str(figure) if isinstance(figure, int) else f"{figure:.6g}"


class ModelGate:
    """Judges a training job's model archive. `s3` and `sagemaker` are boto3 clients."""

    def __init__(self, *, s3: Any, sagemaker: Any, artifacts_bucket: str) -> None:
        self._s3, self._sagemaker, self._bucket = s3, sagemaker, artifacts_bucket

    def judge(self, *, run: Mapping[str, Any], model_artifact: str, champion: str | None = None) -> dict[str, Any]:
        """{"passed", "failures", "metrics": {name: text}, "report"}; the report is in the artifacts zone.

        `champion` is a model's name; without one the model behind the portfolio's endpoint is looked up. Raises
        UnreadableModel.
        """
        spec = specification.load(run["portfolio"])
        evaluation = self._evaluation(model_artifact)
        champion = champion or live_model(self._sagemaker, run["endpoint"])
        rival = self._evaluation(self._model_data(champion)) if champion else None
        failed = failures(spec, evaluation, rival)
        if evaluation.get("run_id") != run["run_id"]:
            failed.append(
                f"provenance: the model was trained on run {evaluation.get('run_id')}, not on {run['run_id']}"
            )
        report = {
            "passed": not failed,
            "failures": failed,
            "champion": champion,
            "champion_evaluation": rival,
            "evaluation": evaluation,
            "model_artifact": model_artifact,
            "run_id": run["run_id"],
        }
        key = naming.report_key(run["portfolio"], run["run_id"], "gate")
        body = json.dumps(report, indent=1, sort_keys=True).encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        log("model_judged", run_id=run["run_id"], passed=not failed, failures=failed)
        return {
            "passed": not failed,
            "failures": failed,
            "metrics": {name: _text(evaluation[name]) for name in METRICS},
            "report": f"s3://{self._bucket}/{key}",
        }

    def _evaluation(self, uri: str) -> dict[str, Any]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
                for member in archive:
                    if member.name.removeprefix("./") == "evaluation.json" and member.size <= LARGEST_EVALUATION:
                        file = archive.extractfile(member)
                        found = json.loads(file.read()) if file else None
                        if isinstance(found, dict) and {"auc", "rows"} <= set(found):
                            return found
        except (tarfile.TarError, ValueError, EOFError, OSError) as error:
            raise UnreadableModel(f"{uri} is no model archive of this platform: {error}. Train again.") from error
        raise UnreadableModel(f"{uri} holds no evaluation.json with auc and rows. Train again with this release.")

    def _model_data(self, model: str) -> str:
        return str(self._sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"])
