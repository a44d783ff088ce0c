"""The training script's process, with the folders and variables of SageMaker's training toolkit."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import artifacts, processes
from embedded_aws.sagemaker.artifacts import JobError

Json = dict[str, Any]

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
running: dict[str, subprocess.Popen[str]] = {}


class StoppedError(Exception):
    """The job was stopped, by request or by its time limit; the text is the secondary status."""


def prepare(job: Json, work: Path) -> Json:
    """Channels, source code and configuration files; returns the variables that name them."""
    role, variables = job["RoleArn"], {}
    for channel in job.get("InputDataConfig", []):
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        if source.get("S3DataType") != "S3Prefix":
            raise JobError(
                f"ClientError: the embedded AWS reads S3Prefix channels only, not {source.get('S3DataType')}"
            )
        target = work / "input/data" / channel["ChannelName"]
        target.mkdir()
        artifacts.download_prefix(role, source["S3Uri"], target)
        artifacts.leave_out_native(target)
        variables[f"SM_CHANNEL_{channel['ChannelName'].upper()}"] = str(target)
    hyperparameters = job.get("HyperParameters", {})
    directory = processes.mapped(_decoded(hyperparameters.get("sagemaker_submit_directory", "")), work)
    _source(role, directory, work / "code")
    config = work / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "inputdataconfig.json").write_text(
        json.dumps({c["ChannelName"]: {} for c in job.get("InputDataConfig", [])})
    )
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    return variables


def _source(role: str, directory: str, code: Path) -> None:
    """sagemaker_submit_directory, in S3 or in a channel: an archive is unpacked, a folder copied."""
    if directory.startswith("s3://"):
        artifacts.fetch_archive(role, directory, code)
    elif Path(directory).is_dir():
        shutil.copytree(directory, code, dirs_exist_ok=True)
    elif Path(directory).is_file():
        artifacts.unpack(Path(directory), code)
    else:
        raise JobError(f"AlgorithmError: ExecuteUserScriptError: sagemaker_submit_directory {directory} does not exist")


def _decoded(value: str) -> Any:
    """A hyperparameter as the toolkit decodes it: JSON where it is JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _arguments(hyperparameters: Json, work: Path) -> list[str]:
    """`--name value` in the order of names, each value as the toolkit turns it into text."""
    found = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        found += [f"--{name}" if len(name) > 1 else f"-{name}", processes.mapped(str(value), work)]
    return found


def run(job: Json, work: Path, variables: Json) -> None:
    """Run the script. Raises JobError when it fails, StoppedError when it was stopped."""
    name = job["TrainingJobName"]
    given = job.get("HyperParameters", {})
    decoded = {key: _decoded(value) for key, value in given.items() if not key.startswith("sagemaker_")}
    program = _decoded(given["sagemaker_program"])
    command = ["python3", program, *_arguments(decoded, work)]
    variables = {
        **variables,
        "SM_MODEL_DIR": work / "model",
        "SM_OUTPUT_DIR": work / "output",
        "SM_OUTPUT_DATA_DIR": work / "output/data",
        "SM_INPUT_DIR": work / "input",
        "SM_INPUT_CONFIG_DIR": work / "input/config",
        "SM_MODULE_DIR": work / "code",
        "SM_MODULE_NAME": program.removesuffix(".py"),
        "SM_USER_ENTRY_POINT": program,
        "SM_CHANNELS": json.dumps([c["ChannelName"] for c in job.get("InputDataConfig", [])]),
        "SM_HPS": json.dumps(decoded),
        "SM_USER_ARGS": json.dumps(command[2:]),
        **{f"SM_HP_{k.upper()}": v if isinstance(v, str) else json.dumps(v) for k, v in decoded.items()},
        "SM_CURRENT_HOST": "algo-1",
        "SM_HOSTS": '["algo-1"]',
        "SM_NUM_CPUS": os.cpu_count(),
        "SM_NUM_GPUS": 0,
        "TRAINING_JOB_NAME": name,
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        **job.get("Environment", {}),
    }
    environment = processes.environment(
        job["RoleArn"], work, work / "code", variables, isolated=job["EnableNetworkIsolation"]
    )
    job["TrainingStartTime"] = started = time.time()
    logs = processes.Logs(LOG_GROUP, f"{name}/algo-1-{int(started)}", job["RoleArn"])
    tail: deque[str] = deque(maxlen=40)
    metrics: Json = {}
    patterns = [(m["Name"], re.compile(m["Regex"])) for m in job["AlgorithmSpecification"].get("MetricDefinitions", [])]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *command[1:]],
        cwd=work / "code",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    running[name] = process
    if job["TrainingJobStatus"] == "Stopping":
        process.terminate()
    limit = job["StoppingCondition"].get("MaxRuntimeInSeconds", 86400)
    watch = service.spawn_thread(_watch, process, limit)
    for line in process.stdout or ():
        logs.add(line.rstrip("\n"))
        tail.append(line)
        for metric, pattern in patterns:
            if found := pattern.findall(line.rstrip("\n")):
                metrics[metric] = {"MetricName": metric, "Value": float(found[-1]), "Timestamp": time.time()}
    code = process.wait()
    watch.join()
    running.pop(name, None)
    logs.send()
    job["FinalMetricDataList"] = list(metrics.values())
    if job["TrainingJobStatus"] == "Stopping":
        raise StoppedError("Stopped")
    if time.time() - started >= limit:
        raise StoppedError("MaxRuntimeExceeded")
    if code:
        message = "".join(tail).strip()[-700:]
        raise JobError(
            f'AlgorithmError: ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"\n'
            f'Command "{" ".join(command)}", exit code: {code}'
        )


def _watch(process: "subprocess.Popen[str]", limit: float) -> None:
    """End a script that exceeds its time, first kindly."""
    try:
        process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
