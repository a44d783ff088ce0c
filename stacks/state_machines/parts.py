"""What the machines are made of: names and ARNs of things that other stacks own."""

from dataclasses import dataclass
from typing import Any

from stacks.config import Config
from stacks.state_machines.states import ANY, Machine, State


@dataclass(frozen=True, kw_only=True)
class Parts:
    """References of one environment; the ARNs may be CDK tokens."""

    config: Config
    run_control: str
    warehouse_load: str
    model_gate: str
    experiment_log: str
    topic: str
    key: str
    image: str
    training_role: str
    autopilot_role: str | None  # with the option training.autopilot
    model_role: str
    training_source: str  # s3 uri of source.tar.gz
    training_source_key: str
    training_packages: str  # s3 uri of the container's additional packages
    artifacts_bucket: str
    machines: dict[str, str]  # phase -> ARN
    vpc: dict[str, Any] | None  # where jobs and models run, if the environment keeps them private

    @property
    def vpc_config(self) -> dict[str, Any]:
        return {"VpcConfig": self.vpc} if self.vpc else {}

    def machine(self, phase: str, comment: str) -> Machine:
        return Machine(
            phase=phase,
            comment=comment,
            run_control=self.run_control,
            timeout_seconds=self.config.orchestration.timeout_hours * 3600,
        )

    @property
    def busy(self) -> State:
        """The Retry of whatever takes the portfolio's lock."""
        orchestration = self.config.orchestration
        return {
            "ErrorEquals": ["PortfolioBusy"],
            "IntervalSeconds": orchestration.busy_poll_seconds,
            "MaxAttempts": orchestration.busy_wait_minutes * 60 // orchestration.busy_poll_seconds,
            "BackoffRate": 1.0,
        }

    def open(self, machine: Machine, *, then: str) -> None:
        machine.open(then=then, busy=self.busy)

    def load(self, machine: Machine, phase: str, payload: dict[str, Any], *, then: str, copies: bool = True) -> None:
        """LoadWarehouse: the function submits one transaction, the machine waits for its end.

        `copies`: it has a COPY, whose errors can be kept.
        """
        self._transaction(
            machine,
            "Load",
            "LoadWarehouse",
            {"phase": phase, **payload},
            then=then,
            explained="KeepCopyErrors" if copies else "LoadFailed",
            late="the warehouse did not finish the load in time; it is committed only if the statement still finishes",
            aborted="the load was cancelled; nothing was committed",
        )
        if not copies:
            return
        # What COPY refused goes to quarantine. Whatever becomes of that, the load's own error is told.
        machine.invoke(
            "KeepCopyErrors",
            self.warehouse_load,
            {**self._run, "phase": phase, "error.$": "$.load_error.text"},
            select={"text.$": "$.Payload.text"},
            keep="$.load_error",
            then="LoadFailed",
            caught=[{**ANY, "ResultPath": "$.not_kept", "Next": "LoadFailed"}],
        )

    def refresh(self, machine: Machine, *, then: str) -> None:
        """RefreshMarts: what was loaded becomes visible in the marts that are materialized."""
        loaded = "the load is committed, the marts are as they were before it; run again, the load changes nothing"
        self._transaction(
            machine,
            "Refresh",
            "RefreshMarts",
            {"phase": "refresh", "after.$": "$.load.id"},
            then=then,
            explained="RefreshFailed",
            late=f"the refresh did not finish in time: {loaded}",
            aborted=f"the refresh was cancelled: {loaded}",
            said=f"{loaded}: {{}}",
        )

    @property
    def _run(self) -> dict[str, str]:
        return {"portfolio.$": "$.run.portfolio", "run_id.$": "$.run.run_id", "attempt.$": "$.run.attempt"}

    def _transaction(
        self,
        machine: Machine,
        name: str,
        submit: str,
        payload: dict[str, Any],
        *,
        then: str,
        explained: str,
        late: str,
        aborted: str,
        said: str = "{}",
    ) -> None:
        """State `submit` hands a transaction over, `Await<name>` and its like wait for its end.

        A failure is explained in `$.<name>_error.text`; `<name>Failed` tells it, after `explained`.
        """
        path, describe = f"$.{name.lower()}", "aws-sdk:redshiftdata:describeStatement"
        status = {s: {"Variable": f"{path}.status", "StringEquals": s} for s in ("FINISHED", "FAILED", "ABORTED")}
        first = machine.poll(
            name,
            describe,
            {"Id.$": f"{path}_submitted.statement_id"},
            select={"status.$": "$.Status", "id.$": "$.Id"},
            keep=path,
            seconds=self.config.orchestration.load_poll_seconds,
            timeout_minutes=max(1, self.config.warehouse.query_timeout_seconds // 60),
            rules=[
                (status["FINISHED"], then),
                (status["FAILED"], f"Explain{name}"),
                (status["ABORTED"], f"{name}Aborted"),
            ],
            late=late,
        )
        machine.invoke(
            submit,
            self.warehouse_load,
            {**self._run, **payload},
            select={"statement_id.$": "$.Payload.statement_id", "stopped.$": "$.Payload.stopped"},
            keep=f"{path}_submitted",
            then=first,
        )
        # Only a failed statement has the field Error, and a path that is missing fails an execution.
        machine.task(
            f"Explain{name}",
            describe,
            {"Id.$": f"{path}.id"},
            select={"text.$": f"States.Format('{said}', $.Error)" if said != "{}" else "$.Error"},
            keep=f"{path}_error",
            then=explained,
        )
        machine.refuse(f"{name}Failed", f"{name}Failed", cause_path=f"{path}_error.text")
        machine.refuse(f"{name}Aborted", f"{name}Failed", cause=aborted)
