"""The definitions that deploy: no failure is lost, a live endpoint is touched last. What all machines need: `gates`."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from solvent import naming

MACHINES = naming.PHASES


@pytest.fixture(params=MACHINES)
def definition(request: pytest.FixtureRequest, assembly: Any) -> dict[str, Any]:
    return assembly.definitions[f"solvent-{assembly.environment}-{request.param}"]


def _states(definition: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == kind}


def _targets(state: dict[str, Any]) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (branch["Next"] for key in ("Choices", "Catch") for branch in state.get(key, []))


def _reachable(definition: dict[str, Any], start: str, without: frozenset[str] = frozenset()) -> set[str]:
    found, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name not in found | without:
            found.add(name)
            todo += _targets(definition["States"][name])
    return found


def test_all_four_machines_are_there(assembly: Any) -> None:
    assert set(assembly.definitions) == {f"solvent-{assembly.environment}-{phase}" for phase in MACHINES}


def test_every_failure_is_recorded_before_the_execution_fails(definition: dict[str, Any]) -> None:
    """The only ways into a Fail state lead through RecordFailure, which releases the portfolio's lock."""
    fails = set(_states(definition, "Fail"))
    assert fails == {"Failed", "FailedUnrecorded"}
    assert not fails & _reachable(definition, definition["StartAt"], without=frozenset({"RecordFailure"}))


def test_a_busy_portfolio_is_waited_for(definition: dict[str, Any]) -> None:
    busy = definition["States"]["BeginRun"]["Retry"][0]
    assert busy["ErrorEquals"] == ["PortfolioBusy"]
    assert busy["IntervalSeconds"] * busy["MaxAttempts"] >= 15 * 60


def test_a_completed_run_does_nothing(definition: dict[str, Any]) -> None:
    choice = definition["States"]["AlreadyCompleted"]["Choices"][0]
    done = _reachable(definition, choice["Next"])
    assert not [name for name in done if definition["States"][name]["Type"] == "Task"]


def test_both_ends_of_a_machine_answer_the_same(definition: dict[str, Any]) -> None:
    completed = {key.removesuffix(".$") for key in definition["States"]["Completed"]["Parameters"]}
    assert completed == {key.removesuffix(".$") for key in definition["States"]["CompleteRun"]["ResultSelector"]}
    assert completed == {"run_id", "phase", "portfolio", "report"}


def test_a_discarded_result_is_null_and_not_missing(synthesized: Any) -> None:
    """Without `ResultPath: null` a task's result replaces the state's whole input, and the run with it."""
    score = synthesized["dev"].definitions["solvent-dev-score"]["States"]
    assert score["Transform"]["ResultPath"] is None
    assert all("ResultPath" in task for task in _states({"States": score}, "Task").values())


# train: what protects the live endpoint


@pytest.fixture
def train(assembly: Any) -> dict[str, Any]:
    return assembly.definitions[f"solvent-{assembly.environment}-train"]


def test_a_failed_training_or_gate_cannot_reach_the_endpoint(train: dict[str, Any]) -> None:
    touching = {"CreateEndpoint", "UpdateEndpoint"}
    for gate in (
        "Train",
        "EvaluateModel",
        "GatePassed",
        "RegisterModel",
        "LoadWarehouse",
        "PackageApproved",
        "CreateModel",
    ):
        assert not touching & _reachable(train, train["StartAt"], without=frozenset({gate})), f"around {gate}"
    assert not touching & _reachable(train, "RecordFailure")


def test_only_an_approved_package_goes_on(train: dict[str, Any]) -> None:
    rules = {c["StringEquals"]: c["Next"] for c in train["States"]["PackageApproved"]["Choices"]}
    assert rules == {"Approved": "NameVersion", "Rejected": "ModelRejected"}
    assert _ways_into(train, "NameVersion") == ["PackageApproved"]
    assert _ways_into(train, "CreateModel") == ["NameVersion"]


def test_the_wait_for_a_person_does_not_hold_the_lock(train: dict[str, Any]) -> None:
    """Into the wait only through PauseRun, out of it (but to a failure) only through ResumeRun."""
    waiting = {"WaitApproval", "DescribeApproval", "CheckApproval"}
    assert not waiting & _reachable(train, train["StartAt"], without=frozenset({"PauseRun"}))
    out = _reachable(train, "AwaitApproval", without=frozenset({"ResumeRun", "RecordFailure"}))
    assert out == waiting | {"AwaitApproval", "CountApproval", "ApprovalTimedOut", "ModelRejected"}
    actions = {name: train["States"][name]["Parameters"]["Payload"] for name in ("PauseRun", "ResumeRun")}
    assert [payload["action"] for payload in actions.values()] == ["pause", "resume"]
    assert train["States"]["ResumeRun"]["Retry"][0] == train["States"]["BeginRun"]["Retry"][0]
    # What was approved before may have been rejected while the lock was waited for.
    assert train["States"]["ResumeRun"]["Next"] == "ReadPackage"


def test_what_is_approved_at_once_does_not_pause(train: dict[str, Any]) -> None:
    without = _reachable(train, train["StartAt"], without=frozenset({"PauseRun"}))
    assert {"CreateModel", "CompleteRun"} <= without
    assert not {"ResumeRun", "WaitApproval"} & without


def test_a_registered_version_is_in_the_warehouse_before_anyone_is_asked_to_approve_it(train: dict[str, Any]) -> None:
    states = train["States"]
    assert [states[name]["Next"] for name in ("RegisterModel", "NoteTime")] == ["NoteTime", "LoadWarehouse"]
    by_status = {c.get("StringEquals"): c["Next"] for c in states["CheckLoad"]["Choices"]}
    assert by_status["FINISHED"] == "ReadPackage"
    assert states[by_status["FAILED"]]["Next"] == "LoadFailed"  # there is no COPY whose errors could be kept
    unwritten = _reachable(train, train["StartAt"], without=frozenset({"CheckLoad"}))
    assert not unwritten & {"PauseRun", "CreateModel", "CompleteRun"}


# score: the champion


def test_scoring_uses_the_champion_that_was_found_under_the_lock(assembly: Any) -> None:
    states = assembly.definitions[f"solvent-{assembly.environment}-score"]["States"]
    assert states["Start"]["Next"] == "BeginRun"
    assert states["Transform"]["Parameters"]["ModelName.$"] == "$.run.champion"
    looking = {"sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"}
    assert looking <= assembly.actions("run-control")
    assert not looking & assembly.actions("score")


# train: what protects the live endpoint, once there is a model


def test_success_needs_the_wanted_configuration_in_service(train: dict[str, Any]) -> None:
    """After a rollback SageMaker reports InService, on the old configuration."""
    states = train["States"]
    (as_wanted,) = states["AsWanted"]["Choices"]
    assert (as_wanted["Variable"], as_wanted["StringEqualsPath"]) == ("$.endpoint.config", "$.run.job_name")
    assert states["AsWanted"]["Default"] == "EndpointRolledBack"
    assert _ways_into(train, as_wanted["Next"]) == ["AsWanted"]
    unchecked = _reachable(train, train["StartAt"], without=frozenset({"CheckEndpoint"}))
    assert not unchecked & {"AsWanted", "CompleteRun", "RegisterScaling"}


def _ways_into(definition: dict[str, Any], target: str) -> list[str]:
    return [name for name, state in definition["States"].items() if target in _targets(state)]


def test_an_update_rolls_back_on_alarms_that_exist(assembly: Any, train: dict[str, Any]) -> None:
    alarms = train["States"]["UpdateEndpoint"]["Parameters"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    named = [re.match(r"States\.Format\('(.+)', \$\.run\.portfolio\)", alarm["AlarmName.$"])[1] for alarm in alarms]  # type: ignore[index]
    existing = {alarm["AlarmName"]: alarm for alarm in assembly.of("AWS::CloudWatch::Alarm").values()}
    for portfolio in naming.PORTFOLIOS:
        watched = [existing[name.replace("{}", portfolio)] for name in named]
        variants = [
            {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}["VariantName"]
            for alarm in watched
        ]
        assert [(variant, alarm["MetricName"]) for variant, alarm in zip(variants, watched, strict=True)] == [
            (variant, metric) for variant in naming.VARIANTS for metric in ("Invocation5XXErrors", "ModelLatency")
        ]


def _routing(states: dict[str, Any]) -> dict[str, Any]:
    policy = states["UpdateEndpoint"]["Parameters"]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    return policy["TrafficRoutingConfiguration"]


def test_prod_shifts_at_most_half_of_its_instances_first(prod: Any) -> None:
    routing = _routing(prod.definitions["solvent-prod-train"]["States"])
    assert routing["Type"] == "CANARY" and routing["CanarySize"]["Value"] <= 50


def test_dev_shifts_at_once_and_waits_for_nobody(dev: Any) -> None:
    states = dev.definitions["solvent-dev-train"]["States"]
    assert _routing(states)["Type"] == "ALL_AT_ONCE"
    assert states["RegisterModel"]["Parameters"]["ModelApprovalStatus"] == "Approved"


def test_prod_scales_what_is_in_service_and_nothing_before_it_is(prod: Any, dev: Any) -> None:
    train = prod.definitions["solvent-prod-train"]
    states = train["States"]
    in_service = next(c for c in states["CheckEndpoint"]["Choices"] if c.get("StringEquals") == "InService")
    assert in_service["Next"] == "RegisterScaling"
    assert _ways_into(train, "RegisterScaling") == ["CheckEndpoint"]
    # A target that could not be registered, and an update that was rolled back, are both told apart afterwards.
    for name in ("NoteScaling", "ScalingFailed"):
        assert states[name]["Next"] == "AsWanted"
    limits = states["RegisterScaling"]["Parameters"]
    assert (limits["MinCapacity"], limits["MaxCapacity"]) == (2, 4)
    assert "RegisterScaling" not in dev.definitions["solvent-dev-train"]["States"]


def test_another_instance_type_takes_the_scaling_target_away_before_the_update(prod: Any) -> None:
    states = prod.definitions["solvent-prod-train"]["States"]
    (same,) = states["SameInstances"]["Choices"]
    deployed = states["CreateEndpointConfig"]["Parameters"]["ProductionVariants"][0]["InstanceType"]
    assert (same["StringEquals"], same["Next"]) == (deployed, "UpdateEndpoint")
    assert states["SameInstances"]["Default"] == "StopScaling"
    assert states["StopScaling"]["Next"] == "UpdateEndpoint"
    missing = states["StopScaling"]["Catch"][0]
    assert (missing["ErrorEquals"], missing["Next"]) == (
        ["ApplicationAutoScaling.ObjectNotFoundException"],
        "UpdateEndpoint",
    )


def test_where_scaling_is_off_no_target_of_a_time_when_it_was_on_stays(dev: Any) -> None:
    train = dev.definitions["solvent-dev-train"]
    assert train["States"]["LiveAlready"]["Default"] == "StopScaling"
    assert _ways_into(train, "UpdateEndpoint") == ["StopScaling"]


def test_a_challenger_comes_beside_the_champion_with_its_share(train: dict[str, Any]) -> None:
    states = train["States"]
    variants = states["CreateChallengerConfig"]["Parameters"]["ProductionVariants"]
    assert {v["VariantName"]: (v["ModelName.$"], v["InitialVariantWeight.$"]) for v in variants} == {
        "champion": ("$.champion.model", "$.champion.weight"),
        "challenger": ("$.run.job_name", "$.run.challenger_weight"),
    }
    assert _ways_into(train, "CreateChallengerConfig") == ["FindChampion"]


def test_requests_are_captured_under_the_platforms_key_where_they_expire(assembly: Any, train: dict[str, Any]) -> None:
    for name in ("CreateEndpointConfig", "CreateChallengerConfig"):
        parameters = train["States"][name]["Parameters"]
        capture = parameters["DataCaptureConfig"]
        assert capture["KmsKeyId"] == parameters["KmsKeyId"]
        assert "/captured/{}'" in capture["DestinationS3Uri.$"]


# triggers


def test_only_a_manifest_starts_ingest_and_passes_its_address(assembly: Any) -> None:
    rule = assembly.one("AWS::Events::Rule")
    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"suffix": "/manifest.json"}]
    target = rule["Targets"][0]
    template = target["InputTransformer"]["InputTemplate"]
    assert re.fullmatch(r'\{"manifest":"s3://<[\w-]+>/<[\w-]+>"\}', template)
    assert target["DeadLetterConfig"]


def test_the_nightly_schedule_scores_every_portfolio(assembly: Any) -> None:
    schedules = [s for s in assembly.of("AWS::Scheduler::Schedule").values() if "score-" in s["Name"]]
    inputs = [json.loads(s["Target"]["Input"]) for s in schedules]
    assert inputs == [{"portfolio": portfolio} for portfolio in naming.PORTFOLIOS]
    assert all(s["Target"]["DeadLetterConfig"] for s in assembly.of("AWS::Scheduler::Schedule").values())


# SageMaker as it is on AWS


def test_throttling_by_sagemaker_is_waited_out(assembly: Any) -> None:
    """SageMaker's model names no throttling: it arrives as the error of everything without a name."""
    asked = 0
    for definition in assembly.definitions.values():
        for name, task in _states(definition, "Task").items():
            integration = task["Resource"].removeprefix("arn:aws:states:::")
            generic = {
                "sagemaker": "SageMaker.AmazonSageMakerException", "aws-sdk": "SageMaker.SageMakerException",
            }.get(integration.split(":")[0])  # fmt: skip
            if generic is None or "sagemaker" not in integration:
                continue
            retried = {error for retry in task["Retry"] for error in retry["ErrorEquals"]}
            # Its error is an answer, "Could not find endpoint", and the first deployment waits for it.
            assert (generic in retried) is (name != "DescribeLive"), name
            asked += 1
    assert asked >= 10


def test_the_prebuilt_image_is_asked_as_aws_allows(train: dict[str, Any]) -> None:
    """AWS refuses metric definitions for its own algorithms' images, and a container without network pip's index."""
    training, model = (train["States"][name]["Parameters"] for name in ("Train", "CreateModel"))
    assert "MetricDefinitions" not in training["AlgorithmSpecification"]
    offline = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for isolated, variables in (
        (training["EnableNetworkIsolation"], training["Environment"]),
        (model["EnableNetworkIsolation"], model["PrimaryContainer"]["Environment"]),
    ):
        assert isolated is True
        assert offline.items() <= variables.items()


def test_a_repeated_registration_makes_one_version(train: dict[str, Any]) -> None:
    """ClientToken: at most 36 letters, digits and dashes; MD5 gives 32."""
    assert train["States"]["RegisterModel"]["Parameters"]["ClientToken.$"] == "States.Hash($$.Execution.Id, 'MD5')"


@pytest.mark.parametrize("phase", ["ingest", "score"])
def test_marts_are_refreshed_after_a_load_and_before_a_run_completes(assembly: Any, phase: str) -> None:
    machine = assembly.definitions[f"solvent-{assembly.environment}-{phase}"]
    loaded = next(c["Next"] for c in machine["States"]["CheckLoad"]["Choices"] if c.get("StringEquals") == "FINISHED")
    assert loaded == "RefreshMarts"
    unrefreshed = _reachable(machine, machine["StartAt"], without=frozenset({"RefreshMarts"}))
    assert not unrefreshed & {"CompleteRun", "Notify", "SourcesStopped"}
    payload = machine["States"]["RefreshMarts"]["Parameters"]["Payload"]
    assert (payload["phase"], payload["after.$"]) == ("refresh", "$.load.id")


@pytest.mark.parametrize("phase", ["ingest", "score"])
def test_a_refresh_that_fails_fails_the_run_and_says_that_the_load_stays(assembly: Any, phase: str) -> None:
    states = assembly.definitions[f"solvent-{assembly.environment}-{phase}"]["States"]
    by_status = {c.get("StringEquals"): c["Next"] for c in states["CheckRefresh"]["Choices"]}
    assert by_status["FAILED"] == "ExplainRefresh"
    assert "the load is committed" in states["ExplainRefresh"]["ResultSelector"]["text.$"]
    for name in ("RefreshAborted", "RefreshTimedOut"):
        assert "the load is committed" in states[name]["Parameters"]["Cause"]
    assert states["RefreshFailed"]["Parameters"] == {"Error": "RefreshFailed", "Cause.$": "$.refresh_error.text"}


@pytest.mark.parametrize("phase", ["ingest", "score"])
def test_a_failed_load_tells_its_own_error_whatever_becomes_of_the_copy_errors(assembly: Any, phase: str) -> None:
    states = assembly.definitions[f"solvent-{assembly.environment}-{phase}"]["States"]
    kept = states["KeepCopyErrors"]
    assert states["ExplainLoad"]["Next"] == "KeepCopyErrors" and kept["Next"] == "LoadFailed"
    assert [(c["Next"], c["ResultPath"]) for c in kept["Catch"]] == [("LoadFailed", "$.not_kept")]
    assert states["ExplainLoad"]["ResultPath"] == kept["ResultPath"] == "$.load_error"
    assert states["LoadFailed"]["Parameters"]["Cause.$"] == "$.load_error.text"
