"""Every private name of ministack that we touch, each with why. No other module may name one.

ministack is pinned exactly; `missing()` lists the names that the installed version lacks, and a contract test fails
when that list is not empty. A `Hook` is read with `get()`, replaced with `replace()`, or wrapped with `wrap()`.
"""

import importlib
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PINNED = "1.5.33"
SHAPES = Path(__file__).with_name("private_names.json")  # what each name below looked like when it was read
PLUMBING = "plumbing"  # a hook that keeps no behaviour of AWS: processes, routing, state on disk


@dataclass(frozen=True)
class Hook:
    """One attribute of one module of ministack, why we need it, and which contracts would break without it."""

    module: str
    name: str
    why: str
    holds: tuple[str, ...] = ()

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

    def shape(self) -> str:
        """What its users rely on: the parameters of a function, those of a class's methods, the type of a value."""
        found = self.get()
        if inspect.isclass(found):
            methods = (f"{name}{inspect.signature(m)}" for name, m in vars(found).items() if inspect.isfunction(m))
            return f"class: {'; '.join(sorted(methods))}"
        return str(inspect.signature(found)) if callable(found) else type(found).__name__


HOOKS: list[Hook] = []


def _hook(module: str, name: str, why: str, *holds: str) -> Hook:
    hook = Hook(module, name, why, holds)
    HOOKS.append(hook)
    return hook


# The process

LOADED_MODULES = _hook("app", "_loaded_modules", "reset and persistence look for a service's module here", PLUMBING)
STATE_MAP = _hook("app", "_state_map", "persistence saves and restores the modules named here", PLUMBING)
SAVED_STATE = _hook(
    "app", "_build_persistence_save_dict", "state is saved while we run, not at shutdown alone", PLUMBING
)
STATE_JSON = _hook(
    "core.persistence", "json", "json.dump is written in Python, json.dumps in C: ten times the cost", PLUMBING
)
STATE_FOLDER = _hook("core.persistence", "STATE_DIR", "all files of a save are put in place at once", PLUMBING)
LOAD_STATE = _hook(
    "app", "_load_persisted_state", "what ran when we ended is marked as failed once state is read", PLUMBING
)
REQUEST_ORIGIN = _hook(
    "app",
    "pin_request_origin",
    "loopback HTTP counts as TLS, or every enforce-SSL policy denies",
    "s3.secure-transport",
)

CALL_SERVICE = _hook(
    "app",
    "call_service_handler_sync",
    "a state machine's calls must be allowed by its role",
    "step-functions.execution-role",
)

# IAM

IAM_NAMESPACE = _hook(
    "core.iam_actions",
    "SERVICE_TO_IAM_NAMESPACE",
    "a service without a namespace is not enforced",
    "auto-scaling.authorization",
)
IAM_ACTION = _hook(
    "core.iam_actions",
    "extract_iam_action",
    "names the action of a call to one of our services",
    "sagemaker.authorization",
)
IAM_RESOURCE = _hook(
    "core.iam_actions",
    "extract_resource_arn",
    "names the resource of a call to one of our services",
    "sagemaker.authorization",
)
IAM_ENFORCE = _hook(
    "core.iam_evaluator",
    "enforce",
    "evaluates a role's policies for calls made on its behalf",
    "iam.signature",
    "s3.no-public-access",
    "step-functions.execution-role",
)
CALLER_ARN = _hook(
    "core.iam_evaluator", "caller_arn", "who calls the Data API becomes a database user", "redshift.caller"
)
IAM_CONDITIONS = _hook(
    "core.iam_evaluator", "_conditions_met", "policy variables (${aws:userid}) are not filled in", "iam.policy-variable"
)
CONDITION_KEY = _hook(
    "core.iam_evaluator", "_resolve_condition_key", "the value of a policy variable", "iam.policy-variable"
)
PIN_CALLER = _hook(
    "core.iam_evaluator",
    "pin_request_caller",
    "a state machine's calls are its role's calls",
    "step-functions.execution-role",
)
PRINCIPAL_KEYS = _hook(
    "core.iam_evaluator",
    "_principal_keys",
    "the user id of the caller owns the statements it submits",
    "redshift.statement-owner",
)
REQUEST_CONTEXT = _hook(
    "core.iam_actions", "request_tag_context", "condition keys of calls to our services", "redshift.statement-owner"
)
SERVICE_PATTERNS = _hook(
    "core.router", "SERVICE_PATTERNS", "routes a call to one of our services by its target header", PLUMBING
)
PIN_REQUEST = _hook("app", "pin_signed_request", "the operator's signature is checked too", "iam.signature")
PIN_BODY = _hook("app", "pin_signed_body", "a signature is over the body as it arrived", "iam.credential-scope")
ENFORCE_API = _hook(
    "app", "_enforce_execute_api", "an IAM-signed HTTP API refuses in API Gateway's words", "api-gateway.iam-route"
)
IS_ROOT_KEY = _hook(
    "core.iam_evaluator", "_is_root_key", "the operator's requests are not kept for the check", "iam.signature"
)
AUTH_ERROR = _hook(
    "core.iam_evaluator", "AuthError", "how a failed authentication is told", "iam.foreign-authorization"
)
HTTP_API_AUTHORIZATION = _hook(
    "services.apigateway",
    "route_authorization_type",
    "which routes must be signed",
    "api-gateway.open-route",
    "api-gateway.iam-route",
)
HTTP_API_SCOPE = _hook("services.apigateway", "find_api_scope", "account and region of an API", "iam.credential-scope")
REGISTER_SESSION = _hook(
    "services.sts", "register_session", "temporary credentials of a role, as a service gets them", "glue.role"
)

ANONYMOUS = _hook(
    "core.iam_evaluator",
    "_anonymous",
    "a role may be asked for while an open route is served",
    "api-gateway.open-route",
)
SERVICE_PRINCIPAL = _hook(
    "core.iam_evaluator", "_service_principal_matches", "which services a trust policy names", "iam.trust-policy"
)
EVALUATION = _hook("core.iam_evaluator", "EvalContext", "the condition keys of a trust policy", "iam.trust-policy")
ACCESS_DENIED = _hook(
    "core.iam_actions",
    "access_denied_response",
    "a refused key is named in place of the call that needs it",
    "kms.s3",
)
CALLER_IDENTITY = _hook(
    "core.iam_evaluator", "resolve_caller_identity", "the role behind a key, for the record", PLUMBING
)
ROLES = _hook("services.iam", "_roles", "the trust policy of a role that a service assumes", "iam.trust-policy")

# Encryption: which key something is encrypted with

KMS_KEY = _hook("services.kms", "_resolve_key", "a key by id, ARN or alias", "kms.key-policy")
S3_BUCKETS = _hook("services.s3", "_buckets", "which objects there are, and their keys", "kms.s3", "s3.absent-object")
S3_DEFAULT_ENCRYPTION = _hook("services.s3", "_bucket_default_sse_headers", "the key of a bucket", "kms.s3")
S3_STORED_ENCRYPTION = _hook("services.s3", "_stored_sse_headers", "the key of a stored object", "kms.s3")
SQS_QUEUE = _hook("services.sqs", "_queue_by_arn", "the key of a queue", "kms.sqs")
SNS_TOPIC = _hook("services.sns", "_topic_by_arn_any_scope", "the key of a topic", "kms.sns")
DYNAMODB_TABLES = _hook("services.dynamodb", "_tables", "the key of a table", "kms.dynamodb")
SECRET = _hook("services.secretsmanager", "_resolve", "the key of a secret", "kms.secrets-manager")

# EventBridge and Scheduler

INVOKE_TARGET = _hook(
    "services.eventbridge", "_invoke_target", "a target's role is not looked at", "eventbridge.target-role"
)

# Lambda

LOG_GROUPS = _hook(
    "services.cloudwatch_logs", "_log_groups", "who makes a log group needs one permission more", "lambda.log-role"
)
EMIT_LOGS = _hook(
    "services.lambda_svc", "_emit_lambda_logs", "a function's log is written with its role", "lambda.log-role"
)
WORKER = _hook("core.lambda_runtime", "Worker", "its pool keeps our Python worker, a subclass", "lambda.error-type")
WORKER_CLASS = _hook(
    "core.lambda_runtime", "_worker_class_for", "Python functions run in our worker", "lambda.packages"
)
EXECUTION_CREDENTIALS = _hook(
    "core.lambda_runtime", "execution_credentials", "credentials of the function's role", "lambda.variables"
)
EXECUTE_WARM = _hook(
    "services.lambda_svc",
    "_execute_function_warm",
    "the answer must carry the exception's own name",
    "lambda.error-type",
)
RESOLVE_LAYER = _hook("services.lambda_svc", "_resolve_layer_zip", "unpacks a function's layers", "lambda.layers")
EXECUTE_FUNCTION = _hook(
    "services.lambda_svc",
    "_execute_function_with_config_scope",
    "a custom resource's crash must answer CloudFormation",
    "cloudformation.custom-resource-crash",
)
KINESIS_POLL = _hook(
    "services.lambda_svc",
    "_poll_kinesis",
    "loses records of partial failures; we poll per shard",
    "kinesis.partial-failure",
)
KINESIS_POSITIONS = _hook(
    "services.lambda_svc", "_kinesis_positions", "where a mapping stands; persisted", "kinesis.partial-failure"
)
INIT_STREAM_POSITION = _hook(
    "services.lambda_svc", "_init_stream_position", "a mapping starts where it was created", "kinesis.partial-failure"
)
MAPPINGS = _hook(
    "services.lambda_svc", "_iter_all_esms", "all event source mappings with account and region", "kinesis.role"
)
ESM_FILTER = _hook("services.lambda_svc", "_apply_filter_criteria", "filter criteria of a mapping", "kinesis.filter")
KINESIS_STREAMS = _hook("services.kinesis", "_streams", "shards and records", "kinesis.bisect")

# CloudFormation

RESOURCE_HANDLERS = _hook(
    "services.cloudformation.provisioners",
    "_RESOURCE_HANDLERS",
    "new and guarded resource types",
    "cloudformation.bucket-properties",
    "cloudformation.auto-delete",
)
RUNS_ON_THREAD = _hook(
    "services.cloudformation.stacks", "_runs_on_worker_thread", "our handlers call back over HTTP", PLUMBING
)
STACKS = _hook("services.cloudformation", "_stacks", "a stack whose change was interrupted has failed", PLUMBING)
CUSTOM_RESOURCES_PENDING = _hook(
    "services.cloudformation.custom_resource",
    "_pending",
    "is the answer still awaited?",
    "cloudformation.custom-resource-crash",
)
CUSTOM_RESOURCE_ANSWER = _hook(
    "services.cloudformation.custom_resource",
    "deliver_response",
    "a crash is an answer too",
    "cloudformation.custom-resource-crash",
)

# Glue

GLUE_IS_SPARK = _hook(
    "services.glue", "_is_spark_job", "a Spark job without Docker is marked SUCCEEDED without running", "glue.libraries"
)
GLUE_RESOLVE_SCRIPT = _hook(
    "services.glue", "_resolve_script", "a missing script is marked SUCCEEDED; we fetch it", "glue.script"
)
GLUE_RUNS = _hook("services.glue", "_job_runs", "a run that was interrupted has failed", PLUMBING)
GLUE_EXECUTE = _hook(
    "services.glue",
    "_execute_subprocess",
    "jobs need endpoint, role, libraries, logs and a sandbox",
    "glue.role",
    "glue.error-message",
    "glue.log-group",
)

# Step Functions

SFN_RUN = _hook(
    "services.stepfunctions",
    "_run_execution",
    "tells the tasks which execution and role they belong to",
    "step-functions.execution-role",
)
SFN_INVOKE = _hook(
    "services.stepfunctions",
    "_invoke_resource",
    "integrations with the role checked; new integrations",
    "step-functions.execution-role",
)
SFN_AWS_SDK = _hook(
    "services.stepfunctions",
    "_invoke_aws_sdk_integration",
    "error names as the AWS SDK gives them",
    "step-functions.sdk-error-name",
)
SFN_SDK_SERVICES = _hook(
    "services.stepfunctions",
    "_AWS_SDK_SERVICE_MAP",
    "aws-sdk:sagemaker and aws-sdk:redshiftdata",
    "step-functions.sdk-error-name",
)
SFN_SDK_PREFIXES = _hook(
    "services.stepfunctions", "_AWS_SDK_ERROR_PREFIX", "their error prefixes", "step-functions.sdk-error-name"
)
SFN_SERVICE_MODEL = _hook(
    "services.stepfunctions", "_service_model", "which errors a service's model names", "step-functions.sdk-error-name"
)
SFN_ERROR = _hook("services.stepfunctions", "_ExecutionError", "how a task fails", "step-functions.nested-failure")
SFN_ADD_EVENT = _hook(
    "services.stepfunctions", "_add_event", "history names integrations as AWS does", "step-functions.nested-failure"
)
SFN_EXECUTIONS = _hook(
    "services.stepfunctions",
    "_executions",
    "the execution a task belongs to, and nested ones",
    "step-functions.nested-output",
)
SFN_MACHINES = _hook("services.stepfunctions", "_state_machines", "the execution role", "step-functions.execution-role")
SFN_CREATE = _hook(
    "services.stepfunctions",
    "_create_state_machine",
    "what the role must allow from the start",
    "step-functions.managed-rule",
)
SFN_UPDATE = _hook(
    "services.stepfunctions",
    "_update_state_machine",
    "what the role must allow from the start",
    "step-functions.managed-rule",
)
SFN_START = _hook(
    "services.stepfunctions", "_start_execution", "starts a nested execution", "step-functions.nested-output"
)
SFN_STOP = _hook(
    "services.stepfunctions",
    "_stop_execution",
    "an aborted parent aborts the nested execution",
    "step-functions.nested-stop",
)
SFN_LAMBDA_REFERENCE = _hook(
    "services.stepfunctions",
    "_extract_lambda_ref",
    "a task whose resource is a function's ARN",
    "step-functions.function-arn",
)
SFN_PARAMETERS = _hook(
    "services.stepfunctions",
    "_resolve_params_obj",
    "a missing path must fail, it resolves to null",
    "step-functions.missing-path",
)
SFN_INPUT_PATH = _hook(
    "services.stepfunctions", "_apply_input_path", "a missing path must fail", "step-functions.missing-path"
)
SFN_OUTPUT_PATH = _hook(
    "services.stepfunctions", "_apply_output_path", "a missing path must fail", "step-functions.missing-path"
)
SFN_CHOICE_RULE = _hook(
    "services.stepfunctions",
    "_evaluate_rule",
    "a missing variable must fail, but for IsPresent",
    "step-functions.missing-path",
    "step-functions.null-value",
)
SFN_INTRINSIC_ARGUMENT = _hook(
    "services.stepfunctions", "_eval_intrinsic_arg", "a missing argument must fail", "step-functions.missing-path"
)
SFN_INTRINSIC = _hook(
    "services.stepfunctions",
    "_evaluate_intrinsic",
    "a failing intrinsic has AWS's error name",
    "step-functions.intrinsic-failure",
)
SFN_PATH_TOKENS = _hook(
    "services.stepfunctions", "_parse_jsonpath_tokens", "tells a missing value from a null", "step-functions.null-value"
)
SFN_ERROR_MATCHES = _hook(
    "services.stepfunctions", "_error_matches", "States.ALL does not catch States.Runtime", "step-functions.catch-all"
)


def missing() -> list[str]:
    """The names that the installed ministack no longer has."""
    return [f"ministack.{hook.module}.{hook.name}" for hook in HOOKS if not hook.exists()]


def shapes() -> dict[str, str]:
    """Each private name of the installed ministack and its shape: `python -m embedded_aws.adapter` records them."""
    return {f"{hook.module}.{hook.name}": hook.shape() for hook in sorted(HOOKS, key=lambda h: (h.module, h.name))}


def check_pin() -> None:
    """Refuse another version of ministack than the one whose private names were read."""
    if (found := version("ministack")) != PINNED:
        raise SystemExit(
            f"The embedded AWS is written against ministack {PINNED}, {found} is installed: its private names may "
            f"differ. Run `pip install -r requirements.txt`, or review embedded_aws/adapter.py and change PINNED."
        )


if __name__ == "__main__":
    SHAPES.write_text(json.dumps(shapes(), indent=1) + "\n")
