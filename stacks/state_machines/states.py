"""Amazon States Language, written as data: what the four machines share.

Every machine opens with BeginRun (lock, run id, ledger) and ends in CompleteRun, or in RecordFailure -> Failed, the one
state that says what failed. Each Task gets its Retry (for what passes by itself) and its Catch here, so none is missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any]

# What a service's integration may throw that a later attempt can cure. The names are those of Step Functions:
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
TRANSIENT = {
    "lambda:": [
        "Lambda.AWSLambdaException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.SdkClientException",
        "Lambda.ServiceException",
        "Lambda.TooManyRequestsException",
    ],
    "glue:": [
        "Glue.ConcurrentRunsExceededException",
        "Glue.InternalServiceException",
        "Glue.OperationTimeoutException",
    ],
    "sagemaker:": ["SageMaker.AmazonSageMakerException", "SageMaker.ResourceLimitExceededException"],
    "aws-sdk:sagemaker:": ["SageMaker.SageMakerException", "SageMaker.SdkClientException"],
    "aws-sdk:applicationautoscaling:": [
        "ApplicationAutoScaling.ConcurrentUpdateException",
        "ApplicationAutoScaling.InternalServiceException",
        "ApplicationAutoScaling.SdkClientException",
    ],
    "aws-sdk:redshiftdata:": [
        "RedshiftData.InternalServerException",
        "RedshiftData.RedshiftDataException",
        "RedshiftData.SdkClientException",
    ],
    "states:": ["StepFunctions.ExecutionLimitExceededException", "StepFunctions.ThrottlingException"],
    "sns:": ["SNS.InternalErrorException", "SNS.ThrottledException"],
}

# SageMaker's model names no throttling: it arrives under the name of everything that the model does not name.
UNNAMED = ("SageMaker.AmazonSageMakerException", "SageMaker.SageMakerException")

ANY = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error"}


@dataclass
class Machine:
    """The states of one machine. `run_control` is the ARN of the function that keeps the ledger of runs."""

    phase: str
    comment: str
    run_control: str
    timeout_seconds: int
    states: dict[str, State] = field(default_factory=dict)

    def definition(self) -> dict[str, Any]:
        return {
            "Comment": self.comment,
            "StartAt": "Start",
            "TimeoutSeconds": self.timeout_seconds,
            "States": self.states,
        }

    # The frame of every machine.

    def open(self, *, then: str, busy: State) -> None:
        """Start -> BeginRun -> UseRun -> AlreadyCompleted -> `then`, or Completed if that was done.

        `busy` is the Retry of BeginRun while another execution has the lock.
        """
        # `$.run` exists from the start, so that RecordFailure can always pass it on: a missing path fails an execution.
        self.states["Start"] = {"Type": "Pass", "Result": {}, "ResultPath": "$.run", "Next": "BeginRun"}
        self.invoke(
            "BeginRun",
            self.run_control,
            {"action": "begin", "phase": self.phase, "execution.$": "$$.Execution.Id", "input.$": "$"},
            select={"run.$": "$.Payload"},
            keep="$.begun",
            then="UseRun",
            retry=[busy],
        )
        self.states["UseRun"] = {
            "Type": "Pass",
            "InputPath": "$.begun.run",
            "ResultPath": "$.run",
            "Next": "AlreadyCompleted",
        }
        self.choose(
            "AlreadyCompleted", [({"Variable": "$.run.completed", "BooleanEquals": True}, "Completed")], otherwise=then
        )
        self.states["Completed"] = {
            "Type": "Pass",
            "Parameters": {f"{name}.$": f"$.run.{name}" for name in ("run_id", "phase", "portfolio", "report")},
            "End": True,
        }

    def close(self, result: Mapping[str, Any]) -> None:
        """CompleteRun with its report of `result`; RecordFailure and the failure states."""
        self.invoke(
            "CompleteRun",
            self.run_control,
            {
                "action": "complete",
                "phase": self.phase,
                "execution.$": "$$.Execution.Id",
                "run.$": "$.run",
                "result": dict(result),
            },
            select={f"{name}.$": f"$.Payload.{name}" for name in ("run_id", "phase", "portfolio", "report")},
            keep="$",
            then=None,
        )
        self.invoke(
            "RecordFailure",
            self.run_control,
            {
                "action": "fail",
                "phase": self.phase,
                "execution.$": "$$.Execution.Id",
                "run.$": "$.run",
                "error.$": "$.error",
            },
            select={"error.$": "$.Payload.error", "cause.$": "$.Payload.cause"},
            keep="$.failure",
            then="Failed",
            caught=[{**ANY, "ResultPath": "$.unrecorded", "Next": "FailedUnrecorded"}],
        )
        self.states["Failed"] = {"Type": "Fail", "ErrorPath": "$.failure.error", "CausePath": "$.failure.cause"}
        self.states["FailedUnrecorded"] = {
            "Type": "Fail",
            "Comment": "The failure could not be written to the ledger: this is the original one",
            "ErrorPath": "$.error.Error",
            "CausePath": "$.error.Cause",
        }

    # The kinds of states.

    def task(
        self,
        name: str,
        resource: str,
        parameters: Mapping[str, Any],
        *,
        then: str | None,
        keep: str | None = None,
        select: Mapping[str, str] | None = None,
        retry: Sequence[State] = (),
        caught: Sequence[State] = (),
        timeout_seconds: int | None = None,
        may_be_missing: bool = False,
    ) -> None:
        """A Task; its result goes to `keep` (None: nowhere), the uncaught to RecordFailure; no `then`: the end.

        `may_be_missing`: an error without a name of its own is an answer, which `caught` takes at once.
        """
        state: State = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": dict(parameters)}
        if timeout_seconds is not None:
            state["TimeoutSeconds"] = timeout_seconds
        if select is not None:
            state["ResultSelector"] = dict(select)
        state["ResultPath"] = keep
        transient = {
            "ErrorEquals": [
                name
                for name in next(names for prefix, names in TRANSIENT.items() if resource.startswith(prefix))
                if not (may_be_missing and name in UNNAMED)
            ],
            "IntervalSeconds": 2,
            "MaxAttempts": 5,
            "BackoffRate": 2.0,
            "JitterStrategy": "FULL",
        }
        state["Retry"] = [*retry, transient]
        state["Catch"] = list(caught) or [{**ANY, "Next": "RecordFailure"}]
        state.update({"Next": then} if then else {"End": True})
        self.states[name] = state

    def invoke(self, name: str, function: str, payload: Mapping[str, Any], **options: Any) -> None:
        """A Lambda function; its answer is `$.Payload` in `select`."""
        self.task(name, "lambda:invoke", {"FunctionName": function, "Payload": dict(payload)}, **options)

    def choose(self, name: str, rules: Sequence[tuple[Mapping[str, Any], str]], *, otherwise: str) -> None:
        self.states[name] = {
            "Type": "Choice",
            "Choices": [{**condition, "Next": target} for condition, target in rules],
            "Default": otherwise,
        }

    def refuse(
        self,
        name: str,
        error: str,
        *,
        cause: str | None = None,
        cause_path: str | None = None,
        catcher: State | None = None,
    ) -> None:
        """An error of our own on the way to RecordFailure, or to where `catcher` sends errors.

        The cause is a text or a path (or intrinsic function).
        """
        where = catcher or {**ANY, "Next": "RecordFailure"}
        parameters = {"Error": error, **({"Cause.$": cause_path} if cause_path else {"Cause": cause})}
        self.states[name] = {
            "Type": "Pass",
            "Parameters": parameters,
            "ResultPath": where["ResultPath"],
            "Next": where["Next"],
        }

    def poll(
        self,
        name: str,
        resource: str,
        parameters: Mapping[str, Any],
        *,
        select: Mapping[str, str] | None,
        keep: str,
        seconds: int,
        timeout_minutes: int,
        rules: Sequence[tuple[Mapping[str, Any], str]],
        late: str,
        wait_first: bool = True,
        catcher: State | None = None,
    ) -> str:
        """Ask until one of `rules` holds; after `timeout_minutes` fail with cause `late`. Returns the first state.

        `catcher` takes every failure, the late one too; without it, RecordFailure does.
        """
        counter = f"$.{name.lower()}_rounds"
        begin, wait, ask, decide, count, out = (
            f"Await{name}",
            f"Wait{name}",
            f"Describe{name}",
            f"Check{name}",
            f"Count{name}",
            f"{name}TimedOut",
        )
        start = wait if wait_first else ask
        self.states[begin] = {"Type": "Pass", "Result": {"n": 0}, "ResultPath": counter, "Next": start}
        self.states[wait] = {"Type": "Wait", "Seconds": seconds, "Next": ask}
        caught = [catcher] if catcher else []
        self.task(ask, resource, parameters, select=select, keep=keep, then=decide, caught=caught)
        limit = {"Variable": f"{counter}.n", "NumericGreaterThanEquals": max(1, timeout_minutes * 60 // seconds)}
        self.choose(decide, [*rules, (limit, out)], otherwise=count)
        self.states[count] = {
            "Type": "Pass",
            "Parameters": {"n.$": f"States.MathAdd({counter}.n, 1)"},
            "ResultPath": counter,
            "Next": wait,
        }
        self.refuse(out, f"{name}TimedOut", cause=late, catcher=catcher)
        return begin
