"""The states of a definition, those inside of Parallel and Map included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

State = Mapping[str, Any]
INSIDE = ("Branches", "ItemProcessor", "Iterator")  # where a Parallel or Map keeps its own states


@dataclass(frozen=True)
class Flow:
    """States that lead to each other: a definition, a branch of a Parallel, the body of a Map.

    The full name of a state inside of a Parallel or Map is `<state>.<branch>.<name>`, branches from 0: `prefix` + name.
    """

    start: str
    states: Mapping[str, State]
    prefix: str
    caught: bool  # a state around it catches what is not caught in it
    language: str

    def of(self, *kinds: str) -> Iterator[tuple[str, State]]:
        """States of these types, under their full names."""
        return ((self.prefix + name, state) for name, state in self.states.items() if state.get("Type") in kinds)

    def language_of(self, state: State) -> str:
        """JSONPath or JSONata."""
        return str(state.get("QueryLanguage", self.language))

    def reachable(self, name: str) -> set[str]:
        """The states, by their names without prefix, that follow a state somewhere, and the state itself."""
        found: set[str] = set()
        todo = [name]
        while todo:
            if (name := todo.pop()) not in found and name in self.states:
                found.add(name)
                todo += _followers(self.states[name])
        return found

    def round(self, name: str) -> int:
        """How many states the shortest way from a state back to itself has; 0 where there is none."""
        met: set[str] = set()
        ahead, steps = {name}, 0
        while ahead := {n for state in ahead for n in _followers(self.states[state]) if n in self.states} - met:
            steps += 1
            if name in ahead:
                return steps
            met |= ahead
        return 0


def _followers(state: State) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (branch.get("Next", "") for key in ("Choices", "Catch") for branch in state.get(key, []))


def flows(definition: Mapping[str, Any]) -> Iterator[Flow]:
    """The definition itself, and every branch inside of it."""
    yield from _flows(definition, "", caught=False, language=definition.get("QueryLanguage", "JSONPath"))


def _flows(definition: Mapping[str, Any], prefix: str, *, caught: bool, language: str) -> Iterator[Flow]:
    yield Flow(definition["StartAt"], definition["States"], prefix, caught, language)
    for name, state in definition["States"].items():
        inner = [*state.get("Branches", []), *(state[key] for key in INSIDE[1:] if key in state)]
        for number, branch in enumerate(inner):
            yield from _flows(
                branch,
                f"{prefix}{name}.{number}.",
                caught=caught or catches_all(state),
                language=state.get("QueryLanguage", language),
            )


def catches_all(state: State) -> bool:
    """Whether a state catches every error."""
    return any("States.ALL" in catcher.get("ErrorEquals", []) for catcher in state.get("Catch", []))
