"""The options of `training`: what Autopilot and tuning add to prod, and that the gates hold with both."""

import json
from typing import Any

import pytest
from other_settings import synthesized_with

from gates.assembly import Assembly
from gates.iam import least_privilege, policies
from gates.iam.roles import roles
from gates.machines import data_flow
from gates.machines.asl import asl_rules
from gates.machines.validator import asl_validator
from gates.networks import paths as networks
from gates.templates.guard import cfn_guard
from stacks import config

OPTIONS = {
    "autopilot": config.Autopilot(maximum_candidates=20, maximum_runtime_minutes=120),
    "tuning": config.Tuning(maximum_jobs=20, parallel_jobs=4, maximum_runtime_minutes=120),
}
GATES = (least_privilege.check, policies.check, networks.check, cfn_guard, data_flow.check, asl_rules, asl_validator)


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """prod with the options on."""
    given = config.load("prod")
    on = given.training.model_copy(update=OPTIONS)
    return synthesized_with("prod", tmp_path_factory.mktemp("options"), training=on)


@pytest.fixture
def states(switched: Assembly) -> dict[str, Any]:
    return dict(switched.definitions["solvent-prod-train"]["States"])


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.__module__}.{gate.__name__}")
def test_prod_with_the_options_passes_the_gates(switched: Assembly, gate: Any) -> None:
    assert gate(switched).findings == []


def test_without_the_options_there_is_no_state_and_no_role_of_them(assembly: Assembly) -> None:
    assert "autopilot" not in str(assembly.definitions).lower()
    assert "tun" not in str([list(d["States"]) for d in assembly.definitions.values()]).lower()
    assert not any("autopilot" in name for name in roles(assembly))
    allowed = {a for role in roles(assembly).values() for s in role.statements for a in s.actions}
    assert not any("AutoML" in action or "Tuning" in action for action in allowed)


def between(states: dict[str, Any], first: str, end: str) -> set[str]:
    """The states from `first` to `end`, by every way out of each; all tasks among them catch everything."""
    own: set[str] = set()
    todo = [first]
    while todo:
        name = todo.pop()
        if name in own or name == end:
            continue
        own.add(name)
        state = states[name]
        if state["Type"] == "Task":
            assert [c["ErrorEquals"] for c in state["Catch"]] == [["States.ALL"]], name
        ways = [*state.get("Choices", []), *state.get("Catch", []), state]
        todo += [way[key] for way in ways for key in ("Next", "Default") if key in way]
    assert not own & {"RecordFailure", "Failed"}
    return own


def test_no_failure_of_autopilot_fails_train(states: dict[str, Any]) -> None:
    own = between(states, states["Train"]["Next"], "EvaluateModel")
    assert {"PrepareAutopilot", "StartAutopilot", "DescribeAutopilot", "AutopilotTimedOut", "AutopilotFailed"} <= own
    assert states["EvaluateModel"]["Parameters"]["Payload"]["autopilot.$"] == "$.autopilot"
    assert states["CompleteRun"]["Parameters"]["Payload"]["result"]["autopilot.$"] == "$.gate.autopilot.text"


def test_no_failure_of_the_search_fails_train(states: dict[str, Any]) -> None:
    assert between(states, "PrepareTuning", "Train") == {"PrepareTuning", "Tune", "TuningFailed"}
    assert states["Train"]["Parameters"]["HyperParameters"]["tuned.$"] == "$.tuned.settings"
    assert json.loads(states["TuningFailed"]["Parameters"]["settings"]) == {}
    assert states["CompleteRun"]["Parameters"]["Payload"]["result"]["tuning.$"] == "$.tuned.text"


def test_a_trial_is_the_training_job_but_for_what_is_tried(states: dict[str, Any]) -> None:
    job = dict(states["Train"]["Parameters"])
    trial = dict(states["Tune"]["Parameters"]["TrainingJobDefinition"])
    told = job["HyperParameters"]
    assert trial.pop("StaticHyperParameters") == {k: v for k, v in told.items() if k.startswith("sagemaker_")}
    environment = trial.pop("Environment")
    assert environment["SOLVENT_PORTFOLIO.$"] == told["portfolio.$"] and environment["SOLVENT_TRIAL"] == "1"
    assert set(environment) >= set(job.pop("Environment"))
    del job["HyperParameters"], job["TrainingJobName.$"]
    assert trial == job


def test_what_is_tuned_are_hyperparameters_and_metrics_of_the_algorithm(states: dict[str, Any]) -> None:
    """Others are refused for AWS's image: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html."""
    request = states["Tune"]["Parameters"]["HyperParameterTuningJobConfig"]
    names = {entry["Name"] for kind in request["ParameterRanges"].values() for entry in kind}
    assert names <= {"alpha", "colsample_bylevel", "colsample_bynode", "colsample_bytree", "eta", "gamma", "lambda",
                     "max_delta_step", "max_depth", "min_child_weight", "num_round", "subsample"}  # fmt: skip
    assert request["HyperParameterTuningJobObjective"]["MetricName"] == "validation:auc"


def test_autopilot_can_touch_no_endpoint_that_serves(switched: Assembly) -> None:
    statements = roles(switched)["solvent-prod-autopilot"].statements
    touched = {r for s in statements if any(a.startswith("sagemaker:") for a in s.actions) for r in s.resources}
    assert touched
    assert {r.rpartition("/")[2] for r in touched} == {"solvent-prod-auto-*"}


@pytest.mark.parametrize(
    "long",
    [
        {"autopilot": {"maximum_candidates": 1, "maximum_runtime_minutes": 1440}},
        {"tuning": {"maximum_jobs": 2, "parallel_jobs": 1, "maximum_runtime_minutes": 1440}},
    ],
    ids=lambda long: next(iter(long)),
)
def test_the_wait_for_an_option_counts_where_time_and_events_are_bounded(long: dict[str, Any]) -> None:
    given = config.load("prod")
    training = given.training.model_dump() | long
    with pytest.raises(ValueError, match="train could write|timeout_hours"):
        config.Config(**(given.model_dump() | {"training": training}))
