"""What a state reads must have been written, whichever way the execution came: a misspelt path fails only when it runs.

Judged are the keys of the execution's data (`$.run`), not what lies below them, on the resolved definitions.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome

State = Mapping[str, Any]
_READ = re.compile(r"(?<!\$)\$\.(\w+)")  # `$.run.run_id` reads `run`; `$$.Execution.Id` reads no data
_FIELDS = ("InputPath", "Parameters", "Choices", "SecondsPath", "TimestampPath", "ErrorPath", "CausePath")
# Of a Choice's conditions these ask whether something is there, so it need not be.
_ASKS = "IsPresent"


def check(assembly: Assembly) -> Outcome:
    """Every state of every machine."""
    findings = [] if assembly.definitions else [Finding("nothing", "state machines", "there is none to judge")]
    for name, definition in assembly.definitions.items():
        findings += judge(name, definition)
    states = sum(len(definition["States"]) for definition in assembly.definitions.values())
    return Outcome(f"the data of {states} states", findings)


def judge(name: str, definition: Mapping[str, Any]) -> Iterator[Finding]:
    """Reads of what is not surely there, and writes that nobody reads."""
    states: Mapping[str, State] = definition["States"]
    known = _known(definition)
    read: set[str] = set()
    for state_name, state in states.items():
        if state["Type"] in ("Parallel", "Map"):
            yield Finding("not-judged", f"{name}.{state_name}", f"the gate does not follow a {state['Type']} yet")
        wanted = set(_reads(state))
        read |= wanted
        for key in sorted(wanted - known.get(state_name, wanted)):
            yield Finding("unwritten", f"{name}.{state_name}", f"reads $.{key}, which no state before it always writes")
    for state_name, state in states.items():
        for key in sorted(_top(state.get("ResultPath")) - read):
            yield Finding("unread", f"{name}.{state_name}", f"writes $.{key}, which no state reads; set it to null")


def _known(definition: Mapping[str, Any]) -> dict[str, set[str]]:
    """State -> keys that are there on every way to it. Who starts a machine may give anything, so nothing is sure."""
    states: Mapping[str, State] = definition["States"]
    known: dict[str, set[str]] = {definition["StartAt"]: set()}
    todo = [definition["StartAt"]]
    while todo:
        name = todo.pop()
        if name not in states:
            continue  # asl-validator says so
        for follower, keys in _ways(states[name], known[name]):
            before = known.get(follower)
            now = keys if before is None else before & keys
            if now != before:
                known[follower] = now
                todo.append(follower)
    return known


def _ways(state: State, known: set[str]) -> Iterator[tuple[str, set[str]]]:
    after = _after(state, known)
    yield from ((state[way], after) for way in ("Next", "Default") if way in state)
    yield from ((choice["Next"], after) for choice in state.get("Choices", []))
    for catcher in state.get("Catch", []):
        path = catcher.get("ResultPath", "$")
        yield catcher["Next"], {"Error", "Cause"} if path == "$" else known | _top(path)


def _after(state: State, known: set[str]) -> set[str]:
    passes_on = state["Type"] in ("Choice", "Wait", "Succeed", "Fail")
    if passes_on or (state["Type"] == "Pass" and not {"InputPath", "Parameters", "Result", "ResultPath"} & set(state)):
        return known
    path = state.get("ResultPath", "$")
    return set() if path == "$" else known | _top(path)  # `$`: the result takes the place of everything


def _top(path: str | None) -> set[str]:
    """`$.run.id` -> `run`. None and `$` name no key."""
    return set(re.findall(r"^\$\.(\w+)", path or ""))


def _reads(state: State) -> Iterator[str]:
    # Not ResultSelector, whose paths are the result's; not OutputPath, which sees what the state itself has written.
    for field in _FIELDS:
        yield from _paths(field, state.get(field))


def _paths(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if _ASKS not in value:
            for inner_key, inner in value.items():
                yield from _paths(inner_key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(key, inner)
    elif isinstance(value, str) and (key.endswith((".$", "Path")) or key == "Variable"):
        yield from _READ.findall(value)
