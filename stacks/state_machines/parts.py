"""What the machines are made of: names and ARNs of things that other stacks own."""

from dataclasses import dataclass
from typing import Any

from stacks.config import Config
from stacks.state_machines.states import Machine, State


@dataclass(frozen=True, kw_only=True)
class Parts:
    """References of one environment; the ARNs may be CDK tokens."""

    config: Config
    run_control: str
    warehouse_load: str
    model_gate: str
    topic: str
    key: str
    image: str
    training_role: str
    model_role: str
    training_source: str  # s3 uri of source.tar.gz
    training_source_key: str
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

    def load(self, machine: Machine, payload: dict[str, Any], *, then: str) -> None:
        """LoadWarehouse: the function submits one transaction, the machine waits for its end."""
        finished = {"Variable": "$.load.status", "StringEquals": "FINISHED"}
        failed = {"Variable": "$.load.status", "StringEquals": "FAILED"}
        aborted = {"Variable": "$.load.status", "StringEquals": "ABORTED"}
        describe = "aws-sdk:redshiftdata:describeStatement"
        first = machine.poll(
            "Load",
            describe,
            {"Id.$": "$.submitted.statement_id"},
            select={"status.$": "$.Status", "id.$": "$.Id"},
            keep="$.load",
            seconds=self.config.orchestration.load_poll_seconds,
            timeout_minutes=max(1, self.config.warehouse.query_timeout_seconds // 60),
            rules=[(finished, then), (failed, "ExplainLoad"), (aborted, "LoadAborted")],
            late="the warehouse did not finish the load in time; it is committed only if the statement still finishes",
        )
        machine.invoke(
            "LoadWarehouse",
            self.warehouse_load,
            {"portfolio.$": "$.run.portfolio", "run_id.$": "$.run.run_id", "attempt.$": "$.run.attempt", **payload},
            select={"statement_id.$": "$.Payload.statement_id", "stopped.$": "$.Payload.stopped"},
            keep="$.submitted",
            then=first,
        )
        # Only a failed statement has the field Error, and a path that is missing fails an execution.
        machine.task(
            "ExplainLoad",
            describe,
            {"Id.$": "$.load.id"},
            select={"text.$": "$.Error"},
            keep="$.why",
            then="LoadFailed",
        )
        machine.refuse("LoadFailed", "LoadFailed", cause_path="$.why.text")
        machine.refuse("LoadAborted", "LoadFailed", cause="the load was cancelled; nothing was committed")
