"""A path that finds nothing fails the execution, as on AWS; ministack goes on with null.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: States.Runtime covers "attempting
to apply InputPath or OutputPath on a null JSON payload", is not retried and not caught by States.ALL.
"""

import json
from typing import Any

from embedded_aws import adapter

_SHOWN = 400
_UNCAUGHT = ("States.Runtime", "States.DataLimitExceeded")


def runtime_error(cause: str) -> Exception:
    """The failure of a state machine that does not fit its data."""
    return adapter.SFN_ERROR.get()("States.Runtime", cause)


def exists(path: str, data: Any, context: Any) -> bool:
    """Whether a definite path finds a value (null counts) in the data, or in the context object for `$$.`.

    Raises States.Runtime for a path that the embedded AWS cannot follow, such as a filter: it must not become a null.
    """
    if path.startswith("$$"):
        path, data = path[1:], context
    if path in ("", "$") or not path.startswith("$"):
        return True
    tokens = adapter.SFN_PATH_TOKENS.get()(path)
    if tokens is None:
        raise runtime_error(f"The embedded AWS cannot follow the path '{path}'")
    current = data
    for kind, value in tokens:
        has_field = kind == "field" and isinstance(current, dict) and value in current
        has_item = kind == "index" and isinstance(current, list) and value < len(current)
        if not (has_field or has_item):
            return kind == "wildcard"  # zero or more values, never missing
        current = current[value]
    return True


def _shown(data: Any) -> str:
    return json.dumps(data, default=str)[:_SHOWN]


def _parameters(inner: Any, template: Any, data: Any, context: Any = None) -> Any:
    if isinstance(template, dict):
        for key, path in template.items():
            if (
                key.endswith(".$")
                and isinstance(path, str)
                and path.startswith("$")
                and not exists(path, data, context)
            ):
                raise runtime_error(
                    f"The JSONPath '{path}' specified for the field '{key}' could not be found in the input "
                    f"'{_shown(data)}'"
                )
    return inner(template, data, context)


def _state_path(field: str) -> Any:
    def apply(inner: Any, state: dict[str, Any], data: Any, context: Any = None) -> Any:
        path = state.get(field, "$")
        if path is not None and not exists(path, data, context):
            raise runtime_error(f"Invalid path '{path}' of {field}: No results for path in the input '{_shown(data)}'")
        return inner(state, data, context)

    return apply


def _choice_rule(inner: Any, rule: dict[str, Any], data: Any, context: Any = None) -> bool:
    variable = rule.get("Variable")
    if variable:
        found = exists(variable, data, context)
        if "IsPresent" in rule:
            return found == rule["IsPresent"]
        if not found:
            raise runtime_error(
                f"Invalid path '{variable}': The choice state's condition path references an invalid value."
            )
        for operator, path in rule.items():
            if operator.endswith("Path") and not exists(path, data, context):
                raise runtime_error(
                    f"Invalid path '{path}': The choice state's {operator} references an invalid value."
                )
    return bool(inner(rule, data, context))


def _intrinsic_argument(inner: Any, argument: Any, data: Any, context: Any) -> Any:
    if argument[0] == "path" and not exists(argument[1], data, context):
        raise runtime_error(
            f"The JsonPath argument for the field '{argument[1]}' could not be found in the input '{_shown(data)}'"
        )
    return inner(argument, data, context)


def _intrinsic(inner: Any, expression: str, data: Any, context: Any) -> Any:
    failure = adapter.SFN_ERROR.get()
    try:
        return inner(expression, data, context)
    except failure:
        raise
    except Exception as error:
        raise failure(
            "States.IntrinsicFailure", f"The function '{expression}' had the following error: {error}"
        ) from error


def _matches(inner: Any, names: list[str], error: str) -> bool:
    if error in _UNCAUGHT:
        return error in names
    return bool(inner(names, error))


def install() -> None:
    """Make ministack's path functions strict."""
    adapter.SFN_PARAMETERS.wrap(_parameters)
    adapter.SFN_INPUT_PATH.wrap(_state_path("InputPath"))
    adapter.SFN_OUTPUT_PATH.wrap(_state_path("OutputPath"))
    adapter.SFN_CHOICE_RULE.wrap(_choice_rule)
    adapter.SFN_INTRINSIC_ARGUMENT.wrap(_intrinsic_argument)
    adapter.SFN_INTRINSIC.wrap(_intrinsic)
    adapter.SFN_ERROR_MATCHES.wrap(_matches)
