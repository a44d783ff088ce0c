"""What our own services are made of; `from embedded_aws import service` is all that they need to know."""

from embedded_aws.service.background import mark_ready, spawn_thread, when_ready
from embedded_aws.service.credentials import (
    OPERATOR_KEY,
    act_as,
    authorize,
    client,
    operator_client,
    role_credentials,
)
from embedded_aws.service.errors import ApiError
from embedded_aws.service.jobs import child_env, log_lines, may_log
from embedded_aws.service.place import account, arn, home, region, url
from embedded_aws.service.protocol import JsonService, Operation, RawOperation, Response, log, raw
from embedded_aws.service.registration import install_iam, register

__all__ = [
    "OPERATOR_KEY",
    "ApiError",
    "JsonService",
    "Operation",
    "RawOperation",
    "Response",
    "account",
    "act_as",
    "arn",
    "authorize",
    "child_env",
    "client",
    "home",
    "install_iam",
    "log",
    "log_lines",
    "mark_ready",
    "may_log",
    "operator_client",
    "raw",
    "region",
    "register",
    "role_credentials",
    "spawn_thread",
    "url",
    "when_ready",
]
