import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from fakes import ACCOUNT, REGION, Executions, JobRuns, SageMaker
from moto import mock_aws

from solvent import delivery, naming
from solvent.delivery import DeliveryError
from solvent.ledger import PortfolioBusy
from solvent.naming import Names
from solvent.runs import InvalidRun, NoChampion, NothingIngested, RunControl

NAMES = Names("dev")
BUCKETS = {zone: NAMES.bucket(zone, ACCOUNT, REGION) for zone in naming.ZONES}
PIPELINE = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{NAMES.state_machine('pipeline')}:a"


class World:
    """An account with a delivery in it, and the run control of it."""

    def __init__(self, folder: Path) -> None:
        self.s3 = boto3.client("s3")
        for zone in ("landing", "artifacts"):
            self.s3.create_bucket(Bucket=BUCKETS[zone], CreateBucketConfiguration={"LocationConstraint": REGION})
        self.table = boto3.resource("dynamodb").create_table(
            TableName=NAMES.runs_table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.executions = Executions(**{"a": "RUNNING", "b": "RUNNING", PIPELINE: "RUNNING"})
        self.sagemaker = SageMaker()
        self.control = self.with_code("1")
        self.folder = folder
        self.deliver(as_of="2026-06-30")

    def deliver(self, *, as_of: str, dataset: str = "test") -> None:
        (self.folder / "customer_profile.csv").write_text("customer_id\nC000001\n")
        provenance = {"customer_profile": {"annual_income": "generated"}}
        settings = {"as_of": as_of, "dataset": dataset, "provenance": provenance}
        (self.folder / "delivery.json").write_text(json.dumps(settings))
        manifest = delivery.build(self.folder)
        self.key = naming.manifest_key("lending", manifest.delivery_id)
        self.manifest = f"s3://{BUCKETS['landing']}/{self.key}"
        self.s3.put_object(Bucket=BUCKETS["landing"], Key=self.key, Body=manifest.to_bytes())

    def with_code(self, version: str) -> RunControl:
        return RunControl(
            table=self.table,
            s3=self.s3,
            states=self.executions,
            sagemaker=self.sagemaker,
            glue=JobRuns(),
            names=NAMES,
            account=ACCOUNT,
            region=REGION,
            code_version=version,
        )

    def begin(self, phase: str = "ingest", execution: str = "a", **request: Any) -> dict[str, Any]:
        if phase in ("ingest", "pipeline"):
            request = {"manifest": self.manifest, **request}
        elif "portfolio" not in request:
            request = {"portfolio": "lending", **request}
        return self.control.begin(phase=phase, execution=execution, request=request)

    def go_live(self, model: str, version: str = "1") -> None:
        self.sagemaker.go_live(NAMES.endpoint("lending"), model, version)

    def ingested(self) -> dict[str, Any]:
        run = self.begin()
        self.control.complete(run=run, result={})
        return run

    def lock(self) -> str | None:
        owner = self.table.get_item(Key={"pk": "lock#lending"}).get("Item", {}).get("owner")
        return str(owner) if owner else None

    def report(self, uri: str) -> dict[str, Any]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        found: dict[str, Any] = json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with mock_aws():
        yield World(tmp_path)


def test_a_run_is_described_by_its_manifest(world: World) -> None:
    run = world.begin()
    assert run["run_id"] == delivery.run_id(
        world.s3.get_object(Bucket=BUCKETS["landing"], Key=world.key)["Body"].read(), "1"
    )
    assert (run["portfolio"], run["as_of"], run["dataset"]) == ("lending", "2026-06-30", "test")
    assert json.loads(run["excluded_features"]) == ["annual_income", "amount_to_income"]
    assert run["completed"] is False
    assert run["job_name"] == f"solvent-dev-lending-{run['run_id']}-1"
    assert run["training_prefix"].endswith(f"/lending/application_features/run_id={run['run_id']}/")
    assert world.lock() == "a"
    json.dumps(run)  # Lambda must be able to return it


def test_names_of_jobs_fit_into_sagemakers_63_characters(world: World) -> None:
    world.ingested()
    world.go_live("solvent-dev-lending-" + "0" * 16 + "-1")
    run = world.begin("score")
    assert len(run["job_name"]) <= 63


def test_other_code_is_another_run(world: World) -> None:
    first = world.begin()["run_id"]
    world.control = world.with_code("2")
    assert world.begin()["run_id"] != first


def test_a_completed_run_is_a_no_op_and_holds_no_lock(world: World) -> None:
    run = world.begin()
    done = world.control.complete(run=run, result={"rows": 3})
    assert done == {"run_id": run["run_id"], "phase": "ingest", "portfolio": "lending", "report": run["report"]}
    assert world.report(done["report"])["result"] == {"rows": 3}
    assert world.lock() is None
    again = world.begin(execution="b")
    assert again["completed"] is True
    assert again["attempt"] == 1
    assert world.lock() is None


def test_a_second_execution_has_to_wait_while_the_first_runs(world: World) -> None:
    world.begin(execution="a")
    with pytest.raises(PortfolioBusy, match="by a"):
        world.begin(execution="b")
    assert world.lock() == "a"


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", None])
def test_the_lock_of_an_execution_that_is_no_more_is_taken_over(world: World, status: str | None) -> None:
    world.begin(execution="a")
    if status:
        world.executions.statuses["a"] = status
    else:
        del world.executions.statuses["a"]
    assert world.begin(execution="b")["attempt"] == 2
    assert world.lock() == "b"


def test_the_phases_of_a_pipeline_share_its_lock_and_do_not_release_it(world: World) -> None:
    pipeline = world.begin("pipeline", execution=PIPELINE)
    ingest = world.begin(execution="b", root=PIPELINE)
    world.control.complete(run=ingest, result={})
    assert world.lock() == PIPELINE
    assert world.begin(execution="b", root=PIPELINE)["completed"] is True
    assert world.lock() == PIPELINE
    world.control.complete(run=pipeline, result={})
    assert world.lock() is None


def test_beginning_twice_by_the_same_execution_is_one_attempt(world: World) -> None:
    assert [world.begin()["attempt"], world.begin()["attempt"]] == [1, 1]


def test_a_failed_run_is_tried_again_under_a_new_job_name(world: World) -> None:
    run = world.begin(execution="a")
    world.control.fail(execution="a", error={"Error": "E", "Cause": "c"}, run=run)
    again = world.begin(execution="b")
    assert again["attempt"] == 2
    assert again["job_name"] != run["job_name"]


def test_training_takes_the_latest_completed_ingest(world: World) -> None:
    with pytest.raises(NothingIngested, match="solvent load"):
        world.begin("train")
    assert world.lock() is None  # or nobody could deliver now
    run = world.ingested()
    train = world.begin("train")
    assert (train["run_id"], train["excluded_features"]) == (run["run_id"], run["excluded_features"])
    assert train["phase"] == "train"


def test_training_on_a_run_that_was_not_ingested_is_refused(world: World) -> None:
    world.ingested()
    with pytest.raises(NothingIngested, match="0" * 16):
        world.begin("train", run_id="0" * 16)
    with pytest.raises(InvalidRun, match="16 hexadecimal"):
        world.begin("train", run_id="../../x")


def test_an_ingest_that_began_but_did_not_complete_is_not_the_latest(world: World) -> None:
    world.begin()
    world.executions.statuses["a"] = "FAILED"
    with pytest.raises(NothingIngested):
        world.begin("train", execution="b")


def test_a_new_champion_is_scored_again_the_same_one_is_not(world: World) -> None:
    world.ingested()
    world.go_live("model-1")
    first = world.begin("score")
    world.control.complete(run=first, result={})
    assert world.begin("score")["completed"] is True
    world.go_live("model-2")
    second = world.begin("score")
    assert (first["champion"], second["champion"]) == ("model-1", "model-2")
    assert second["completed"] is False
    assert second["job_name"] != first["job_name"]
    assert second["predictions_prefix"] != first["predictions_prefix"]


def test_scoring_that_waited_uses_the_champion_that_went_live_meanwhile(world: World) -> None:
    world.ingested()
    world.go_live("model-1")
    world.begin("train", execution="a")
    with pytest.raises(PortfolioBusy):
        world.begin("score", execution="b")
    world.go_live("model-2")
    world.executions.statuses["a"] = "SUCCEEDED"
    assert world.begin("score", execution="b")["champion"] == "model-2"


def test_a_champion_of_the_callers_choice_is_not_scored_with(world: World) -> None:
    world.ingested()
    world.go_live("model-1")
    assert world.begin("score", champion="model-9")["champion"] == "model-1"


def test_without_an_endpoint_nothing_is_scored_and_the_lock_is_free(world: World) -> None:
    world.ingested()
    with pytest.raises(NoChampion, match=r"no endpoint solvent-dev-lending.*Run `train`.*nothing was done"):
        world.begin("score")
    assert world.lock() is None


def test_only_scoring_asks_for_the_champion(world: World) -> None:
    world.ingested()
    assert world.begin("train")["champion"] == ""


@pytest.mark.parametrize(
    "manifest",
    ["s3://elsewhere/lending/x/manifest.json", "nonsense", f"s3://{BUCKETS['landing']}/lending/x/manifest.json",
     f"s3://{BUCKETS['landing']}/lending/x/loans.csv"],
)  # fmt: skip
def test_what_is_no_manifest_of_the_landing_zone_is_refused_with_the_way_out(world: World, manifest: str) -> None:
    with pytest.raises(DeliveryError, match="solvent load"):
        world.begin(manifest=manifest)
    assert world.lock() is None


def test_a_manifest_in_the_wrong_place_is_refused(world: World) -> None:
    body = world.s3.get_object(Bucket=BUCKETS["landing"], Key=world.key)["Body"].read()
    world.s3.put_object(Bucket=BUCKETS["landing"], Key="lending/other/manifest.json", Body=body)
    with pytest.raises(DeliveryError, match="wrong place"):
        world.begin(manifest=f"s3://{BUCKETS['landing']}/lending/other/manifest.json")


def test_an_unknown_phase_or_portfolio_is_named(world: World) -> None:
    with pytest.raises(InvalidRun, match="'deploy'"):
        world.control.begin(phase="deploy", execution="a", request={})
    with pytest.raises(InvalidRun, match="'leasing'"):
        world.begin("train", portfolio="leasing")


class TestFailure:
    def history(self, world: World, *names: str) -> None:
        for number, name in enumerate(names, 1):
            world.executions.history.append(
                {"id": number, "previousEventId": number - 1, "stateEnteredEventDetails": {"name": name}}
            )

    def test_the_report_names_state_and_cause_and_the_lock_is_released(self, world: World) -> None:
        self.history(world, "BeginRun", "RunEtl", "RecordFailure")
        run = world.begin()
        cause = json.dumps({"ErrorMessage": "customer_profile.csv: column region is missing"})
        answer = world.control.fail(execution="a", error={"Error": "States.TaskFailed", "Cause": cause}, run=run)
        assert answer == {
            "error": "States.TaskFailed",
            "cause": "state RunEtl failed: customer_profile.csv: column region is missing",
        }
        assert world.report(run["report"])["cause"] == answer["cause"]
        assert world.lock() is None

    def test_a_run_that_could_not_begin_is_reported_too(self, world: World) -> None:
        self.history(world, "BeginRun", "RecordFailure")
        answer = world.control.fail(execution="a", error={"Error": "DeliveryError", "Cause": "no"}, run={})
        assert answer == {"error": "DeliveryError", "cause": "state BeginRun failed: no"}

    def test_a_failing_phase_leaves_the_pipelines_lock_alone(self, world: World) -> None:
        world.begin("pipeline", execution=PIPELINE)
        run = world.begin(execution="b", root=PIPELINE)
        world.control.fail(execution="b", error={}, run=run)
        assert world.lock() == PIPELINE

    def test_a_failed_training_does_not_move_the_latest_ingest(self, world: World) -> None:
        run = world.ingested()
        train = world.begin("train")
        world.control.fail(execution="a", error={}, run=train)
        assert world.begin("train", execution="b")["run_id"] == run["run_id"]


@pytest.mark.parametrize("root", ["a", PIPELINE.replace(":a", ":gone"), PIPELINE.replace("pipeline", "train")])
def test_nobody_passes_the_lock_by_naming_an_execution_that_is_no_running_pipeline(world: World, root: str) -> None:
    world.executions.statuses[PIPELINE.replace(":a", ":gone")] = "SUCCEEDED"
    with pytest.raises(InvalidRun, match="root"):
        world.begin(execution="b", root=root)
    assert world.lock() is None


def test_each_data_set_builds_on_its_own_last_run(world: World) -> None:
    first = world.begin()
    assert first["base"] == naming.NO_BASE
    world.control.complete(run=first, result={})
    again = world.begin("ingest", execution="b")
    assert again["completed"]
    world.deliver(as_of="2026-07-31")
    second = world.begin("ingest", execution="b")
    assert second["base"] == first["run_id"]
    world.control.complete(run=second, result={})
    # Older than what is loaded, but of another data set: it overwrites nothing, and builds on nothing.
    world.deliver(as_of="2026-01-31", dataset="other")
    assert world.begin("ingest", execution="a")["base"] == naming.NO_BASE


def test_a_run_that_is_repeated_builds_on_what_it_built_on(world: World) -> None:
    first = world.begin()
    world.control.complete(run=first, result={})
    world.deliver(as_of="2026-07-31")
    second = world.begin("ingest", execution="b")
    world.control.complete(run=second, result={})
    world.table.delete_item(Key={"pk": f"run#ingest#lending#{second['run_id']}"})  # the record was lost
    assert world.begin("ingest", execution="a")["base"] == first["run_id"]


def test_an_older_delivery_is_refused_and_newer_rows_stay(world: World) -> None:
    newest = world.ingested()
    world.deliver(as_of="2026-05-31")
    with pytest.raises(DeliveryError, match="2026-06-30 is loaded already"):
        world.begin(execution="b")
    assert world.lock() is None
    assert world.begin("train", execution="c")["run_id"] == newest["run_id"]


def test_a_completed_run_is_not_called_failed_by_what_comes_after(world: World) -> None:
    run = world.ingested()
    world.control.fail(execution="a", error={"Error": "Lambda.Unknown"}, run=run)
    assert world.begin(execution="b")["completed"] is True


def test_a_crash_between_pointer_and_mark_is_made_good_by_the_next_attempt(world: World, monkeypatch: Any) -> None:
    run = world.begin()
    with monkeypatch.context() as patch:
        patch.setattr(world.control.ledger, "note", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            world.control.complete(run=run, result={})
    again = world.begin()
    assert again["completed"] is False
    world.control.complete(run=again, result={})
    assert world.begin("train")["run_id"] == run["run_id"]
