"""Rules for state machines that asl-validator does not know, on the resolved definitions, Parallel and Map included."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.assembly import ACCOUNT, Assembly
from gates.machines import integrations
from gates.machines.flows import INSIDE, Flow, State, catches_all, flows
from gates.outcome import Finding, Outcome

Objections = Iterator[tuple[str, str]]  # state, text


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


def _unreachable(machine: Machine) -> Objections:
    for flow in machine.flows():
        found, todo = set(), [flow.start]
        while todo:
            if (name := todo.pop()) not in found and name in flow.states:
                found.add(name)
                todo += _followers(flow.states[name])
        for name in flow.states:
            if name not in found:
                yield flow.prefix + name, "no state leads here; remove it, or lead to it"


def _followers(state: State) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (branch.get("Next", "") for key in ("Choices", "Catch") for branch in state.get(key, []))


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
    manifest = json.loads((assembly.folder / "manifest.json").read_text())
    regions = {
        artifact["environment"].rpartition("/")[2]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    findings = [] if assembly.definitions else [Finding("nothing", "state machines", "there is none to judge")]
    states = 0
    for name, definition in assembly.definitions.items():
        machine = Machine(definition, min(regions))
        states += sum(len(flow.states) for flow in machine.flows())
        findings += judge(machine, name)
    return Outcome(f"{len(RULES)} rules, {states} states", sorted(set(findings)))
