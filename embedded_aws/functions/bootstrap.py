"""The runtime of one Lambda execution environment: a child process that reads events and writes answers, line by line.

Started with `python -I -S`: the function sees the standard library, boto3 and its own code, as in AWS's runtime, and
none of the laptop's packages. An exception leaves the process alive, as on AWS, and travels back under its own name.
"""

import importlib
import json
import os
import sys
import time
import traceback


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever the function prints is log
    start = json.loads(sys.stdin.readline())
    sys.path[:0] = start["path"]
    importlib.import_module("sitecustomize")  # the sandbox: loopback only

    def answer(message: dict) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        handler = getattr(importlib.import_module(start["module"]), start["handler"])
    except Exception as error:
        message = f"Unable to import module '{start['module']}': {error}"
        if isinstance(error, AttributeError):
            message = f"Handler '{start['handler']}' missing on module '{start['module']}'"
        answer({"status": "error", "fault": _fault(error, "Runtime.ImportModuleError", message)})
        return
    answer({"status": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        context = Context(start, request["ctx"])
        try:
            result = {"status": "ok", "result": handler(request["event"], context)}
            json.dumps(result)
        except BaseException as error:
            traceback.print_exc()
            result = {"status": "ok", "fault": _fault(error, type(error).__name__, str(error))}
        # Everything the function wrote is out before the answer: the reader stops at this mark instead of waiting.
        sys.stderr.write(start["end_of_log"] + "\n")
        sys.stderr.flush()
        answer(result)


def _fault(error: BaseException, name: str, message: str) -> dict:
    """What AWS answers for an exception: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    return {"errorMessage": message, "errorType": name, "stackTrace": traceback.format_tb(error.__traceback__)}


class Context:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    identity = None
    client_context = None

    def __init__(self, start: dict, request: dict) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = request["invoked_function_arn"]
        self.aws_request_id = request["request_id"]
        self._deadline = time.time() + start["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


main()
