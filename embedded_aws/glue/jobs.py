"""Run a Glue job's script as a process: its role's credentials, its libraries, its arguments, DuckDB in place of Spark.

ministack marks a Spark job SUCCEEDED without running it where there is no Docker, and gives a Python job neither
endpoint nor role, so that its calls would leave for a real AWS. https://docs.aws.amazon.com/glue/latest/dg/monitor-job-runs.html
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws import adapter, service
from embedded_aws.service_roles import trusts

_SHIM = Path(__file__).with_name("shim")
_FAULT = "fault.txt"  # the exception that ended the script, written by sandbox/sitecustomize.py
_ERROR_CHARACTERS = 4000


def install() -> None:
    """Every job, Spark or not, runs here; a script that cannot be fetched fails the run."""
    adapter.GLUE_IS_SPARK.replace(lambda job: False)
    adapter.GLUE_RESOLVE_SCRIPT.replace(lambda location: "script.py")  # we fetch it ourselves, with the job's role
    adapter.GLUE_EXECUTE.replace(execute)


def execute(run: dict[str, Any], job: dict[str, Any], arguments: dict[str, str], resolved: str) -> None:
    """Run a job to its end and record the outcome in `run`, as GetJobRun shows it."""
    folder = service.home() / "jobs" / "glue" / run["Id"]
    folder.mkdir(parents=True)
    output, group = folder / "output.txt", "/aws-glue/jobs/output"
    try:
        output.touch()
        if not trusts(job["Role"], "glue.amazonaws.com", service.arn("glue", f"job/{run['JobName']}")):
            raise ValueError(f"Glue may not assume the role {job['Role']}")
        group = _log_group(job, arguments)
        command = _prepare(run, job, arguments, folder)
        _wait(run, job, command, output, folder)
    except (ClientError, BotoCoreError, OSError, ValueError, service.ApiError) as error:
        run.update(JobRunState="FAILED", ErrorMessage=f"The job could not start: {error}")
    finally:
        service.log_lines(group, run["Id"], output.read_text(errors="replace"), job["Role"])
        shutil.rmtree(folder, ignore_errors=True)


def _log_group(job: dict[str, Any], arguments: dict[str, str]) -> str:
    """Where Glue 5.x puts what a script prints; a security configuration that encrypts logs is part of the name.

    https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
    """
    group = arguments.get("--custom-logGroup-prefix") or "/aws-glue/jobs"
    if security := job.get("SecurityConfiguration"):
        glue = service.operator_client("glue")
        found = glue.get_security_configuration(Name=security)["SecurityConfiguration"]
        logs = found.get("EncryptionConfiguration", {}).get("CloudWatchEncryption", {})
        if logs.get("CloudWatchEncryptionMode", "DISABLED") != "DISABLED":
            group += f"/{security}-role/{job['Role'].rsplit('/', 1)[-1]}"
            # With its role Glue gives the log group its key.
            # https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html
            arn = service.arn("logs", f"log-group:{group}/output:log-stream:")
            service.authorize(job["Role"], "logs:AssociateKmsKey", arn)
    return f"{group}/output"


def _prepare(run: dict[str, Any], job: dict[str, Any], arguments: dict[str, str], folder: Path) -> list[str]:
    s3 = service.client("s3", job["Role"], "GlueJobRunnerSession")
    script = _download(s3, job["Command"]["ScriptLocation"], folder)
    for location in filter(None, arguments.get("--extra-py-files", "").split(",")):
        _download(s3, location.strip(), folder / "libraries")
    given = {"--JOB_NAME": run["JobName"], "--JOB_RUN_ID": run["Id"], **arguments}
    return [sys.executable, str(script), *(part for pair in given.items() for part in map(str, pair))]


def _download(s3: Any, location: str, folder: Path) -> Path:
    if not location.startswith("s3://"):
        raise ValueError(f"{location!r} is not an S3 address; a job's script and libraries lie in S3")
    bucket, _, key = location.removeprefix("s3://").partition("/")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / Path(key).name
    s3.download_file(bucket, key, str(target))
    return target


def _wait(run: dict[str, Any], job: dict[str, Any], command: list[str], output: Path, folder: Path) -> None:
    libraries = folder / "libraries"
    path = (
        [str(_SHIM), *(str(p) for p in sorted(libraries.iterdir()) if libraries.exists())] if libraries.exists() else []
    )
    environment = service.child_env(
        job["Role"],
        "GlueJobRunnerSession",
        PYTHONPATH=":".join(path or [str(_SHIM)]),
        SOLVENT_ETL_ENGINE="duckdb",
        SOLVENT_FAULT=folder / _FAULT,
        TMPDIR=folder,
    )
    deadline = time.monotonic() + 60 * float(run.get("Timeout") or job.get("Timeout") or 480)
    with output.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=sink, stderr=subprocess.STDOUT)  # noqa: S603
        while process.poll() is None:
            if run["JobRunState"] in ("STOPPING", "STOPPED") or time.monotonic() > deadline:
                process.kill()
                process.wait()
                stopped = run["JobRunState"] in ("STOPPING", "STOPPED")
                run.update(JobRunState="STOPPED" if stopped else "TIMEOUT", ErrorMessage="Job run timed out")
                return
            time.sleep(0.02)
    if process.returncode == 0:
        run["JobRunState"] = "SUCCEEDED"
        return
    run.update(JobRunState="FAILED", ErrorMessage=_reason(folder / _FAULT, output, process.returncode))


def _reason(fault: Path, output: Path, status: int) -> str:
    """Glue's ErrorMessage: the exception, without its module and without the traceback, which is in the log.

    On AWS "Error Category: UNCLASSIFIED_ERROR; Failed Line Number: <n>; " may stand before it. A script that ends by
    itself, or is ended, has no exception: the last line it printed, or its status.
    """
    if fault.exists():
        return fault.read_text(encoding="utf-8").strip()[:_ERROR_CHARACTERS]
    lines = output.read_text(errors="replace").strip().splitlines()
    return lines[-1][:_ERROR_CHARACTERS] if lines else f"The script exited with status {status}"
