"""What the tasks of the state machines make of SageMaker, in the form of a template: models are not in any other.

`sagemaker:createModel` in the state CreateModel of the machine `m` becomes the resource `m.CreateModel` of the type
AWS::SageMaker::Model; its properties are the parameters of the call. A parameter that is read at run time
(`"KmsKeyId.$": "$.key"`) becomes `"KmsKeyId": "$.key"`: a rule sees that it is given, and that it is not a constant.
The training jobs that a tuning job makes are a resource of their own, `m.Tune.trial`, under the rules of training jobs.
"""

import re
from collections.abc import Mapping
from typing import Any

from gates.machines.flows import flows

_MAKING = re.compile(r"arn:aws:states:::(aws-sdk:)?sagemaker:(?P<operation>(create|update)(?P<kind>\w+))(\..+)?")


def template(definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`{"Resources": ...}` of all machines, `<machine>.<state>` -> resource with the operation in its metadata."""
    found = {}
    for machine, definition in definitions.items():
        for flow in flows(definition):
            for name, task in flow.of("Task"):
                if call := _MAKING.fullmatch(str(task.get("Resource"))):
                    given = _plain(task.get("Parameters", task.get("Arguments", {})))
                    found[f"{machine}.{name}"] = _resource(call["kind"], call["operation"], given)
                    if trial := given.get("TrainingJobDefinition"):
                        found[f"{machine}.{name}.trial"] = _resource("TrainingJob", call["operation"], trial)
    return {"Resources": found}


def _resource(kind: str, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Type": f"AWS::SageMaker::{kind}", "Metadata": {"Operation": operation}, "Properties": properties}


def _plain(value: Any) -> Any:
    """The value with `X.$` keys under the name of X."""
    if isinstance(value, dict):
        return {key.removesuffix(".$"): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
