"""The option `training.autopilot`: what it adds to prod, that the gates hold with it, and nothing is there without."""

from typing import Any

import pytest

from gates.assembly import Assembly
from gates.iam import least_privilege, policies
from gates.iam.roles import roles
from gates.machines import data_flow
from gates.machines.asl import asl_rules
from gates.machines.validator import asl_validator
from gates.networks import paths as networks
from gates.templates.guard import cfn_guard
from stacks import config, platform, synthesis

OPTION = config.Autopilot(maximum_candidates=20, maximum_runtime_minutes=120)
GATES = (least_privilege.check, policies.check, networks.check, cfn_guard, data_flow.check, asl_rules, asl_validator)


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """prod with the option on."""
    given = config.load("prod")
    on = given.training.model_copy(update={"autopilot": OPTION})
    folder = tmp_path_factory.mktemp("autopilot") / "prod"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "load", lambda name: given.model_copy(update={"training": on}))
        assert platform.Platform is not None
        synthesis.in_process("prod", folder).synth()
    return Assembly("prod", folder)


@pytest.fixture
def states(switched: Assembly) -> dict[str, Any]:
    return dict(switched.definitions["solvent-prod-train"]["States"])


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.__module__}.{gate.__name__}")
def test_prod_with_the_option_passes_the_gates(switched: Assembly, gate: Any) -> None:
    assert gate(switched).findings == []


def test_without_the_option_there_is_no_state_and_no_role_of_it(assembly: Assembly) -> None:
    assert "autopilot" not in str(assembly.definitions).lower()
    assert not any("autopilot" in name for name in roles(assembly))
    allowed = {a for role in roles(assembly).values() for s in role.statements for a in s.actions}
    assert not any("AutoML" in action for action in allowed)


def test_no_failure_of_autopilot_fails_train(states: dict[str, Any]) -> None:
    """Every state between the training job and the gate leads to the gate, by every way out of it."""
    own, todo = set(), [states["Train"]["Next"]]
    assert todo == ["PrepareAutopilot"]
    while todo:
        name = todo.pop()
        if name in own or name == "EvaluateModel":
            continue
        own.add(name)
        state = states[name]
        if state["Type"] == "Task":
            assert [c["ErrorEquals"] for c in state["Catch"]] == [["States.ALL"]], name
        ways = [*state.get("Choices", []), *state.get("Catch", []), state]
        todo += [way[key] for way in ways for key in ("Next", "Default") if key in way]
    assert not own & {"RecordFailure", "Failed"}
    assert {"StartAutopilot", "DescribeAutopilot", "AutopilotTimedOut", "AutopilotFailed"} <= own
    assert states["EvaluateModel"]["Parameters"]["Payload"]["autopilot.$"] == "$.autopilot"
    assert states["CompleteRun"]["Parameters"]["Payload"]["result"]["autopilot.$"] == "$.gate.autopilot.text"


def test_autopilot_can_touch_no_endpoint_that_serves(switched: Assembly) -> None:
    statements = roles(switched)["solvent-prod-autopilot"].statements
    touched = {r for s in statements if any(a.startswith("sagemaker:") for a in s.actions) for r in s.resources}
    assert touched
    assert {r.rpartition("/")[2] for r in touched} == {"solvent-prod-auto-*"}


def test_the_wait_for_autopilot_counts_where_time_and_events_are_bounded() -> None:
    given = config.load("prod")
    long = {"maximum_candidates": 1, "maximum_runtime_minutes": 1440}
    training = given.training.model_dump() | {"autopilot": long}
    with pytest.raises(ValueError, match="train could write|timeout_hours"):
        config.Config(**(given.model_dump() | {"training": training}))
