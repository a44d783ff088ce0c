"""The end of `train`, once the model is live: old configurations go, and SQL can call the model.

The model is live whatever becomes of that; the run's report says it.
"""

from typing import Any

from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine

FIRST = "TidyConfigurations"


def add(parts: Parts, machine: Machine) -> None:
    """The states from TidyConfigurations to CompleteRun."""
    sql_model = parts.config.warehouse.sql_model
    _try(
        machine,
        FIRST,
        parts.run_control,
        {"action": "tidy", "run.$": "$.run", "keep": parts.config.serving.kept_configurations},
        keep="$.tidied",
        otherwise=("TidyFailed", "old configurations were not deleted"),
        then="MakeSqlModel" if sql_model else "CompleteRun",
    )
    if sql_model:
        _try(
            machine,
            "MakeSqlModel",
            parts.warehouse_load,
            {"phase": "model", "portfolio.$": "$.run.portfolio"},
            keep="$.sql_model",
            otherwise=("SqlModelFailed", "not made"),
            then="CompleteRun",
        )


def result(parts: Parts) -> dict[str, str]:
    """What the run's report says of these states."""
    sql_model = {"sql_model.$": "$.sql_model.text"} if parts.config.warehouse.sql_model else {}
    scaling = {"scaling.$": "$.scaling.text"} if parts.config.serving.scales else {}
    return {"kept_configurations.$": "$.tidied.text", **sql_model, **scaling}


def _try(
    machine: Machine,
    name: str,
    function: str,
    payload: dict[str, Any],
    *,
    keep: str,
    otherwise: tuple[str, str],
    then: str,
) -> None:
    failed, said = otherwise
    machine.invoke(
        name,
        function,
        payload,
        select={"text.$": "$.Payload.text"},
        keep=keep,
        then=then,
        caught=[{**ANY, "ResultPath": f"{keep}_error", "Next": failed}],
    )
    note_failure(machine, failed, said, keep=keep, then=then)


def note_failure(machine: Machine, name: str, said: str, *, keep: str, then: str) -> None:
    """A Pass state that writes into `keep` what failed, from `<keep>_error`, and goes on."""
    machine.states[name] = {
        "Type": "Pass",
        "Parameters": {"text.$": f"States.Format('{said}; the model is live: {{}}', {keep}_error.Cause)"},
        "ResultPath": keep,
        "Next": then,
    }
