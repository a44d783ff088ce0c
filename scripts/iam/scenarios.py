"""What the platform does, piece by piece: each scenario raises when its piece did not happen.

The check runs every scenario once with all permissions, notes what each asks for, and then again without an action.
"""

import contextlib
import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.console import Console

from scripts.iam.trial import PORTFOLIO, ScenarioFailedError, Trial, wait
from solvent import naming
from solvent.cli import erase as erasing
from solvent.cli.extract import Extraction
from solvent.client import PlatformError, query
from solvent.target import Target, checkout

Scenario = Callable[[Trial], None]

APPLICANT_FILE = "examples/applicant.json"
TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
TRANSFORM_LOGS = "/aws/sagemaker/TransformJobs"
_FUNCTIONS = sorted(path.parent.name.replace("_", "-") for path in (checkout() / "lambdas").glob("*/handler.py"))


# State machines


def machines(trial: Trial) -> None:
    """Step Functions takes each machine with its role."""
    states = trial.client("stepfunctions")
    for phase in naming.PHASES:
        known = states.describe_state_machine(stateMachineArn=trial.platform.machine_arn(phase))
        wanted = {name: known[name] for name in ("definition", "roleArn", "loggingConfiguration")}
        states.update_state_machine(stateMachineArn=known["stateMachineArn"], **wanted)


def ingest(trial: Trial) -> None:
    """A delivery to the lake and the warehouse, its log included."""
    group = f"/{trial.platform.names.prefix}/glue"
    logs = [g["logGroupName"] for g in _log_groups(trial, group) if g["logGroupName"].endswith("/output")]
    for name in logs:
        trial.forget_logs(name)
    trial.again("ingest")
    trial.run("ingest", {"manifest": trial.manifest})
    wait(lambda: any(trial.streams(g["logGroupName"]) for g in _log_groups(trial, group)), "the job's log", 4)


def _log_groups(trial: Trial, prefix: str) -> list[dict[str, Any]]:
    return list(trial.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"])


def erase(trial: Trial) -> None:
    """A person out of lake and warehouse, old versions included, with the proof and the job's log."""
    target, platform = trial.platform.target, trial.platform
    (group,) = [
        g["logGroupName"]
        for g in _log_groups(trial, f"/{platform.names.prefix}/glue")
        if g["logGroupName"].endswith(f"/{platform.names.erase_job}/output")
    ]
    trial.forget_logs(group)
    at = {"Bucket": target.bucket("landing"), "Key": f"{PORTFOLIO}/2000-01-01-000000000000/customer_profile.csv"}
    for version in ("old", "new"):
        body = f"customer_id,n\nC999999,{version}\nC999998,{version}\n"
        trial.client("s3").put_object(**at, Body=body.encode())
    erasure_id = erasing.ask(target, portfolio=PORTFOLIO, customer="C999999", reason="check", dry_run=False)
    proof = erasing.follow(target, erasure_id, Console(quiet=True))
    if proof["zones"]["landing"]["versions_removed"] != 2:
        raise ScenarioFailedError(f"the old versions stay: {proof['zones']['landing']}")


def extract(trial: Trial) -> None:
    """The job that reads a database, as far as it gets without one: its secret, its state, its log."""
    names = trial.platform.names
    group = f"/{names.prefix}/glue/{names.named('extract')}-role/{names.extract_job}/output"
    trial.forget_logs(group)
    nowhere = {"username": "nobody", "password": "none", "host": "127.0.0.1", "port": 1, "dbname": "core"}
    with contextlib.suppress(trial.client("secretsmanager").exceptions.ResourceExistsException):
        trial.client("secretsmanager").create_secret(
            Name=names.database_secret("core"), SecretString=json.dumps(nowhere)
        )
    try:
        Extraction(trial.platform.target, "lending").run(timeout=60)
    except PlatformError as error:
        if "DatabaseUnreachable" not in str(error):
            raise ScenarioFailedError(str(error)) from error
    wait(lambda: trial.streams(group), "the job's log", 4)


def train(trial: Trial) -> None:
    """A model beside the champion: trained, judged, registered, put in its place; with the logs of both containers."""
    trial.forget_logs(TRAINING_LOGS)
    trial.again("train")
    trial.run("train")
    wait(lambda: trial.streams(TRAINING_LOGS), "the training job's log", 4)


def first_train(trial: Trial) -> None:
    """The first model: there is no endpoint yet."""
    endpoint = trial.platform.names.endpoint(PORTFOLIO)
    trial.client("sagemaker").delete_endpoint(EndpointName=endpoint)
    try:
        trial.again("train")
        trial.run("train")
    except ScenarioFailedError:
        trial.reset()
        raise
    finally:
        _restore_endpoint(trial, endpoint)


def _restore_endpoint(trial: Trial, endpoint: str) -> None:
    """An endpoint for the scenarios to come, of the latest configuration, where none was made."""
    sagemaker = trial.client("sagemaker")
    try:
        sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError:
        found = sagemaker.list_endpoint_configs(SortBy="CreationTime", SortOrder="Descending", NameContains=endpoint)
        sagemaker.create_endpoint(
            EndpointName=endpoint, EndpointConfigName=found["EndpointConfigs"][0]["EndpointConfigName"]
        )
    _in_service(trial, endpoint)


def _in_service(trial: Trial, endpoint: str) -> None:
    waiter = trial.client("sagemaker").get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=endpoint, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150})


def score(trial: Trial) -> None:
    """Predictions of the champion into the warehouse, and the notice of it."""
    trial.forget_logs(TRANSFORM_LOGS)
    trial.again("score")
    trial.run("score")
    wait(lambda: trial.streams(TRANSFORM_LOGS), "the transform job's log", 4)


def pipeline(trial: Trial) -> None:
    """The phases in order; those that have completed are not done again."""
    trial.again("pipeline")
    trial.run("pipeline", {"manifest": trial.manifest})


def failure(trial: Trial) -> None:
    """A run that fails says in which state and why, and releases the portfolio."""
    done = trial.platform.run(
        "ingest", {"manifest": trial.manifest.replace("/manifest.json", "-nowhere/manifest.json")}
    )
    if done.status != "FAILED" or not re.match("state BeginRun failed: .*does not exist", done.cause):
        raise ScenarioFailedError(f"{done.status}: {done.cause}")


def approved(trial: Trial) -> None:
    """A run that waited for a person takes the portfolio again, and looks at what went live meanwhile."""
    run = {"phase": "train", "portfolio": PORTFOLIO, "run_id": trial.run_id, "root": "nobody"}
    run["endpoint"] = trial.platform.names.endpoint(PORTFOLIO)
    answer = trial.invoke("run-control", {"action": "resume", "run": run, "version": 1_000_000})
    if "live_version" not in answer:
        raise ScenarioFailedError(str(answer))


def stop_ingest(trial: Trial) -> None:
    """Who stops the execution stops the Glue job."""
    glue, job = trial.client("glue"), trial.platform.names.etl_job

    def state() -> tuple[str, str]:
        run = max(glue.get_job_runs(JobName=job)["JobRuns"], key=lambda r: r["StartedOn"])
        return run["Id"], run["JobRunState"]

    before = state()[0]
    trial.again("ingest")
    execution = trial.start("ingest", {"manifest": trial.manifest})
    trial.reached(execution, lambda: state()[0] != before and state()[1] == "RUNNING", "the job starts")
    trial.client("stepfunctions").stop_execution(executionArn=execution)
    ended = wait(lambda: (s := state()[1]) not in ("STARTING", "RUNNING", "STOPPING") and s, "the job ends", 20)
    if ended != "STOPPED":
        raise ScenarioFailedError(f"the job is {ended}")


def stop_train(trial: Trial) -> None:
    """Who stops the execution stops the training job."""
    _stop_job(trial, "train", "training", "TrainingJob")


def stop_score(trial: Trial) -> None:
    """Who stops the execution stops the transform job."""
    _stop_job(trial, "score", "transform", "TransformJob")


def _stop_job(trial: Trial, phase: str, kind: str, field: str) -> None:
    sagemaker = trial.client("sagemaker")

    def jobs() -> dict[str, str]:
        found = getattr(sagemaker, f"list_{kind}_jobs")(MaxResults=100, SortBy="CreationTime", SortOrder="Descending")
        return {job[f"{field}Name"]: job[f"{field}Status"] for job in found[f"{field}Summaries"]}

    before = set(jobs())
    trial.again(phase)
    execution = trial.start(phase, {"portfolio": PORTFOLIO})
    (name,) = trial.reached(execution, lambda: set(jobs()) - before, f"the {kind} job starts")
    trial.client("stepfunctions").stop_execution(executionArn=execution)
    ended = wait(lambda: (s := jobs()[name]) not in ("InProgress", "Stopping") and s, f"the {kind} job ends", 40)
    if ended != "Stopped":
        raise ScenarioFailedError(f"the {kind} job is {ended}")


def stop_pipeline(trial: Trial) -> None:
    """Who stops the pipeline stops its phase, and the portfolio is free."""
    before = trial.executions("ingest")
    for phase in ("pipeline", "ingest"):
        trial.again(phase)
    execution = trial.start("pipeline", {"manifest": trial.manifest})
    (child,) = trial.reached(execution, lambda: trial.executions("ingest") - before, "the phase starts")
    states = trial.client("stepfunctions")
    states.stop_execution(executionArn=execution)
    status = wait(lambda: (s := states.describe_execution(executionArn=child)["status"]) != "RUNNING" and s, "ends", 30)
    if status != "ABORTED":
        raise ScenarioFailedError(f"the phase is {status}")


def delivery_arrived(trial: Trial) -> None:
    """A manifest that lands starts an ingest."""
    before = trial.executions("ingest")
    trial.platform.load(trial.delivery)
    wait(lambda: trial.executions("ingest") - before, "ingest starts", 6)


def nightly(trial: Trial) -> None:
    """The schedule starts a score."""
    before = trial.executions("score")
    _scheduled(trial, {}, lambda: bool(trial.executions("score") - before))


def nightly_dead_letter(trial: Trial) -> None:
    """What the schedule cannot deliver is kept."""
    queue = trial.queue("triggers-failed")
    nowhere = trial.platform.machine_arn("score") + "-no-more"
    _scheduled(trial, {"Arn": nowhere}, lambda: trial.received(queue))


def _scheduled(trial: Trial, changes: dict[str, Any], happened: Callable[[], bool]) -> None:
    """The nightly schedule's target, once and now. Scheduler looks every ten seconds."""
    scheduler = trial.client("scheduler")
    deployed = scheduler.get_schedule(Name=trial.platform.names.named(f"score-{PORTFOLIO}"))
    name = f"check-{uuid.uuid4().hex[:8]}"
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime()),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**deployed["Target"], **changes},
    )
    try:
        wait(happened, "the schedule's delivery", 16)
    finally:
        scheduler.delete_schedule(Name=name)


# Functions


def function(name: str) -> Scenario:
    """A function starts and writes its log."""

    def started(trial: Trial) -> None:
        group = f"/aws/lambda/{trial.function(name)}"
        before = trial.streams(group)
        answer = trial.invoke(name, {})
        if isinstance(answer, dict) and answer.get("errorType") == "KMSAccessDeniedException":
            raise ScenarioFailedError(answer["errorMessage"])
        wait(lambda: trial.streams(group) > before, f"the log of {name}", 2)

    started.__name__ = f"function_{name.replace('-', '_')}"
    return started


def stream(trial: Trial) -> None:
    """An event arrives in the raw zone, a malformed one in quarantine."""
    event = f"E{uuid.uuid4().hex[:8]}"
    body = {"event_id": event, "loan_id": "L000001", "stage": "submitted", "team": "branch"}
    trial.platform.put_events([{**body, "occurred_at": "2026-06-30T09:00:00"}])
    wait(lambda: event in {e["event_id"] for e in trial.platform.stream_events()}, "the event arrives", 10)


def stream_dead_letter(trial: Trial) -> None:
    """Events that the function cannot take are told to the dead-letter queue."""
    queue, functions, name = trial.queue("events-failed"), trial.client("lambda"), trial.function("stream-ingest")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"ENVIRONMENT": "none"}})
    try:
        trial.platform.put_events([{"event_id": "lost", "loan_id": "L000001"}])
        wait(lambda: trial.received(queue), "the notice in the queue", 30)
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def api(trial: Trial) -> None:
    """The API scores an applicant."""
    trial.platform.score_by_api(json.loads((checkout() / APPLICANT_FILE).read_text()))


def migrate(trial: Trial) -> None:
    """The warehouse's schema is brought up to date."""
    trial.custom_resource("migrate", "Update", {})


def cleanup(trial: Trial) -> None:
    """When the stack goes, so does everything that the machines made. Leaves an endpoint behind, without a model."""
    sagemaker, name = trial.client("sagemaker"), trial.platform.names.endpoint(PORTFOLIO)
    _restore_endpoint(trial, name)
    live = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=live)
    variant = {**config["ProductionVariants"][0], "InstanceType": "ml.m5.large"}  # dev's own kind cannot be scaled
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-scaled", ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-scaled")
    _in_service(trial, name)
    group = trial.platform.names.model_package_group(PORTFOLIO)
    image = {"Containers": [{"Image": "image"}], "SupportedContentTypes": ["x"], "SupportedResponseMIMETypes": ["x"]}
    sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=image)
    resource = {"ResourceId": f"endpoint/{name}/variant/{variant['VariantName']}", "ServiceNamespace": "sagemaker"}
    resource["ScalableDimension"] = "sagemaker:variant:DesiredInstanceCount"
    trial.client("application-autoscaling").register_scalable_target(**resource, MinCapacity=1, MaxCapacity=2)
    try:
        trial.custom_resource("endpoint-cleanup", "Delete", {"DeleteModelPackages": "true"})
        packages = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        left = sagemaker.list_endpoints(NameContains=name)["Endpoints"] + packages
        left += sagemaker.list_models(NameContains=name)["Models"]
        left += sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        if left:
            raise ScenarioFailedError(f"{left} are left")
    finally:
        _make_again(trial, name, config, model)


def _make_again(trial: Trial, name: str, config: dict[str, Any], model: dict[str, Any]) -> None:
    """Model, configuration and endpoint as they were, where they are gone."""
    sagemaker = trial.client("sagemaker")
    for delete, known in (
        (sagemaker.delete_endpoint, {"EndpointName": name}),
        (sagemaker.delete_endpoint_config, {"EndpointConfigName": f"{name}-scaled"}),
    ):
        with contextlib.suppress(ClientError):
            delete(**known)
    wanted = ("ModelName", "PrimaryContainer", "ExecutionRoleArn", "EnableNetworkIsolation")
    for create, request in (
        (sagemaker.create_model, {k: model[k] for k in wanted}),
        (
            sagemaker.create_endpoint_config,
            {k: config[k] for k in ("EndpointConfigName", "ProductionVariants", "KmsKeyId")},
        ),
    ):
        try:
            create(**request)
        except ClientError as error:
            if "exist" not in str(error):
                raise
    _restore_endpoint(trial, name)


# People


def person(role: str) -> Scenario:
    """A person asks the warehouse: one statement, several at once, and takes one back."""

    def asked(trial: Trial) -> None:
        target, names = trial.platform.target, trial.platform.names
        arn = f"arn:aws:iam::{target.account_id}:role/{names.named(role)}"
        session = trial.client("sts").assume_role(RoleArn=arn, RoleSessionName=role)["Credentials"]
        keys = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        mine = Target(names, target.region, _session(target.region, *(session[k] for k in keys)), target.endpoint_url)
        query(mine, "SELECT 1 AS one")
        data = mine.client("redshift-data")
        where = {"WorkgroupName": names.workgroup, "Database": naming.DATABASE}
        taken = data.batch_execute_statement(Sqls=["SELECT 1", "SELECT 2"], **where)["Id"]
        try:
            data.cancel_statement(Id=taken)
        except ClientError as error:
            if "AccessDenied" in str(error):
                raise  # that it had finished already is no failure

    asked.__name__ = f"person_{role.replace('-', '_')}"
    return asked


def _session(region: str, key: str, secret: str, token: str) -> Any:
    return boto3.Session(key, secret, token, region_name=region)


# The endpoint goes with `cleanup`, so that comes last.
SCENARIOS: tuple[Scenario, ...] = (
    machines,
    *(function(name) for name in _FUNCTIONS),
    migrate,
    person("analyst"),
    person("risk-officer"),
    api,
    failure,
    delivery_arrived,
    pipeline,
    stream,
    stream_dead_letter,
    ingest,
    erase,
    extract,
    score,
    approved,  # begins a run anew, which `train` then does
    train,
    first_train,
    stop_ingest,
    stop_score,
    stop_train,
    stop_pipeline,
    nightly,
    nightly_dead_letter,
    cleanup,
)
FAILURES = (ScenarioFailedError, PlatformError, ClientError)
