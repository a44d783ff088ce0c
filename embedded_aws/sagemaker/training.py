"""Training jobs, from request to artifact; `training_script` runs the script itself."""

import shutil
import time
from pathlib import Path
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import artifacts, processes, store, training_script
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.sagemaker.roles import check_grant, check_pull, check_role
from embedded_aws.sagemaker.training_script import StoppedError
from embedded_aws.service import ApiError

Json = dict[str, Any]

_FOLDERS = ("input/config", "input/data", "model", "output/data", "code")
_ACTIVE = ("InProgress", "Stopping")
# Images that AWS counts as its own algorithms, even in script mode (aws/sagemaker-xgboost-container, issue 121).
_ALGORITHMS = ("sagemaker-xgboost",)


# Operations


def create(request: Json) -> Json:
    """CreateTrainingJob."""
    name = request["TrainingJobName"]
    store.check_name(name, "trainingJobName")
    _check(request)
    check_role(request["RoleArn"])
    check_grant(request["ResourceConfig"].get("VolumeKmsKeyId"), request["RoleArn"])
    location = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    job = store.create("training-job", name, dict(request), in_use=True)
    job.update(
        TrainingJobArn=store.arn("training-job", name),
        TrainingJobStatus="InProgress",
        SecondaryStatus="Starting",
        SecondaryStatusTransitions=[{"Status": "Starting", "StartTime": time.time(), "StatusMessage": ""}],
        ModelArtifacts={"S3ModelArtifacts": f"{location}/{name}/output/model.tar.gz"},
        EnableNetworkIsolation=request.get("EnableNetworkIsolation", False),
    )
    service.spawn_thread(_run, job)
    return {"TrainingJobArn": job["TrainingJobArn"]}


def _check(request: Json) -> None:
    specification = request.get("AlgorithmSpecification", {})
    if not specification.get("TrainingImage"):
        raise ApiError("ValidationException", "AlgorithmSpecification.TrainingImage is required.")
    repository = specification["TrainingImage"].partition(":")[0].rpartition("/")[2]
    if specification.get("MetricDefinitions") and repository in _ALGORITHMS:
        raise ApiError(
            "ValidationException",
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions.",
        )
    for part in ("ResourceConfig", "StoppingCondition"):
        if not request.get(part):
            raise ApiError("ValidationException", f"{part} is required.")
    if request["ResourceConfig"].get("InstanceCount", 1) != 1:
        raise ApiError("ValidationException", "The embedded AWS runs training jobs on one instance.")
    if specification.get("TrainingInputMode", "File") not in ("File", "FastFile"):
        raise ApiError("ValidationException", "The embedded AWS reads channels in File mode.")
    if "sagemaker_program" not in request.get("HyperParameters", {}):
        raise ApiError(
            "ValidationException",
            "The embedded AWS runs script mode only: set the hyperparameters sagemaker_program and "
            "sagemaker_submit_directory.",
        )


def describe(request: Json) -> Json:
    """DescribeTrainingJob."""
    job = store.find("training-job", request["TrainingJobName"])
    return {key: value for key, value in job.items() if not key.startswith("_")}


def stop(request: Json) -> Json:
    """StopTrainingJob: SIGTERM to the script; its model is kept, as AWS keeps it."""
    job = store.find("training-job", request["TrainingJobName"])
    if job["TrainingJobStatus"] not in _ACTIVE:
        raise ApiError("ValidationException", "The request was rejected because the training job is in status "
                       f"{job['TrainingJobStatus']}.")  # fmt: skip
    store.touch(job, TrainingJobStatus="Stopping", SecondaryStatus="Stopping")
    if process := training_script.running.get(job["TrainingJobName"]):
        process.terminate()
    return {}


def list_jobs(request: Json) -> Json:
    """ListTrainingJobs."""
    names = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
             "TrainingJobStatus", "SecondaryStatus")  # fmt: skip
    jobs = store.state["training-job"].values()
    found, more = store.page(jobs, request, name="TrainingJobName", names=names, status="TrainingJobStatus")
    return {"TrainingJobSummaries": found, **more}


def after_restart() -> None:
    """Jobs that ran when the embedded AWS stopped have failed."""
    for job in store.state["training-job"].values():
        if job["TrainingJobStatus"] in _ACTIVE and job["TrainingJobName"] not in training_script.running:
            _finish(
                job, "Failed", "Failed", FailureReason="InternalServerError: the embedded AWS was stopped meanwhile."
            )


# The job


def _run(job: Json) -> None:
    work = artifacts.clean(processes.folder("training", job["TrainingJobName"]))
    try:
        for name in _FOLDERS:
            (work / name).mkdir(parents=True)
        _stage(job, "Downloading", "Downloading the training data")
        check_pull(job["RoleArn"], job["AlgorithmSpecification"]["TrainingImage"])
        variables = training_script.prepare(job, work)
        _stage(job, "Training", "Training image download completed. Training in progress.")
        ended = "Completed"
        try:
            training_script.run(job, work, variables)
        except StoppedError as error:
            ended = str(error)
        _stage(job, "Uploading", "Uploading generated training model")
        _outputs(job, work)
        _finish(job, "Completed" if ended == "Completed" else "Stopped", ended)
    except (JobError, service.ApiError) as error:
        _finish(job, "Failed", "Failed", FailureReason=str(error)[:1024])
    except Exception as error:
        service.log.exception("training job %s", job["TrainingJobName"])
        _finish(job, "Failed", "Failed", FailureReason=f"InternalServerError: {error!r}"[:1024])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _stage(job: Json, status: str, message: str) -> None:
    now = time.time()
    job["SecondaryStatusTransitions"][-1].setdefault("EndTime", now)
    job["SecondaryStatusTransitions"].append({"Status": status, "StartTime": now, "StatusMessage": message})
    if job["TrainingJobStatus"] == "InProgress":
        store.touch(job, SecondaryStatus=status)


def _finish(job: Json, status: str, secondary: str, **changes: Any) -> None:
    now = time.time()
    start = job.get("TrainingStartTime", now)
    seconds = int(now - start)
    _stage(job, secondary, changes.get("FailureReason", ""))
    job["SecondaryStatusTransitions"][-1]["EndTime"] = now
    store.touch(job, TrainingEndTime=now, TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds, **changes)
    store.touch(job, SecondaryStatus=secondary, TrainingJobStatus=status)  # last: who polls sees the rest complete


def _outputs(job: Json, work: Path) -> None:
    """model.tar.gz always, output.tar.gz when the script wrote to its output folder."""
    artifacts.pack(work / "model", work / "model.tar.gz")
    target = job["ModelArtifacts"]["S3ModelArtifacts"]
    artifacts.upload(job["RoleArn"], work / "model.tar.gz", target)
    if any((work / "output/data").iterdir()):
        artifacts.pack(work / "output/data", work / "output.tar.gz")
        artifacts.upload(job["RoleArn"], work / "output.tar.gz", f"{target.rsplit('/', 1)[0]}/output.tar.gz")
