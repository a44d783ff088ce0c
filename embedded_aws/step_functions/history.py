"""Which execution the current thread works for, and its history as AWS writes it."""

import contextvars
import json
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import now_iso

from embedded_aws import adapter, service
from embedded_aws.encryption import customer_key, machine_context, machine_key

_INTEGRATION = "arn:aws:states:::"


@dataclass(frozen=True)
class Current:
    """The execution whose task runs now, and the role it runs with."""

    execution: dict[str, Any]
    role: str

    @property
    def running(self) -> bool:
        """False once somebody has stopped the execution."""
        return bool(self.execution["status"] == "RUNNING")


_current: contextvars.ContextVar[Current | None] = contextvars.ContextVar("embedded_aws_execution", default=None)


def current() -> Current | None:
    """The execution of this thread (or of the thread that started it), None outside of one."""
    return _current.get()


def submitted(resource: str, output: dict[str, Any]) -> None:
    """Record that a task was handed to its service: `startExecution.sync:2` and what the service answered."""
    now = current()
    if now is not None:
        details = {"resource": resource, "output": json.dumps(output, default=str)}
        adapter.SFN_ADD_EVENT.get()(now.execution, "TaskSubmitted", {"taskSubmittedEventDetails": details})


def _run(inner: Any, execution_arn: str) -> Any:
    execution = adapter.SFN_EXECUTIONS.get().get(execution_arn)
    if execution is not None:
        arn = execution["stateMachineArn"]
        machine = adapter.SFN_MACHINES.get().get(arn) or {}
        _current.set(Current(execution, machine.get("roleArn", "")))
        try:
            _use_key(arn, machine.get("roleArn", ""))
        except service.ApiError as denied:
            return _fail(execution, "States.Runtime", denied.message)
    return inner(execution_arn)


def _use_key(machine: str, role: str) -> None:
    """What an execution is encrypted with is its role's to use.

    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    """
    if key := customer_key(machine_key(machine)):
        via = {"kms:ViaService": f"states.{service.region()}.amazonaws.com"}
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            service.authorize(role, action, key, {**via, **machine_context(machine)})


def _fail(execution: dict[str, Any], error: str, cause: str) -> None:
    execution.update(status="FAILED", stopDate=now_iso(), error=error, cause=cause)
    details = {"executionFailedEventDetails": {"error": error, "cause": cause}}
    adapter.SFN_ADD_EVENT.get()(execution, "ExecutionFailed", details)


def _add_event(inner: Any, execution: Any, event_type: str, details: Any = None) -> Any:
    for value in (details or {}).values():
        name = value.get("resource", "") if isinstance(value, dict) else ""
        if name.startswith(_INTEGRATION):
            # arn:aws:states:::glue:startJobRun.sync -> glue, startJobRun.sync; aws-sdk:s3:getObject -> aws-sdk:s3,
            # getObject
            parts = name.removeprefix(_INTEGRATION).split(":")
            known = 2 if parts[0] == "aws-sdk" else 1
            value.update(resourceType=":".join(parts[:known]), resource=":".join(parts[known:]))
    return inner(execution, event_type, details)


def install() -> None:
    """Know the execution in every task, and name its integrations in the history."""
    adapter.SFN_RUN.wrap(_run)
    adapter.SFN_ADD_EVENT.wrap(_add_event)
