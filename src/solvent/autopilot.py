"""SageMaker Autopilot beside our training job: what it may learn from, and what the gates say of its best candidate.

Its figures come from its own validation split, ours are out of fold: they are put side by side, and never as one
figure. The candidate cannot go live: it has no exact reasons on every serving path (docs/decisions/0021).
"""

import json
from collections.abc import Mapping
from typing import Any

from solvent import failures, gates, naming, specification
from solvent.specification import Specification

PROTOCOL = "Autopilot's own validation split; the other figures of this report are out of fold"
NEVER = "never champion: it has no exact reasons on every serving path"
NOT_MEASURED = ("leakage", "calibration", "stability", "fairness", "parity", "size", "latency")


def prepare(s3: Any, *, run: Mapping[str, Any], bucket: str, prefix: str) -> dict[str, str]:
    """Write the features of a run's Autopilot job; {"job_name", "target", "features"}, the last a URI.

    `s3` is a boto3 client, `bucket` the artifacts zone, `prefix` of the environment's names.
    """
    spec = specification.load(run["portfolio"])
    key = naming.report_key(run["portfolio"], run["run_id"], "autopilot")
    body = json.dumps(features(spec, json.loads(run["excluded_features"])))
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json")
    return {
        "job_name": naming.automl_job(prefix, run["job_name"]),
        "target": spec.label.column,
        "features": f"s3://{bucket}/{key}",
    }


def features(spec: Specification, excluded: list[str]) -> dict[str, Any]:
    """FeatureSpecificationS3Uri's document: the specification's features; no key, date or protected attribute."""
    chosen = [feature for feature in spec.features if feature.name not in set(excluded)]
    return {
        "FeatureAttributeNames": [feature.name for feature in chosen],
        "FeatureDataTypes": {feature.name: feature.kind for feature in chosen},
    }


def verdict(
    spec: Specification, evaluation: gates.Evaluation, champion: gates.Evaluation | None, job: Mapping[str, Any]
) -> dict[str, Any]:
    """What the gates say of the best candidate of `job`, DescribeAutoMLJobV2's answer.

    {"text"}, and with a candidate {"candidate", "figures", "failures", "not_measured", "protocol", "champion"}.
    """
    best = job.get("BestCandidate") or {}
    objective = (best.get("FinalAutoMLJobObjectiveMetric") or {}).get("Value")
    if job.get("AutoMLJobStatus") != "Completed" or objective is None:
        cause = str(job.get("FailureReason") or f"it ended as {job.get('AutoMLJobStatus')} without a candidate")
        return {"text": f"failed: {failures.explain(cause)}"}
    measured = _validated(best)
    figures = {"auc": float(objective), **({"log_loss": measured["LogLoss"]} if "LogLoss" in measured else {})}
    failed = list(_failures(spec, evaluation, champion, figures))
    auc, ours = figures["auc"], float(evaluation["auc"])
    return {
        "candidate": str(best.get("CandidateName")),
        "figures": figures,
        "failures": failed,
        "not_measured": list(NOT_MEASURED),
        "protocol": PROTOCOL,
        "champion": NEVER,
        "text": f"AUC {auc:.4f} on its own validation split, {ours:.4f} ours out of fold; "
        f"{'; '.join(failed) or 'no gate that it tells fails'}; {NEVER}",
    }


def _validated(best: Mapping[str, Any]) -> dict[str, float]:
    """Name -> value of the candidate's figures on the validation split."""
    listed = (best.get("CandidateProperties") or {}).get("CandidateMetrics") or []
    return {
        str(m.get("StandardMetricName") or m.get("MetricName")): float(m["Value"])
        for m in listed
        if m.get("Set") == "Validation"
    }


def _failures(
    spec: Specification,
    evaluation: gates.Evaluation,
    champion: gates.Evaluation | None,
    figures: Mapping[str, float],
) -> list[str]:
    """The thresholds of `solvent.gates` that Autopilot's figures can be held against."""
    found, auc, least = [], figures["auc"], spec.gates.minimum_auc
    if not auc >= least:
        found.append(f"minimum_auc: {auc:.4f} is {least - auc:.4f} below {least}")
    rival = gates.comparable(evaluation, champion)
    allowed = spec.gates.maximum_auc_loss_to_champion
    if rival and float(rival["auc"]) - auc > allowed:
        loss = float(rival["auc"]) - auc
        found.append(
            f"maximum_auc_loss_to_champion: {auc:.4f} is {loss:.4f} below the champion's, {allowed} is allowed"
        )
    constant = float(evaluation["calibration"]["log_loss_of_constant"])
    if "log_loss" in figures and not figures["log_loss"] < constant:
        found.append(
            f"baseline: log_loss {figures['log_loss']:.4f} is not below the constant bad rate's {constant:.4f}"
        )
    return found
