"""A training job's parameters, figures, curves and evidence, logged as a run of MLflow after the job.

The job itself has no network. What is logged is what the job wrote into its model archive, and the gate's verdict;
nothing is computed here. MLflow is SageMaker's managed app in an account, a local file store on a laptop.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from solvent import model_archive
from solvent.logs import log

_LONGEST_PARAMETER = 500  # MLflow keeps 6,000 characters; a person reads less


class Tracking(Protocol):
    """The part of `mlflow.MlflowClient` that is called."""

    def get_experiment_by_name(self, name: str) -> Any: ...
    def create_experiment(self, name: str) -> str: ...
    def search_runs(self, experiment_ids: list[str], filter_string: str) -> Any: ...
    def create_run(self, experiment_id: str, *, tags: dict[str, str], run_name: str) -> Any: ...
    def log_param(self, run_id: str, key: str, value: Any) -> Any: ...
    def log_metric(self, run_id: str, key: str, value: float) -> Any: ...
    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None: ...
    def set_tag(self, run_id: str, key: str, value: Any) -> None: ...
    def set_terminated(self, run_id: str, status: str | None = None) -> None: ...


class ExperimentLog:
    """Logs training jobs. `s3` is a boto3 client; experiments are named `<prefix>-<portfolio>`."""

    def __init__(self, *, s3: Any, tracking: Tracking, prefix: str) -> None:
        self._s3, self._tracking, self._prefix = s3, tracking, prefix

    def record(self, *, run: Mapping[str, Any], model_artifact: str, gate: Mapping[str, Any]) -> dict[str, str]:
        """Log one job; a second time changes nothing. Returns {"experiment", "run"}: a name and MLflow's id.

        Raises UnreadableModel, and whatever MLflow raises.
        """
        name = f"{self._prefix}-{run['portfolio']}"
        known = self._tracking.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self._tracking.create_experiment(name)
        job = str(run["job_name"])
        found = list(self._tracking.search_runs([experiment], f"tags.`solvent.job` = '{job}'"))
        if found and found[0].info.status == "FINISHED":
            return {"experiment": name, "run": found[0].info.run_id}
        archive = model_archive.read(self._s3, model_artifact)
        started = found[0] if found else self._tracking.create_run(
            experiment, tags={"solvent.job": job, "solvent.run_id": str(run["run_id"])}, run_name=job
        )  # fmt: skip
        identity = str(started.info.run_id)
        for key, value in parameters(archive.evaluation):
            self._tracking.log_param(identity, key, value)
        for key, figure in metrics(archive.evaluation):
            self._tracking.log_metric(identity, key, figure)
        self._log_file(identity, model_archive.EVALUATION, json.dumps(archive.evaluation, indent=1).encode())
        for document, body in archive.documents.items():
            self._log_file(identity, document, body, folder="evidence")
        self._tracking.set_tag(identity, "solvent.gate", "passed" if gate["passed"] else "refused")
        for number, failure in enumerate(gate["failures"], 1):
            self._tracking.set_tag(identity, f"solvent.gate.failure.{number}", str(failure)[:_LONGEST_PARAMETER])
        if challenger := gate.get("autopilot"):
            for key, figure in metrics({"autopilot": challenger.get("figures", {})}):
                self._tracking.log_metric(identity, key, figure)
            self._tracking.set_tag(identity, "solvent.autopilot", challenger["text"][:_LONGEST_PARAMETER])
        self._tracking.set_terminated(identity, "FINISHED")
        log("experiment_logged", run_id=run["run_id"], experiment=name, mlflow_run=identity)
        return {"experiment": name, "run": identity}

    def _log_file(self, run: str, name: str, body: bytes, folder: str | None = None) -> None:
        """MLflow takes files, not bytes."""
        with tempfile.TemporaryDirectory() as temporary:
            local = Path(temporary) / name
            local.write_bytes(body)
            self._tracking.log_artifact(run, str(local), folder)


def metrics(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Every figure of an evaluation by its path, such as `decision.cost`; lists are curves and stay in the artifact."""
    for key, value in _leaves(evaluation):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield key, float(value)


def parameters(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of an evaluation by its path: protocol, checksum of the data, what was left out."""
    for key, value in _leaves(evaluation):
        if isinstance(value, str | bool):
            yield key, str(value)[:_LONGEST_PARAMETER]
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield key, ", ".join(value)[:_LONGEST_PARAMETER]


def _leaves(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        # MLflow's names: letters, digits, _ - . space : /
        name = "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in f"{path}{key}")
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield name, value
