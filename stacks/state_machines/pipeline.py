"""`pipeline`: ingest, train and score of one delivery, in this order, under one lock."""

from typing import Any

from stacks.state_machines.parts import Parts


def definition(parts: Parts) -> dict[str, Any]:
    machine = parts.machine("pipeline", "A delivery to predictions: ingest, train, score. Input: manifest (S3 URI)")
    parts.open(machine, then="Ingest")
    # The children run under this execution's lock: it is their `root`.
    _child(parts, machine, "Ingest", {"manifest.$": "$.run.manifest"}, then="Train")
    _child(parts, machine, "Train", {"portfolio.$": "$.run.portfolio", "run_id.$": "$.run.run_id"}, then="Score")
    _child(parts, machine, "Score", {"portfolio.$": "$.run.portfolio"}, then="CompleteRun")
    machine.close({f"{phase}.$": f"$.{phase}.report" for phase in ("ingest", "train", "score")})
    return machine.definition()


def _child(parts: Parts, machine: Any, name: str, given: dict[str, Any], *, then: str) -> None:
    phase = name.lower()
    machine.task(
        name,
        "states:startExecution.sync:2",
        {
            "StateMachineArn": parts.machines[phase],
            "Input": {
                **given,
                "root.$": "$$.Execution.Id",
                "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
            },
        },
        select={"report.$": "$.Output.report"},
        keep=f"$.{phase}",
        then=then,
        timeout_seconds=parts.config.orchestration.timeout_hours * 3600,  # as long as the child itself may run
    )
