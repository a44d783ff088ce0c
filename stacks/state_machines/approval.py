"""The middle of `train`: only an approved model package goes on, and the wait for a person does not hold the lock.

ReadPackage -> PackageApproved -> NameVersion is the only way to the endpoint, and it is walked with the lock held. A
package that is not approved yet makes a detour: PauseRun releases the lock, ResumeRun takes it again and refuses a
package that is older than what went live meanwhile; then the package is read again.
"""

from typing import Any

from stacks.state_machines.parts import Parts
from stacks.state_machines.states import Machine

DESCRIBE = "aws-sdk:sagemaker:describeModelPackage"
PACKAGE = {"ModelPackageName.$": "$.package.arn"}
FIELDS = {"status.$": "$.ModelApprovalStatus", "version.$": "$.ModelPackageVersion"}


def add(parts: Parts, machine: Machine) -> None:
    """The states from ReadPackage to NameVersion, which leads to CreateModel."""
    approved, rejected = _is("Approved"), _is("Rejected")
    machine.task("ReadPackage", DESCRIBE, PACKAGE, select=FIELDS, keep="$.approval", then="PackageApproved")
    machine.choose("PackageApproved", [(approved, "NameVersion"), (rejected, "ModelRejected")], otherwise="PauseRun")
    machine.states["NameVersion"] = {
        "Type": "Pass",
        "Parameters": {"text.$": "States.Format('{}', $.approval.version)"},
        "ResultPath": "$.version",
        "Next": "CreateModel",
    }
    _wait(parts, machine, [(approved, "ResumeRun"), (rejected, "ModelRejected")])
    machine.refuse(
        "ModelRejected", "ModelRejected", cause_path="States.Format('model package {} was rejected', $.package.arn)"
    )


def _wait(parts: Parts, machine: Machine, rules: list[tuple[dict[str, Any], str]]) -> None:
    orchestration = parts.config.orchestration
    first = machine.poll(
        "Approval",
        DESCRIBE,
        PACKAGE,
        select=FIELDS,
        keep="$.approval",
        seconds=orchestration.approval_poll_seconds,
        timeout_minutes=orchestration.approval_timeout_minutes,
        rules=rules,
        late="nobody approved the model package in time, and approving it now has no effect; start `train` again",
    )
    machine.invoke(
        "PauseRun",
        parts.run_control,
        {"action": "pause", "run.$": "$.run", "package.$": "$.package.arn"},
        keep=None,
        then=first,
    )
    machine.invoke(
        "ResumeRun",
        parts.run_control,
        {"action": "resume", "run.$": "$.run", "version.$": "$.approval.version"},
        keep=None,
        then="ReadPackage",
        retry=[parts.busy],
    )


def _is(status: str) -> dict[str, Any]:
    return {"Variable": "$.approval.status", "StringEquals": status}
