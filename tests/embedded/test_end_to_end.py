"""The whole path in the embedded AWS: the synthesized assembly, deployed, fed, run and broken on purpose."""

import base64
import csv
import hashlib
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from persons import wait

from solvent import contracts, datasets, naming, specification
from solvent.client import Execution, Platform, PlatformError, query
from solvent.rollout import Rollout

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
APPLICANT = json.loads((ROOT / "examples" / "applicant.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivery")
    datasets.write("synthetic", folder, size=400, seed=2)
    return folder


@pytest.fixture(scope="module")
def manifest(platform: Platform, folder: Path) -> str:
    return platform.load(folder)


@pytest.fixture(scope="module")
def first_run(platform: Platform, manifest: str) -> Execution:
    done = platform.run("pipeline", {"manifest": manifest}, timeout=240)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    return done


def checksums(platform: Platform) -> dict[str, str]:
    """One checksum per published table, over all rows in the order of the key."""
    found = {}
    for contract in contracts.load().values():
        if contract.kind == "published":
            sql = f"SELECT * FROM {contract.schema}.{contract.name} ORDER BY {', '.join(contract.key)}"
            _, rows = query(platform.target, sql)
            found[contract.name] = hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()
    return found


def model_versions(platform: Platform) -> int:
    group = platform.names.model_package_group("lending")
    packages = platform.target.client("sagemaker").list_model_packages(ModelPackageGroupName=group)
    return len(packages["ModelPackageSummaryList"])


def changed(folder: Path, to: Path, source: str, change: Callable[[list[list[str]]], list[list[str]]]) -> Path:
    """A copy of a delivery in which one file was changed."""
    shutil.copytree(folder, to)
    path = to / f"{source}.csv"
    with path.open(newline="") as file:
        rows = change(list(csv.reader(file)))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return to


# What comes out


def test_every_row_is_accounted_for(platform: Platform, first_run: Execution, folder: Path) -> None:
    _, rows = query(
        platform.target,
        "SELECT SUM(rows_in), SUM(rows_good), SUM(rows_quarantined), SUM(rows_duplicate) FROM ops.load_log",
    )
    rows_in, good, quarantined, duplicates = (int(v) for v in rows[0])
    lines = sum(len(path.read_text().splitlines()) - 1 for path in folder.glob("*.csv"))
    assert rows_in == lines == good + quarantined + duplicates
    assert quarantined > 0
    assert duplicates > 0


def test_every_quarantined_row_has_a_reason_and_a_position(platform: Platform, first_run: Execution) -> None:
    _, rows = query(platform.target, "SELECT source, source_file, row_number, reason FROM ops.quarantine_log")
    _, counted = query(platform.target, "SELECT SUM(rows_quarantined) FROM ops.load_log")
    assert len(rows) == int(counted[0][0])
    assert all(source and file and int(number) > 0 and reason for source, file, number, reason in rows)


def test_every_open_loan_has_one_prediction_with_reasons(platform: Platform, first_run: Execution) -> None:
    _, rows = query(
        platform.target,
        "SELECT COUNT(*), COUNT(DISTINCT loan_id), MIN(probability), MAX(probability),"
        " SUM(CASE WHEN reasons IS NULL THEN 1 ELSE 0 END)"
        " FROM lending.predictions",
    )
    count, loans, low, high, unexplained = rows[0]
    assert int(count) == int(loans) > 0
    assert 0 < float(low) < float(high) < 1
    assert int(unexplained) == 0


def bodies(platform: Platform, zone: str, prefix: str) -> list[bytes]:
    """The objects below a prefix, in the order of their keys."""
    s3, bucket = platform.target.client("s3"), platform.target.bucket(zone)
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    return [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found]


@pytest.mark.parametrize(("kind", "run_id"), [("application/x-parquet", 16 * "d"), ("text/csv", 16 * "e")])
def test_a_batch_may_be_parquet_or_csv_and_gets_the_answers_of_json_lines(
    platform: Platform, first_run: Execution, kind: str, run_id: str
) -> None:
    table, model = specification.load("lending").batch_table, platform.champion()["model"]
    given = bodies(platform, "training", naming.table_prefix("lending", table, first_run.output["run_id"]))
    rows = pd.DataFrame([json.loads(line) for body in given for line in body.splitlines()])
    asked, answered = naming.table_prefix("lending", table, run_id), naming.predictions_prefix("lending", run_id, model)
    body = rows.to_parquet(index=False) if "parquet" in kind else rows.to_csv(index=False).encode()
    zone = platform.target.bucket("training")
    platform.target.client("s3").put_object(Bucket=zone, Key=f"{asked}part-0", Body=body)
    sagemaker, job = platform.target.client("sagemaker"), f"solvent-dev-lending-{run_id}"
    sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=model,
        TransformInput={
            "ContentType": kind,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{zone}/{asked}"}},
        },
        TransformOutput={
            "S3OutputPath": f"s3://{platform.target.bucket('artifacts')}/{answered}",
            "Accept": "application/jsonlines",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    wait(lambda: sagemaker.describe_transform_job(TransformJobName=job)["TransformJobStatus"] == "Completed", 60)
    expected = bodies(platform, "artifacts", answered.replace(run_id, first_run.output["run_id"]))
    assert b"".join(bodies(platform, "artifacts", answered)) == b"".join(expected)


def test_a_prediction_leads_to_the_figures_of_its_model(platform: Platform, first_run: Execution) -> None:
    _, scored = query(platform.target, "SELECT DISTINCT model_version FROM lending.predictions")
    sql = "SELECT model_version, run_id, auc, rows FROM marts.model_versions WHERE portfolio = 'lending'"
    _, rows = query(platform.target, sql)
    assert len(rows) == model_versions(platform)
    by_version = {str(version): figures for version, *figures in rows}
    run_id, auc, labelled = by_version[str(scored[0][0])]
    metrics = json.loads(read(platform, first_run.output["report"].replace("pipeline", "train")))["result"]["metrics"]
    assert run_id == first_run.output["run_id"]
    assert (float(auc), int(labelled)) == (float(metrics["auc"]), int(metrics["rows"]))


def test_the_training_job_is_logged_in_mlflow(
    platform: Platform, aws: Any, first_run: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    tracking = MlflowClient(tracking_uri=(aws.home / "mlflow").as_uri())
    experiment = tracking.get_experiment_by_name(f"{platform.names.prefix}-lending")
    report = json.loads(read(platform, first_run.output["report"].replace("pipeline", "train")))["result"]
    assert experiment, report["experiment"]
    logged = tracking.search_runs([experiment.experiment_id])
    (ours,) = [run for run in logged if run.data.tags["solvent.run_id"] == first_run.output["run_id"]]
    assert ours.info.status == "FINISHED" and ours.data.tags["solvent.gate"] == "passed"
    assert ours.data.metrics["auc"] == pytest.approx(float(report["metrics"]["auc"]), abs=1e-5)
    assert "evaluation.json" in [artifact.path for artifact in tracking.list_artifacts(ours.info.run_id)]


def test_the_endpoint_the_api_and_the_batch_agree(platform: Platform, first_run: Execution) -> None:
    answer = platform.score(APPLICANT)
    by_api = platform.score_by_api(APPLICANT)
    assert by_api.pop("request_id") != answer.pop("request_id")
    assert by_api == answer
    assert 0 < answer["probability"] < 1
    assert answer["decision"] in {"approve", "refer", "decline"}
    assert answer["model_version"]
    report = json.loads(read(platform, first_run.output["report"]))
    assert report["status"] == "completed"
    assert first_run.output["run_id"] in json.dumps(report)


def test_stream_events_arrive_and_poison_is_kept_with_its_reason(platform: Platform, first_run: Execution) -> None:
    good = [
        {
            "event_id": f"E9{i:05}",
            "loan_id": "L000001",
            "stage": "submitted",
            "team": "branch",
            "occurred_at": "2026-06-30T09:00:00",
        }
        for i in range(20)
    ]
    platform.put_events([*good[:10], {"event_id": "poison", "stage": 7}, *good[10:]])
    wait_until(lambda: {e["event_id"] for e in good} <= {e["event_id"] for e in platform.stream_events()})
    s3, bucket = platform.target.client("s3"), platform.target.bucket("quarantine")

    def poison() -> list[dict[str, Any]]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="stream/").get("Contents", [])
        bodies = (s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read() for o in listed)
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    wait_until(lambda: bool(poison()))
    (kept,) = poison()
    assert b"poison" in base64.b64decode(kept["payload_base64"])
    assert "loan_id" in kept["reason"]


# What must change nothing


def test_the_same_delivery_again_changes_nothing(platform: Platform, first_run: Execution, folder: Path) -> None:
    before, versions = checksums(platform), model_versions(platform)
    again = platform.run("pipeline", {"manifest": platform.load(folder)}, timeout=120)
    assert again.status == "SUCCEEDED"
    assert again.output["run_id"] == first_run.output["run_id"]
    assert checksums(platform) == before
    assert model_versions(platform) == versions


def test_a_run_whose_record_was_lost_repeats_itself_without_an_effect(
    platform: Platform, first_run: Execution, folder: Path
) -> None:
    before, run_id = checksums(platform), first_run.output["run_id"]
    ledger, table = platform.target.client("dynamodb"), platform.names.runs_table
    ledger.delete_item(TableName=table, Key={"pk": {"S": f"run#ingest#lending#{run_id}"}})
    again = platform.run("ingest", {"manifest": platform.load(folder)}, timeout=120)
    assert again.status == "SUCCEEDED", again.cause
    assert again.output["run_id"] == run_id
    assert again.seconds > 0.5, "it did not run"
    assert checksums(platform) == before


@pytest.mark.parametrize(
    ("source", "change", "said", "state"),
    [
        ("loan_application", lambda rows: [row[1:] for row in rows], "loan_id", "SourcesStopped"),
        ("repayment_history", lambda rows: [], "empty", "SourcesStopped"),
        ("customer_profile", lambda rows: [["\x00\x01 not a table"], *rows[:3]], "customer_profile", "RunEtl"),
    ],
    ids=["missing column", "empty file", "malformed file"],
)
def test_a_bad_file_fails_by_name_and_its_source_stays_as_it_was(
    platform: Platform,
    first_run: Execution,
    folder: Path,
    tmp_path: Path,
    source: str,
    change: Any,
    said: str,
    state: str,
) -> None:
    before = checksums(platform)
    done = platform.run(
        "ingest", {"manifest": platform.load(changed(folder, tmp_path / "bad", source, change))}, timeout=120
    )
    assert done.status == "FAILED"
    assert said in done.cause
    assert state in f"{done.error} {done.cause}"
    after = checksums(platform)
    logs = {"load_log", "quarantine_log"} if state == "SourcesStopped" else set()  # of what went on
    assert {name for name in before if before[name] != after[name]} == logs
    latest = platform.run("score", {"portfolio": "lending"}, timeout=120)
    assert latest.output["run_id"] == first_run.output["run_id"], "a run that lacks a source is not the latest"


def test_the_reason_of_a_bad_delivery_arrives_whole_and_alone(
    platform: Platform, first_run: Execution, folder: Path, tmp_path: Path
) -> None:
    delivery = shutil.copytree(folder, tmp_path / "bad")
    path = delivery / "customer_profile.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], "Jos\u00e9,".encode("latin-1") + lines[4], *lines[5:]]))
    done = platform.run("ingest", {"manifest": platform.load(delivery)}, timeout=120)
    assert done.status == "FAILED"
    said = (
        "EtlError: customer_profile.csv is not UTF-8: line 5 has the byte 0xe9. "
        "Save it as UTF-8 and deliver it again. Nothing of it was published. loan_application, "
    )
    assert said in done.cause
    assert "Traceback" not in done.cause


def test_an_application_of_an_unknown_customer_is_quarantined(
    platform: Platform, first_run: Execution, folder: Path, tmp_path: Path
) -> None:
    def stranger(rows: list[list[str]]) -> list[list[str]]:
        customer, loan = rows[0].index("customer_id"), rows[0].index("loan_id")
        copy = list(next(row for row in rows[1:] if len(row) == len(rows[0])))
        copy[customer], copy[loan] = "C999999", "L999999"
        return [*rows, copy]

    done = platform.run(
        "ingest",
        {"manifest": platform.load(changed(folder, tmp_path / "stranger", "loan_application", stranger))},
        timeout=120,
    )
    assert done.status == "SUCCEEDED", done.cause
    _, rows = query(
        platform.target,
        "SELECT reason FROM ops.quarantine_log WHERE run_id = :run_id AND record_key = 'L999999'",
        {"run_id": done.output["run_id"]},
    )
    assert len(rows) == 1
    assert "customer_id" in rows[0][0]
    assert query(platform.target, "SELECT 1 FROM lending.loans WHERE loan_id = 'L999999'")[1] == []


def test_devs_update_is_all_at_once_with_no_scaling_target_to_take_away(
    platform: Platform, first_run: Execution
) -> None:
    before = platform.champion()["model"]
    done = platform.run("train", {"portfolio": "lending", "challenger_weight": 0.1}, timeout=240)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"

    sagemaker = platform.target.client("sagemaker")
    live = sagemaker.describe_endpoint(EndpointName=platform.names.endpoint("lending"))
    assert live["EndpointConfigName"] != before
    routing = live["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "ALL_AT_ONCE"
    assert Rollout(sagemaker, platform.names, pause=0.2).back("lending") == before


def test_a_failed_training_leaves_the_endpoint_untouched(
    platform: Platform, first_run: Execution, folder: Path, tmp_path: Path
) -> None:
    def nobody_defaults(rows: list[list[str]]) -> list[list[str]]:
        label = rows[0].index("published_default")
        return [
            rows[0],
            *([*row[:label], "0", *row[label + 1 :]] if len(row) == len(rows[0]) else row for row in rows[1:]),
        ]

    before, versions = platform.champion(), model_versions(platform)
    delivery = platform.load(changed(folder, tmp_path / "harmless", "loan_application", nobody_defaults))
    done = platform.run("pipeline", {"manifest": delivery}, timeout=240)
    assert done.status == "FAILED"
    assert "Train" in done.cause
    assert platform.champion() == before
    assert model_versions(platform) == versions
    assert platform.score(APPLICANT)["model_version"] == before["version"]


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        ({"amount": "a lot"}, "amount"),
        ({"amount": [4200]}, "amount"),
        ({"amount": -5}, "amount"),
        ({"term_months": True}, "term_months"),
        ({"no_such_field": 1}, "no_such_field"),
    ],
)
def test_a_malformed_request_is_refused_by_the_name_of_its_field(
    platform: Platform, first_run: Execution, spoil: dict[str, Any], field: str
) -> None:
    with pytest.raises(PlatformError, match=field):
        platform.score({**APPLICANT, **spoil})
    with pytest.raises(PlatformError, match=rf"4\d\d .*{field}"):
        platform.score_by_api({**APPLICANT, **spoil})


def test_a_field_that_is_not_given_is_asked_for_by_name(platform: Platform, first_run: Execution) -> None:
    with pytest.raises(PlatformError, match="amount"):
        platform.score({name: value for name, value in APPLICANT.items() if name != "amount"})


# Who may do what


def test_health_is_open_and_scoring_is_not(platform: Platform, first_run: Execution) -> None:
    assert platform.health()["status"] == "ok"
    request = urllib.request.Request(f"{platform.api_url}/v1/score", json.dumps(APPLICANT).encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 403


def test_a_role_without_a_permission_is_denied(platform: Platform, first_run: Execution) -> None:
    def arrived() -> set[str]:
        return {e["event_id"] for e in platform.stream_events()}

    assert invoke(platform, "stream-ingest", kinesis_event({"event_id": "E777777", "loan_id": "L000001"}, "1")) == {
        "batchItemFailures": []
    }
    assert "E777777" in arrived()
    with without_permission(platform, "stream-ingest", "s3:PutObject"):
        answer = invoke(platform, "stream-ingest", kinesis_event({"event_id": "E888888", "loan_id": "L000001"}, "2"))
    assert "AccessDenied" in answer["errorMessage"]
    assert "E888888" not in arrived()


@contextmanager
def without_permission(platform: Platform, function: str, action: str) -> Iterator[None]:
    """A function's role with one action taken out of all its inline policies."""
    iam, functions = platform.target.client("iam"), platform.target.client("lambda")
    arn = functions.get_function_configuration(FunctionName=platform.names.named(function))["Role"]
    role = arn.rsplit("/", 1)[1]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = {n: iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"] for n in names}
    stripped = 0
    for name, policy in policies.items():
        statements = []
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            kept = [a for a in actions if a not in (action, action.split(":")[0] + ":*", f"{action}*")]
            stripped += len(actions) - len(kept)
            if kept:
                statements.append({**statement, "Action": kept})
        iam.put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**policy, "Statement": statements})
        )
    assert stripped, f"{role} never had {action}"
    try:
        yield
    finally:
        for name, policy in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def invoke(platform: Platform, function: str, event: Any) -> dict[str, Any]:
    answer = platform.target.client("lambda").invoke(
        FunctionName=platform.names.named(function), Payload=json.dumps(event).encode()
    )
    return dict(json.loads(answer["Payload"].read()))


def kinesis_event(record: dict[str, Any], sequence: str) -> dict[str, Any]:
    full = {"stage": "submitted", "team": "branch", "occurred_at": "2026-06-30T09:00:00", **record}
    return {
        "Records": [
            {
                "eventID": f"shardId-000000000000:{sequence}",
                "eventSource": "aws:kinesis",
                "kinesis": {
                    "sequenceNumber": sequence,
                    "partitionKey": "x",
                    "approximateArrivalTimestamp": 1782810000.0,
                    "data": base64.b64encode(json.dumps(full).encode()).decode(),
                },
            }
        ]
    }


def read(platform: Platform, uri: str) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return platform.target.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
