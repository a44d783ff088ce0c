"""Glue jobs as AWS runs them; ministack marks a Spark job SUCCEEDED without running it."""

import io
import json
import textwrap
import zipfile
from typing import Any

import pytest
from conftest import LOGS, EmbeddedAws, wait

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def bucket(aws: EmbeddedAws) -> str:
    name = aws.name("scripts")
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    return name


def make_job(aws: EmbeddedAws, scripts: str, source: str | None, role: str | None = None, **arguments: str) -> str:
    name = aws.name("job")
    if source is not None:
        aws.client("s3").put_object(Bucket=scripts, Key=f"{name}.py", Body=textwrap.dedent(source).encode())
    aws.client("glue").create_job(
        Name=name,
        Role=role
        or aws.role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, LOGS, service="glue.amazonaws.com"),
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{scripts}/{name}.py", "PythonVersion": "3"},
        GlueVersion="5.1",
        DefaultArguments={f"--{key.replace('_', '-')}": value for key, value in arguments.items()},
    )
    return name


def run(aws: EmbeddedAws, job: str, **arguments: str) -> dict[str, Any]:
    glue = aws.client("glue")
    given = {f"--{key}": value for key, value in arguments.items()}
    identifier = glue.start_job_run(JobName=job, Arguments=given)["JobRunId"]

    def ended() -> dict[str, Any] | None:
        found = glue.get_job_run(JobName=job, RunId=identifier)["JobRun"]
        return found if found["JobRunState"] not in ("STARTING", "RUNNING") else None

    return wait(ended, 30)


@pytest.mark.contract(
    "glue.libraries",
    page="https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html",
    says=(
        "--extra-py-files puts the files on the script's Python path, and arguments of the run replace "
        "those of the job."
    ),
)
def test_a_job_gets_its_arguments_libraries_role_and_engine(aws: EmbeddedAws, bucket: str) -> None:
    library = io.BytesIO()
    with zipfile.ZipFile(library, "w") as archive:
        archive.writestr("shipped/__init__.py", "ANSWER = 42\n")
    aws.client("s3").put_object(Bucket=bucket, Key="shipped.zip", Body=library.getvalue())
    source = """
        import json, os, sys
        import boto3
        from awsglue.utils import getResolvedOptions
        from shipped import ANSWER

        options = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "extra"])
        who = boto3.client("sts").get_caller_identity()["Arn"]
        found = {**options, "answer": ANSWER, "engine": os.environ["SOLVENT_ETL_ENGINE"], "who": who}
        boto3.client("s3").put_object(Bucket=options["bucket"], Key="found.json", Body=json.dumps(found))
        print("a line for the log")
    """
    job = make_job(aws, bucket, source, extra_py_files=f"s3://{bucket}/shipped.zip", bucket=bucket, extra="default")
    ended = run(aws, job, extra="given")
    assert ended["JobRunState"] == "SUCCEEDED", ended
    found = json.loads(aws.client("s3").get_object(Bucket=bucket, Key="found.json")["Body"].read())
    assert (found["JOB_NAME"], found["extra"], found["answer"], found["engine"]) == (job, "given", 42, "duckdb")
    assert ":assumed-role/" in found["who"]
    logs = aws.client("logs").filter_log_events(logGroupName="/aws-glue/jobs/output")["events"]
    assert "a line for the log" in [event["message"] for event in logs]


@pytest.mark.contract(
    "glue.log-group",
    page="https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html",
    says=(
        "The log group carries the prefix of --custom-logGroup-prefix and, under encryption, the names of "
        "security configuration and role."
    ),
)
def test_logs_are_where_glue_puts_them_under_a_security_configuration(aws: EmbeddedAws, bucket: str) -> None:
    job = make_job(aws, bucket, "print('behind the names')", custom_logGroup_prefix="/mine/glue")
    glue, security = aws.client("glue"), aws.name("security")
    modes = {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": f"arn:aws:kms:{aws.region}:000000000000:key/k"}
    glue.create_security_configuration(Name=security, EncryptionConfiguration={"CloudWatchEncryption": modes})
    kept = glue.get_job(JobName=job)["Job"]
    update = {name: kept[name] for name in ("Role", "Command", "GlueVersion", "DefaultArguments")}
    glue.update_job(JobName=job, JobUpdate={**update, "SecurityConfiguration": security})
    assert run(aws, job)["JobRunState"] == "SUCCEEDED"
    group = f"/mine/glue/{security}-role/{kept['Role'].rsplit('/', 1)[-1]}/output"
    events = aws.client("logs").filter_log_events(logGroupName=group)["events"]
    assert "behind the names" in [event["message"] for event in events]


@pytest.mark.contract(
    "glue.error-message",
    page="https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html",
    quote="An error message associated with this job run.",
)
def test_the_reason_is_the_exception_and_the_traceback_is_in_the_log(aws: EmbeddedAws, bucket: str) -> None:
    # As Glue has it: the name of the class without its module, and a message of several lines as it is.
    source = """
        import sys

        class JobError(Exception):
            pass

        JobError.__module__ = "package.errors"
        print("before")
        try:
            int("no number")
        except ValueError as error:
            raise JobError(sys.argv[-1]) from error
    """
    message = "customers.csv has no column income.\n  Deliver it again.\nNothing was published."
    ended = run(aws, make_job(aws, bucket, source), message=message)
    assert (ended["JobRunState"], ended["ErrorMessage"]) == ("FAILED", f"JobError: {message}")
    events = aws.client("logs").filter_log_events(logGroupName="/aws-glue/jobs/output", logStreamNames=[ended["Id"]])[
        "events"
    ]
    lines = [event["message"] for event in events]
    assert lines[0] == "before"
    assert "Traceback (most recent call last):" in lines
    assert "package.errors.JobError: customers.csv has no column income." in lines


def test_a_job_that_ends_by_itself_fails_with_what_it_said_last(aws: EmbeddedAws, bucket: str) -> None:
    for source, expected in (
        ("import sys\nprint('a line')\nsys.exit('no delivery')", "no delivery"),
        ("import os\nos._exit(3)", "The script exited with status 3"),
    ):
        ended = run(aws, make_job(aws, bucket, source))
        assert (ended["JobRunState"], ended["ErrorMessage"]) == ("FAILED", expected)


@pytest.mark.contract(
    "glue.script",
    page="https://docs.aws.amazon.com/glue/latest/webapi/API_JobCommand.html",
    says="A run executes the script at its S3 address; without one it fails.",
)
def test_a_job_without_a_script_fails(aws: EmbeddedAws, bucket: str) -> None:
    ended = run(aws, make_job(aws, bucket, None))
    assert ended["JobRunState"] == "FAILED"
    assert "The job could not start" in ended["ErrorMessage"]


@pytest.mark.contract(
    "glue.role",
    page="https://docs.aws.amazon.com/glue/latest/dg/create-an-iam-role.html",
    says="A job's calls are made with its role, and refused where the role may not.",
)
def test_a_job_is_denied_what_its_role_may_not_do(aws: EmbeddedAws, bucket: str) -> None:
    actions = ["s3:GetObject", "s3:ListBucket"]
    role = aws.role({"Effect": "Allow", "Action": actions, "Resource": "*"}, service="glue.amazonaws.com")
    source = f"import boto3\nboto3.client('s3').put_object(Bucket='{bucket}', Key='no', Body=b'')"
    ended = run(aws, make_job(aws, bucket, source, role))
    assert ended["JobRunState"] == "FAILED"
    assert "not authorized to perform: s3:PutObject" in ended["ErrorMessage"]


def test_a_job_cannot_leave_the_machine(aws: EmbeddedAws, bucket: str) -> None:
    source = "import urllib.request\nurllib.request.urlopen('http://s3.eu-west-1.amazonaws.com')"
    ended = run(aws, make_job(aws, bucket, source))
    assert ended["JobRunState"] == "FAILED"
    assert "may reach the embedded AWS only" in ended["ErrorMessage"]


@pytest.mark.contract(
    "glue.own-libraries",
    page="https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html",
    says="A library that Glue does not have must come with the job; what the checkout holds is not there.",
)
def test_a_job_sees_nothing_of_the_checkout(aws: EmbeddedAws, bucket: str) -> None:
    for name in ("solvent", "embedded_aws", "stacks", "lambdas"):
        ended = run(aws, make_job(aws, bucket, f"import {name}"))
        assert (ended["JobRunState"], ended["ErrorMessage"]) == (
            "FAILED",
            f"ModuleNotFoundError: No module named '{name}'",
        )
