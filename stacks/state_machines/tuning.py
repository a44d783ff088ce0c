"""The option `training.tuning`: a tuning job of SageMaker's searches boosting's settings before the training job.

Whatever becomes of it, `train` goes on: without a winner with the specification's own settings, and the run's report
says why. What a trial answers, and the ranges, are `solvent.tuning`'s.
"""

from typing import Any

from solvent import tuning
from stacks.config import Tuning
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine, State

FIRST = "PrepareTuning"
CATCHER: State = {**ANY, "ResultPath": "$.tuning_error", "Next": "TuningFailed"}
BEST = "$.BestTrainingJob"
MEASURED = f"{BEST}.FinalHyperParameterTuningJobObjectiveMetric.Value"


def add(parts: Parts, machine: Machine, option: Tuning, job: dict[str, Any], *, then: str) -> None:
    """The states from PrepareTuning to `then`, which finds `settings`, JSON, and `text` in `$.tuned`.

    `job`: CreateTrainingJob's request, whose parts the trials share.
    """
    machine.invoke(
        FIRST,
        parts.run_control,
        {"action": "tuning", "run.$": "$.run"},
        select={"job_name.$": "$.Payload.job_name"},
        keep="$.tuning_job",
        then="Tune",
        caught=[CATCHER],
    )
    machine.task(
        "Tune",
        "sagemaker:createHyperParameterTuningJob.sync",
        {
            "HyperParameterTuningJobName.$": "$.tuning_job.job_name",
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "RandomSeed": 0,
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": tuning.OBJECTIVE},
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": option.maximum_jobs,
                    "MaxParallelTrainingJobs": option.parallel_jobs,
                    "MaxRuntimeInSeconds": option.maximum_runtime_minutes * 60,
                },
                "ParameterRanges": _ranges(),
            },
            "TrainingJobDefinition": _trial(job),
        },
        select={
            "settings.$": f"States.JsonToString({BEST}.TunedHyperParameters)",
            "text.$": f"States.Format('out-of-fold AUC {{}} by {{}}', {MEASURED}, {BEST}.TrainingJobName)",
        },
        keep="$.tuned",
        then=then,
        caught=[CATCHER],
        timeout_seconds=option.wait_minutes * 60,
    )
    machine.states["TuningFailed"] = {
        "Type": "Pass",
        "Parameters": {
            "settings": "{}",
            "text.$": "States.Format('failed, the specification stands: {}', $.tuning_error.Cause)",
        },
        "ResultPath": "$.tuned",
        "Next": then,
    }


def _ranges() -> dict[str, Any]:
    found: dict[str, Any] = {"IntegerParameterRanges": [], "ContinuousParameterRanges": []}
    for name, allowed in tuning.RANGES.items():
        kind = "IntegerParameterRanges" if allowed.whole else "ContinuousParameterRanges"
        scale = "Logarithmic" if allowed.logarithmic else "Linear"
        ends = {"MinValue": f"{allowed.low:g}", "MaxValue": f"{allowed.high:g}"}
        found[kind].append({"Name": name, **ends, "ScalingType": scale})
    return found


def _trial(job: dict[str, Any]) -> dict[str, Any]:
    """The training job of a trial: the same data, code, role and walls. What it is told of ours is environment."""
    ours = {name: value for name, value in job["HyperParameters"].items() if not name.startswith("sagemaker_")}
    scripts = {name: value for name, value in job["HyperParameters"].items() if name.startswith("sagemaker_")}
    told = {
        f"SOLVENT_{name.removesuffix('.$').upper()}{'.$' if name.endswith('.$') else ''}": value
        for name, value in ours.items()
        if not name.startswith("tuned")
    }
    shared = {k: v for k, v in job.items() if k not in ("TrainingJobName.$", "HyperParameters", "Environment")}
    return {
        **shared,
        "StaticHyperParameters": scripts,
        "Environment": {**job["Environment"], **told, "SOLVENT_TRIAL": "1"},
    }
