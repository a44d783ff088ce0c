"""Every private name of ministack that we touch, each with why. No other module may name one.

ministack is pinned exactly; `missing()` lists the names that the installed version lacks, and a contract test fails
when that list is not empty. A `Hook` is read with `get()`, replaced with `replace()`, or wrapped with `wrap()`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

PINNED = "1.5.33"


@dataclass(frozen=True)
class Hook:
    """One attribute of one module of ministack, and why we need it."""

    module: str
    name: str
    why: str

    def _module(self) -> Any:
        return importlib.import_module(f"ministack.{self.module}")

    def get(self) -> Any:
        return getattr(self._module(), self.name)

    def replace(self, value: Any) -> Any:
        """Set the attribute and return what was there."""
        before = self.get()
        setattr(self._module(), self.name, value)
        return before

    def wrap(self, outer: Callable[..., Any]) -> None:
        """`outer(inner, *args, **kwargs)` is called in place of the function."""
        inner = self.get()

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return outer(inner, *args, **kwargs)

        self.replace(wrapped)

    def exists(self) -> bool:
        return hasattr(self._module(), self.name)


HOOKS: list[Hook] = []


def _hook(module: str, name: str, why: str) -> Hook:
    hook = Hook(module, name, why)
    HOOKS.append(hook)
    return hook


# The process

LOADED_MODULES = _hook("app", "_loaded_modules", "reset and persistence look for a service's module here")
STATE_MAP = _hook("app", "_state_map", "persistence saves and restores the modules named here")
SAVED_STATE = _hook("app", "_build_persistence_save_dict", "state is saved while we run, not at shutdown alone")
REQUEST_ORIGIN = _hook("app", "pin_request_origin", "loopback HTTP counts as TLS, or every enforce-SSL policy denies")

CALL_SERVICE = _hook("app", "call_service_handler_sync", "a state machine's calls must be allowed by its role")

# IAM

IAM_NAMESPACE = _hook("core.iam_actions", "SERVICE_TO_IAM_NAMESPACE", "a service without a namespace is not enforced")
IAM_ACTION = _hook("core.iam_actions", "extract_iam_action", "names the action of a call to one of our services")
IAM_RESOURCE = _hook("core.iam_actions", "extract_resource_arn", "names the resource of a call to one of our services")
IAM_ENFORCE = _hook("core.iam_evaluator", "enforce", "evaluates a role's policies for calls made on its behalf")
CALLER_ARN = _hook("core.iam_evaluator", "caller_arn", "who calls the Data API becomes a database user")
IAM_CONDITIONS = _hook("core.iam_evaluator", "_conditions_met", "policy variables (${aws:userid}) are not filled in")
CONDITION_KEY = _hook("core.iam_evaluator", "_resolve_condition_key", "the value of a policy variable")
PIN_CALLER = _hook("core.iam_evaluator", "pin_request_caller", "a state machine's calls are its role's calls")
PRINCIPAL_KEYS = _hook(
    "core.iam_evaluator", "_principal_keys", "the user id of the caller owns the statements it submits"
)
REQUEST_CONTEXT = _hook("core.iam_actions", "request_tag_context", "condition keys of calls to our services")
SERVICE_PATTERNS = _hook("core.router", "SERVICE_PATTERNS", "routes a call to one of our services by its target header")
PIN_REQUEST = _hook("app", "pin_signed_request", "the operator's signature is checked too")
PIN_BODY = _hook("app", "pin_signed_body", "a signature is over the body as it arrived")
ENFORCE_API = _hook("app", "_enforce_execute_api", "an IAM-signed HTTP API refuses in API Gateway's words")
IS_ROOT_KEY = _hook("core.iam_evaluator", "_is_root_key", "the operator's requests are not kept for the check")
AUTH_ERROR = _hook("core.iam_evaluator", "AuthError", "how a failed authentication is told")
HTTP_API_AUTHORIZATION = _hook("services.apigateway", "route_authorization_type", "which routes must be signed")
HTTP_API_SCOPE = _hook("services.apigateway", "find_api_scope", "account and region of an API")
REGISTER_SESSION = _hook("services.sts", "register_session", "temporary credentials of a role, as a service gets them")

# Lambda

WORKER = _hook("core.lambda_runtime", "Worker", "its pool keeps our Python worker, a subclass")
WORKER_CLASS = _hook("core.lambda_runtime", "_worker_class_for", "Python functions run in our worker")
EXECUTION_CREDENTIALS = _hook("core.lambda_runtime", "execution_credentials", "credentials of the function's role")
EXECUTE_WARM = _hook("services.lambda_svc", "_execute_function_warm", "the answer must carry the exception's own name")
RESOLVE_LAYER = _hook("services.lambda_svc", "_resolve_layer_zip", "unpacks a function's layers")
EXECUTE_FUNCTION = _hook(
    "services.lambda_svc", "_execute_function_with_config_scope", "a custom resource's crash must answer CloudFormation"
)
KINESIS_POLL = _hook("services.lambda_svc", "_poll_kinesis", "loses records of partial failures; we poll per shard")
KINESIS_POSITIONS = _hook("services.lambda_svc", "_kinesis_positions", "where a mapping stands; persisted")
INIT_STREAM_POSITION = _hook("services.lambda_svc", "_init_stream_position", "a mapping starts where it was created")
MAPPINGS = _hook("services.lambda_svc", "_iter_all_esms", "all event source mappings with account and region")
ESM_FILTER = _hook("services.lambda_svc", "_apply_filter_criteria", "filter criteria of a mapping")
KINESIS_STREAMS = _hook("services.kinesis", "_streams", "shards and records")

# CloudFormation

RESOURCE_HANDLERS = _hook(
    "services.cloudformation.provisioners", "_RESOURCE_HANDLERS", "new and guarded resource types"
)
RUNS_ON_THREAD = _hook("services.cloudformation.stacks", "_runs_on_worker_thread", "our handlers call back over HTTP")
CUSTOM_RESOURCES_PENDING = _hook("services.cloudformation.custom_resource", "_pending", "is the answer still awaited?")
CUSTOM_RESOURCE_ANSWER = _hook(
    "services.cloudformation.custom_resource", "deliver_response", "a crash is an answer too"
)

# Glue

GLUE_IS_SPARK = _hook(
    "services.glue", "_is_spark_job", "a Spark job without Docker is marked SUCCEEDED without running"
)
GLUE_RESOLVE_SCRIPT = _hook("services.glue", "_resolve_script", "a missing script is marked SUCCEEDED; we fetch it")
GLUE_EXECUTE = _hook("services.glue", "_execute_subprocess", "jobs need endpoint, role, libraries, logs and a sandbox")

# Step Functions

SFN_RUN = _hook("services.stepfunctions", "_run_execution", "tells the tasks which execution and role they belong to")
SFN_INVOKE = _hook("services.stepfunctions", "_invoke_resource", "integrations with the role checked; new integrations")
SFN_AWS_SDK = _hook("services.stepfunctions", "_invoke_aws_sdk_integration", "error names as the AWS SDK gives them")
SFN_SDK_SERVICES = _hook("services.stepfunctions", "_AWS_SDK_SERVICE_MAP", "aws-sdk:sagemaker and aws-sdk:redshiftdata")
SFN_SDK_PREFIXES = _hook("services.stepfunctions", "_AWS_SDK_ERROR_PREFIX", "their error prefixes")
SFN_SERVICE_MODEL = _hook("services.stepfunctions", "_service_model", "which errors a service's model names")
SFN_ERROR = _hook("services.stepfunctions", "_ExecutionError", "how a task fails")
SFN_ADD_EVENT = _hook("services.stepfunctions", "_add_event", "history names integrations as AWS does")
SFN_EXECUTIONS = _hook("services.stepfunctions", "_executions", "the execution a task belongs to, and nested ones")
SFN_MACHINES = _hook("services.stepfunctions", "_state_machines", "the execution role")
SFN_START = _hook("services.stepfunctions", "_start_execution", "starts a nested execution")
SFN_STOP = _hook("services.stepfunctions", "_stop_execution", "an aborted parent aborts the nested execution")
SFN_LAMBDA_REFERENCE = _hook(
    "services.stepfunctions", "_extract_lambda_ref", "a task whose resource is a function's ARN"
)
SFN_PARAMETERS = _hook("services.stepfunctions", "_resolve_params_obj", "a missing path must fail, it resolves to null")
SFN_INPUT_PATH = _hook("services.stepfunctions", "_apply_input_path", "a missing path must fail")
SFN_OUTPUT_PATH = _hook("services.stepfunctions", "_apply_output_path", "a missing path must fail")
SFN_CHOICE_RULE = _hook("services.stepfunctions", "_evaluate_rule", "a missing variable must fail, but for IsPresent")
SFN_INTRINSIC_ARGUMENT = _hook("services.stepfunctions", "_eval_intrinsic_arg", "a missing argument must fail")
SFN_INTRINSIC = _hook("services.stepfunctions", "_evaluate_intrinsic", "a failing intrinsic has AWS's error name")
SFN_PATH_TOKENS = _hook("services.stepfunctions", "_parse_jsonpath_tokens", "tells a missing value from a null")
SFN_ERROR_MATCHES = _hook("services.stepfunctions", "_error_matches", "States.ALL does not catch States.Runtime")


def missing() -> list[str]:
    """The names that the installed ministack no longer has."""
    return [f"ministack.{hook.module}.{hook.name}" for hook in HOOKS if not hook.exists()]


def check_pin() -> None:
    """Refuse another version of ministack than the one whose private names were read."""
    if (found := version("ministack")) != PINNED:
        raise SystemExit(
            f"The embedded AWS is written against ministack {PINNED}, {found} is installed: its private names may "
            f"differ. Run `pip install -r requirements.txt`, or review embedded_aws/adapter.py and change PINNED."
        )
