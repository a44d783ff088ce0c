"""`states:startExecution`, `.sync` and `.sync:2`: a state machine that calls another.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

import json
import time
from typing import Any

from embedded_aws import adapter
from embedded_aws.step_functions import calls, errors, history


def start(data: dict[str, Any], pattern: str) -> dict[str, Any]:
    """Start the machine and, for `.sync`, last as long as its execution; a failed one fails the task with its
    description.
    """
    machine = data["StateMachineArn"]
    calls.authorize("states", "states:StartExecution", machine)
    given = data.get("Input", {})
    request = {"stateMachineArn": machine, "input": given if isinstance(given, str) else json.dumps(given)}
    if data.get("Name"):
        request["name"] = data["Name"]
    status, _, body = adapter.SFN_START.get()(request)
    answer = json.loads(body)
    if status >= 400:
        raise errors.optimized("states", answer.get("__type", ""), answer.get("message", ""))
    arn = answer["executionArn"]
    started = {"ExecutionArn": arn, "StartDate": answer["startDate"]}
    history.submitted(f"arn:aws:states:::states:startExecution{'.' * bool(pattern)}{pattern}", started)
    return _follow(arn, pattern) if pattern.startswith("sync") else started


def _follow(arn: str, pattern: str) -> dict[str, Any]:
    calls.authorize("states", "states:DescribeExecution", arn)
    child = adapter.SFN_EXECUTIONS.get()[arn]
    parent = history.current()
    while child["status"] == "RUNNING":
        if parent is not None and not parent.running:
            calls.authorize("states", "states:StopExecution", arn)
            adapter.SFN_STOP.get()({"executionArn": arn, "cause": "The calling execution was stopped"})
            raise errors.task_failed("The execution was stopped")
        time.sleep(0.05)
    described = _described(child, pattern)
    if child["status"] != "SUCCEEDED":
        raise errors.task_failed(json.dumps(described, default=str))
    return described


def _described(execution: dict[str, Any], pattern: str) -> dict[str, Any]:
    """DescribeExecution's answer under the integration's names; `.sync:2` gives input and output as JSON, `.sync` as
    text.
    """
    as_json = pattern == "sync:2"
    found = {
        "ExecutionArn": execution["executionArn"],
        "Input": json.loads(execution["input"]) if as_json else execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "StartDate": execution["startDate"],
        "StateMachineArn": execution["stateMachineArn"],
        "Status": execution["status"],
        "StopDate": execution["stopDate"],
    }
    if execution["status"] == "SUCCEEDED":
        output = execution.get("output") or "{}"
        found |= {"Output": json.loads(output) if as_json else output, "OutputDetails": {"Included": True}}
    else:
        found |= {"Error": execution.get("error"), "Cause": execution.get("cause")}
    return found
