"""Rules for state machines that asl-validator does not know, on the resolved definitions, Parallel and Map included."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.assembly import ACCOUNT, Assembly
from gates.machines import integrations
from gates.machines.flows import INSIDE, Flow, catches_all, flows
from gates.outcome import Finding, Outcome

Objections = Iterator[tuple[str, str]]  # state, text
MOST_ATTEMPTS = 20  # with a pause that doubles, the twentieth comes after days
A_WEEK = 7 * 24 * 3600  # prod waits three days for a person; a week passes every long weekend


@dataclass(frozen=True)
class Machine:
    """A definition, and the region it is deployed to."""

    definition: Mapping[str, Any]
    region: str

    def flows(self) -> Iterator[Flow]:
        """Its flows: the definition itself, and every branch inside of it."""
        return flows(self.definition)


# The rules. Each gets a machine and yields the states it objects to.


def _unknown_resource(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            if text := integrations.unknown(str(task.get("Resource"))):
                yield name, text


def _wrong_parameter(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            parameters = task.get("Parameters", task.get("Arguments", {}))
            if isinstance(parameters, Mapping):
                for text in integrations.wrong_parameters(str(task.get("Resource")), parameters):
                    yield name, text


def _choice_without_default(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, choice in flow.of("Choice"):
            if "Default" not in choice:
                yield name, "a value that no choice expects fails the execution; add Default"


def _all_mixed(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, state in flow.of("Task", "Parallel", "Map"):
            for field in ("Retry", "Catch"):
                listed = [entry.get("ErrorEquals", []) for entry in state.get(field, [])]
                for number, errors in enumerate(listed, start=1):
                    if "States.ALL" in errors and (len(errors) > 1 or number < len(listed)):
                        yield name, f"States.ALL must stand alone, in the last {field}"


def _without_retry(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            if not task.get("Retry"):
                yield name, "throttling or a short failure of the service fails the execution; add Retry"


def _retries_everything(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            if any(
                {"States.ALL", "States.TaskFailed"} & set(entry.get("ErrorEquals", []))
                for entry in task.get("Retry", [])
            ):
                yield name, "what cannot succeed is repeated; name the errors that pass"


def _without_catch(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            if not (flow.caught or catches_all(task)):
                yield name, "a failure ends the execution unrecorded; catch States.ALL here or around it"


def _without_timeout(machine: Machine) -> Objections:
    if "TimeoutSeconds" not in machine.definition:
        yield "", "an execution may run for a year; add TimeoutSeconds to the definition"
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            resource = str(task.get("Resource"))
            waits = integrations.way_to_wait(resource) or integrations.is_activity(resource)
            if waits and not {"TimeoutSeconds", "TimeoutSecondsPath"} & set(task):
                yield name, "it may wait for ever for a job, a person or a worker; add TimeoutSeconds"


def _retry_out_of_bounds(machine: Machine) -> Objections:
    longest = machine.definition.get("TimeoutSeconds", A_WEEK)
    for flow in machine.flows():
        for name, state in flow.of("Task", "Parallel", "Map"):
            for entry in state.get("Retry", []):
                attempts = entry.get("MaxAttempts", 3)
                if attempts < 1:
                    yield name, "no attempt is made; set MaxAttempts to 1 or more"
                elif entry.get("BackoffRate", 2.0) == 1.0:  # a pause that stays the same waits for something
                    if attempts * entry.get("IntervalSeconds", 1) > longest:
                        yield name, "it is tried for longer than the execution may run; set a lower MaxAttempts"
                elif attempts > MOST_ATTEMPTS:
                    yield name, f"pauses grow without end; set MaxAttempts to {MOST_ATTEMPTS} or less"


def _unknown_error(machine: Machine) -> Objections:
    for flow in machine.flows():
        for name, state in flow.of("Task", "Parallel", "Map"):
            for field in ("Retry", "Catch"):
                for entry in state.get(field, []):
                    for error in entry.get("ErrorEquals", []):
                        if text := integrations.unknown_error(str(state.get("Resource", "")), error):
                            yield name, f"{text}, so this {field} never acts"


def _out_of_time(machine: Machine) -> Objections:
    whole = machine.definition.get("TimeoutSeconds", A_WEEK)
    if whole > A_WEEK:
        yield "", "an execution that hangs is seen after weeks; set TimeoutSeconds to a week, 604800, or less"
    for flow in machine.flows():
        for name, task in flow.of("Task"):
            if task.get("TimeoutSeconds", 0) > whole:
                yield name, "it may take longer than the whole execution; set a lower TimeoutSeconds"
        for name, choice in flow.of("Choice"):
            for key, bound in _numbers("", choice["Choices"]):
                if key.startswith("NumericGreaterThan") and bound > whole:  # a round takes a second or more
                    yield name, "the execution ends before the loop does; set a lower bound"


def _numbers(key: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for inner_key, inner in value.items():
            yield from _numbers(inner_key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(key, inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value


def _unreachable(machine: Machine) -> Objections:
    for flow in machine.flows():
        found = flow.reachable(flow.start)
        for name in flow.states:
            if name not in found:
                yield flow.prefix + name, "no state leads here; remove it, or lead to it"


def _foreign_arn(machine: Machine) -> Objections:
    for where, _, text in _texts(machine):
        for region, account in re.findall(r"arn:aws:[\w-]+:([\w-]*):(\d*):", text):
            if account not in ("", ACCOUNT) or region not in ("", machine.region):
                yield where, f"account {account or '-'}, region {region or '-'} are written out; use a reference"


def _secret(machine: Machine) -> Objections:
    named = re.compile(r"(?i)(password|passwd|secret|credential|api_?key|access_?key|auth_?token)")
    for where, key, text in _texts(machine):
        if re.search(r"\bAKIA[0-9A-Z]{16}\b", text) or (
            named.search(key) and text and not _read_at_run_time(key, text)
        ):
            yield where, f"{key} looks like a secret, and definitions are logged; read it from Secrets Manager"


def _read_at_run_time(key: str, text: str) -> bool:
    return key.endswith((".$", "Path", "Arn", "Id", "Name")) or text.startswith(("{%", "arn:aws:"))


def _mixed_languages(machine: Machine) -> Objections:
    path_only = {"InputPath", "OutputPath", "Parameters", "ResultPath", "ResultSelector"}
    for flow in machine.flows():
        for name, state in flow.of("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"):
            own = {key: value for key, value in state.items() if key not in INSIDE}
            text = json.dumps(own)
            if flow.language_of(state) == "JSONata":
                if path_only & set(own) or '.$":' in text:
                    yield name, "JSONPath in a state whose language is JSONata; write Arguments and Output"
            elif {"Arguments", "Output"} & set(own) or '"{%' in text:
                yield name, "JSONata in a state whose language is JSONPath; set QueryLanguage, or write Parameters"


def _texts(machine: Machine) -> Iterator[tuple[str, str, str]]:
    """`(state, key, text)` of every text in every state."""
    for flow in machine.flows():
        for name, state in flow.states.items():
            for key, value in state.items():
                if key not in INSIDE:
                    for inner_key, text in _leaves(key, value):
                        yield flow.prefix + name, inner_key, text


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner_key, inner in value.items():
            yield from _leaves(inner_key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(key, inner)
    elif isinstance(value, str):
        yield key, value


RULES: dict[str, tuple[str, Callable[[Machine], Objections]]] = {
    "ASL_UNKNOWN_RESOURCE": ("Step Functions knows what a task calls, and the way it waits.", _unknown_resource),
    "ASL_WRONG_PARAMETER": (
        "A call has what its API requires, and nothing that the API does not know.",
        _wrong_parameter,
    ),
    "ASL_CHOICE_WITHOUT_DEFAULT": ("Every Choice has a Default.", _choice_without_default),
    "ASL_STATES_ALL_MIXED": ("States.ALL stands alone, and last.", _all_mixed),
    "ASL_TASK_WITHOUT_RETRY": ("Every Task is retried.", _without_retry),
    "ASL_RETRIES_EVERYTHING": ("Only named errors are retried: a bad delivery stays bad.", _retries_everything),
    "ASL_TASK_WITHOUT_CATCH": ("Every Task's failure is caught, by itself or by what is around it.", _without_catch),
    "ASL_WITHOUT_TIMEOUT": (
        "Every definition, and every Task that waits for something, has a time-out.",
        _without_timeout,
    ),
    "ASL_RETRY_OUT_OF_BOUNDS": (
        f"A retry tries again, {MOST_ATTEMPTS} times at most, or at a constant pace while the execution may run.",
        _retry_out_of_bounds,
    ),
    "ASL_UNKNOWN_ERROR": ("Errors of Step Functions and of services have names that exist.", _unknown_error),
    "ASL_OUT_OF_TIME": (
        "An execution ends within a week, and each of its tasks and loops before it.",
        _out_of_time,
    ),
    "ASL_UNREACHABLE_STATE": ("Every state can be reached.", _unreachable),
    "ASL_FOREIGN_ARN": ("ARNs are of this account and this region.", _foreign_arn),
    "ASL_SECRET": ("No secret stands in a definition.", _secret),
    "ASL_MIXED_LANGUAGES": ("A state is written in one query language.", _mixed_languages),
}


def rules() -> list[tuple[str, str, str]]:
    """`(rule, file, what it asks)` of all of them."""
    return [(name, "asl.py", what) for name, (what, _) in RULES.items()]


def judge(machine: Machine, name: str = "") -> Iterator[Finding]:
    """Every rule on one machine; a finding is at `<name>.<state>`."""
    for rule, (_, objections) in RULES.items():
        for state, text in objections(machine):
            yield Finding(rule, ".".join(filter(None, (name, state))), text)


def asl_rules(assembly: Assembly) -> Outcome:
    """Every rule on every definition."""
    findings = [] if assembly.definitions else [Finding("nothing", "state machines", "there is none to judge")]
    states = 0
    for name, definition in assembly.definitions.items():
        machine = Machine(definition, assembly.region)
        states += sum(len(flow.states) for flow in machine.flows())
        findings += judge(machine, name)
    return Outcome(f"{len(RULES)} rules, {states} states", sorted(set(findings)))
