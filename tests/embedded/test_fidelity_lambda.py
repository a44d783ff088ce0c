"""Lambda as AWS documents it, where ministack differs."""

import io
import time
import zipfile

import pytest
from conftest import EmbeddedAws

pytestmark = pytest.mark.embedded

# Which of the named packages a function can import.
IMPORTS = """
import importlib

def handler(event, context):
    def there(name):
        try:
            importlib.import_module(name)
            return True
        except ImportError:
            return False
    return {name: there(name) for name in event["names"]}
"""


@pytest.mark.contract(
    "lambda.error-type",
    page="https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html",
    quote="When your code raises an error, Lambda generates a JSON representation of the error.",
)
def test_an_exception_keeps_its_name_and_the_environment_stays_warm(aws: EmbeddedAws) -> None:
    # python-exceptions: the answer is {"errorMessage", "errorType", "requestId", "stackTrace"}; the environment is
    # reused.
    function = aws.function(
        """
        calls = 0

        class Own(Exception):
            pass

        def handler(event, context):
            global calls
            calls += 1
            if event.get("fail"):
                raise Own("no")
            return calls
        """
    )
    assert aws.invoke(function)[0] == 1
    failure, kind = aws.invoke(function, {"fail": True})
    assert (failure["errorType"], failure["errorMessage"], kind) == ("Own", "no", "Unhandled")
    assert failure["stackTrace"] and failure["requestId"]
    assert aws.invoke(function)[0] == 3


@pytest.mark.contract(
    "lambda.import-error",
    page="https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html",
    says="A module that the runtime cannot import is Runtime.ImportModuleError: Unable to import module.",
)
def test_a_module_that_cannot_be_imported(aws: EmbeddedAws) -> None:
    failure, _ = aws.invoke(aws.function("import nothing_of_that_name"))
    assert failure["errorType"] == "Runtime.ImportModuleError"
    assert "Unable to import module 'index'" in failure["errorMessage"]


@pytest.mark.contract(
    "lambda.packages",
    page="https://docs.aws.amazon.com/lambda/latest/dg/python-package.html",
    says="The runtime brings the SDK (boto3); every other package must be in the deployment package or a layer.",
)
def test_a_function_sees_boto3_and_no_package_of_the_laptop(aws: EmbeddedAws) -> None:
    absent = ("yaml", "pandas", "duckdb", "pyarrow", "sklearn", "aws_cdk", "ministack", "embedded_aws", "solvent")
    found = aws.invoke(aws.function(IMPORTS), {"names": ["boto3", "botocore", *absent]})[0]
    assert found == {"boto3": True, "botocore": True, **dict.fromkeys(absent, False)}


@pytest.mark.contract(
    "lambda.execution-role",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
    says="A refused call names the caller, the action, and that no identity-based policy allows it.",
)
def test_a_denied_call_carries_awss_message(aws: EmbeddedAws) -> None:
    # troubleshoot_access-denied: "User: ... is not authorized to perform: ... because no identity-based policy allows
    # ..."
    function = aws.function(
        """
        import boto3

        def handler(event, context):
            return boto3.client("s3").list_buckets()["Buckets"]
        """
    )
    failure, _ = aws.invoke(function)
    assert "AccessDenied" in failure["errorMessage"]
    assert "is not authorized to perform: s3:ListAllMyBuckets" in failure["errorMessage"]


def test_a_function_cannot_leave_the_machine(aws: EmbeddedAws) -> None:
    function = aws.function(
        """
        import socket

        def handler(event, context):
            socket.create_connection(("192.0.2.1", 80), timeout=2)
        """
    )
    failure, _ = aws.invoke(function)
    assert failure["errorType"] == "PermissionError"


@pytest.mark.contract(
    "lambda.log-group",
    page="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    says="Each function has a log group, /aws/lambda/<name>, that takes what its code prints.",
)
def test_what_a_function_prints_is_in_its_log(aws: EmbeddedAws) -> None:
    function = aws.function("def handler(event, context):\n    print('from the function')")
    aws.invoke(function)
    logs, group = aws.client("logs"), f"/aws/lambda/{function.rsplit(':', 1)[-1]}"
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert any("from the function" in e["message"] for e in events)


def test_a_silent_warm_call_takes_milliseconds(aws: EmbeddedAws) -> None:
    function, functions = aws.function("def handler(event, context):\n    return 1"), aws.client("lambda")
    aws.invoke(function)
    begun = time.perf_counter()
    for _ in range(5):
        functions.invoke(FunctionName=function)
    assert (time.perf_counter() - begun) / 5 < 0.25


@pytest.mark.contract(
    "lambda.layers",
    page="https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html",
    says="A layer's python/ folder is on the function's search path; here one with native code is left out.",
)
def test_a_layer_brings_its_packages(aws: EmbeddedAws) -> None:
    function = aws.function(IMPORTS)
    wanted = {"names": ["shipped", "native"]}
    assert aws.invoke(function, wanted)[0] == {"shipped": False, "native": False}
    pure = layer(aws, {"python/shipped/__init__.py": ""})
    native = layer(aws, {"python/native/__init__.py": "", "python/native/code.so": ""})
    functions = aws.client("lambda")
    functions.update_function_configuration(FunctionName=function, Layers=[pure, native])
    functions.get_waiter("function_updated_v2").wait(FunctionName=function)
    assert aws.invoke(function, wanted)[0] == {"shipped": True, "native": False}


@pytest.mark.contract(
    "lambda.variables",
    page="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
    says="Reserved variables name the function, its role's credentials and region; its own cannot replace them.",
)
def test_a_function_sees_its_own_variables_and_none_of_the_laptop(aws: EmbeddedAws) -> None:
    function = aws.function(
        """
        import os

        def handler(event, context):
            return dict(os.environ)
        """,
        MINE="yes",
        AWS_REGION="nowhere-1",
    )
    found = aws.invoke(function)[0]
    assert (found["MINE"], found["AWS_REGION"]) == ("yes", aws.region)
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == function.rsplit(":", 1)[-1]
    assert found["AWS_ACCESS_KEY_ID"] != "test", "the function has its role's credentials"
    known = (
        "AWS_",
        "LAMBDA_",
        "MINE",
        "PATH",
        "HOME",
        "LANG",
        "LC_",
        "TZ",
        "TMPDIR",
        "PYTHON",
        "SYSTEMROOT",
        "SOLVENT_",
    )
    assert [name for name in found if not name.startswith(known)] == []


def layer(aws: EmbeddedAws, files: dict[str, str]) -> str:
    """The ARN of a new layer version with these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    made = aws.client("lambda").publish_layer_version(
        LayerName=aws.name("layer"), Content={"ZipFile": archive.getvalue()}
    )
    return str(made["LayerVersionArn"])
