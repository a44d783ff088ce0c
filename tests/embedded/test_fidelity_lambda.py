"""Lambda as AWS documents it, where ministack differs."""

import time

import pytest
from conftest import EmbeddedAws

pytestmark = pytest.mark.embedded


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


def test_a_module_that_cannot_be_imported(aws: EmbeddedAws) -> None:
    failure, _ = aws.invoke(aws.function("import nothing_of_that_name"))
    assert failure["errorType"] == "Runtime.ImportModuleError"
    assert "Unable to import module 'index'" in failure["errorMessage"]


def test_a_function_sees_boto3_and_no_package_of_the_laptop(aws: EmbeddedAws) -> None:
    # lambda-python: the runtime includes the SDK (boto3); everything else must be in the deployment package.
    function = aws.function(
        """
        import importlib

        def handler(event, context):
            def there(name):
                try:
                    importlib.import_module(name)
                    return True
                except ImportError:
                    return False
            return {name: there(name) for name in ("boto3", "yaml", "pandas", "ministack", "solvent")}
        """
    )
    found = {"boto3": True, "yaml": False, "pandas": False, "ministack": False, "solvent": False}
    assert aws.invoke(function)[0] == found


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


def test_what_a_function_prints_is_in_its_log(aws: EmbeddedAws) -> None:
    function = aws.function("def handler(event, context):\n    print('from the function')")
    aws.invoke(function)
    logs, group = aws.client("logs"), f"/aws/lambda/{function.rsplit(':', 1)[-1]}"
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert any("from the function" in e["message"] for e in events)


def test_a_silent_warm_call_takes_milliseconds(aws: EmbeddedAws) -> None:
    function = aws.function("def handler(event, context):\n    return 1")
    aws.invoke(function)
    begun = time.perf_counter()
    for _ in range(5):
        aws.invoke(function)
    assert (time.perf_counter() - begun) / 5 < 0.25
