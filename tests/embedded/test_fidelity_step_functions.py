"""Step Functions as AWS documents it, where ministack differs. Each test quotes the page it holds the embedded AWS
to.
"""

import json
from typing import Any

import pytest
from conftest import EmbeddedAws, wait

pytestmark = pytest.mark.embedded


def task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True, **more}


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@pytest.mark.contract(
    "step-functions.lambda-error-name",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    says="A task whose function raised fails under the exception's own name, which Retry and Catch match.",
)
def test_retry_and_catch_match_the_exceptions_own_name(aws: EmbeddedAws) -> None:
    # concepts-error-handling: "If a Lambda function fails during its invocation, the error name is the exception's".
    function = aws.function(
        """
        class PortfolioBusy(Exception):
            pass

        def handler(event, context):
            raise PortfolioBusy("somebody else has the lock")
        """
    )
    states = {
        "Try": task(
            "lambda:invoke",
            {"FunctionName": function},
            Retry=[{"ErrorEquals": ["PortfolioBusy"], "IntervalSeconds": 0, "MaxAttempts": 2}],
            Catch=[{"ErrorEquals": ["PortfolioBusy"], "Next": "Caught"}],
        ),
        "Caught": {"Type": "Pass", "End": True},
    }
    done = aws.execute(states, role=aws.role(allow("lambda:InvokeFunction")))
    assert done["status"] == "SUCCEEDED"
    caught = json.loads(done["output"])
    assert caught["Error"] == "PortfolioBusy"
    assert json.loads(caught["Cause"])["errorMessage"] == "somebody else has the lock"
    history = aws.client("stepfunctions").get_execution_history(executionArn=done["executionArn"])["events"]
    assert len([e for e in history if e["type"] == "TaskFailed"]) == 3  # the first attempt and two retries


@pytest.mark.contract(
    "step-functions.missing-path",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    quote="A States.Runtime error isn't retriable, and will always cause the execution to fail.",
)
@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Parameters": {"x.$": "$.missing"}, "End": True},
        {"Type": "Pass", "InputPath": "$.missing", "End": True},
        {"Type": "Pass", "OutputPath": "$.a.missing", "End": True},
        {"Type": "Pass", "Parameters": {"x.$": "States.Format('{}', $.missing)"}, "End": True},
        {"Type": "Choice", "Choices": [{"Variable": "$.missing", "StringEquals": "x", "Next": "S"}], "Default": "S"},
    ],
)
def test_a_path_that_finds_nothing_fails_the_execution(aws: EmbeddedAws, state: dict[str, Any]) -> None:
    # concepts-error-handling: "A States.Runtime error isn't retriable, and will always cause the execution to fail."
    done = aws.execute({"S": state, **({"T": {"Type": "Succeed"}})}, role=aws.role(), given={"a": {"b": None}})
    assert (done["status"], done["error"]) == ("FAILED", "States.Runtime")


@pytest.mark.contract(
    "step-functions.null-value",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html",
    says="IsPresent tells a missing field from one that is null.",
)
def test_a_null_that_is_there_is_no_missing_path(aws: EmbeddedAws) -> None:
    states = {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.b", "IsPresent": True, "Next": "P"}], "Default": "Bad"},
        "P": {"Type": "Pass", "Parameters": {"x.$": "$.b", "c.$": "$$.Execution.Name"}, "End": True},
        "Bad": {"Type": "Fail"},
    }
    done = aws.execute(states, role=aws.role(), given={"b": None})
    assert json.loads(done["output"]) == {"x": None, "c": done["name"]}


@pytest.mark.contract(
    "step-functions.execution-role",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html",
    says=(
        "Every integration is called with the state machine's role, and fails under the service's name "
        "where the role may not."
    ),
)
@pytest.mark.parametrize(
    ("resource", "parameters", "error", "action"),
    [
        ("lambda:invoke", {"FunctionName": "f"}, "Lambda.AWSLambdaException", "lambda:InvokeFunction"),
        ("sns:publish", {"TopicArn": "arn:aws:sns:eu-west-1:000000000000:t", "Message": "m"}, "SNS.", "sns:Publish"),
        ("glue:startJobRun.sync", {"JobName": "j"}, "Glue.", "glue:StartJobRun"),
        ("sagemaker:createModel", {"ModelName": "m"}, "SageMaker.AmazonSageMakerException", "sagemaker:CreateModel"),
        ("dynamodb:getItem", {"TableName": "t", "Key": {}}, "DynamoDB.AmazonDynamoDBException", "dynamodb:GetItem"),
        ("aws-sdk:redshiftdata:describeStatement", {"Id": "i"}, "RedshiftData.", "redshift-data:DescribeStatement"),
        ("aws-sdk:sagemaker:describeEndpoint", {"EndpointName": "e"}, "SageMaker.", "sagemaker:DescribeEndpoint"),
        ("states:startExecution.sync:2", {"StateMachineArn": "arn:m"}, "StepFunctions.", "states:StartExecution"),
    ],
)
def test_a_role_without_the_permission_is_denied(
    aws: EmbeddedAws, resource: str, parameters: dict[str, Any], error: str, action: str
) -> None:
    # procedure-create-iam-role: "Step Functions uses the execution role to call the integrated service."
    done = aws.execute({"T": task(resource, parameters)}, role=aws.role(allow("s3:GetObject", "events:*")))
    assert done["status"] == "FAILED"
    assert done["error"].startswith(error)
    assert f"is not authorized to perform: {action}" in done["cause"]


@pytest.mark.contract(
    "step-functions.sdk-error-name",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html",
    says=(
        "An aws-sdk integration fails under <Service>.<Exception>; a code that the service's model does not "
        "name is <Service>.<Service>Exception."
    ),
)
def test_an_unknown_endpoint_is_the_sdks_generic_exception(aws: EmbeddedAws) -> None:
    # supported-services-awssdk: a code that the service's model does not name (here ValidationException) is
    # "<Service>.<Service>Exception".
    done = aws.execute(
        {"T": task("aws-sdk:sagemaker:describeEndpoint", {"EndpointName": "no-such-endpoint"})},
        role=aws.role(allow("sagemaker:DescribeEndpoint")),
    )
    assert done["error"] == "SageMaker.SageMakerException"
    assert "Could not find endpoint" in done["cause"]


@pytest.mark.contract(
    "step-functions.nested-failure",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html",
    says="With .sync:2 a nested execution that fails is States.TaskFailed, its description the cause.",
)
def test_a_nested_execution_that_fails_is_a_failed_task(aws: EmbeddedAws) -> None:
    # connect-stepfunctions: with .sync:2 "the child's failure is States.TaskFailed", described as JSON in the cause.
    sfn = aws.client("stepfunctions")
    role = aws.role(allow("states:*", "events:*"))
    definition = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Own", "Cause": "why"}}}
    child = sfn.create_state_machine(name=aws.name(), roleArn=role, definition=json.dumps(definition))[
        "stateMachineArn"
    ]
    done = aws.execute({"T": task("states:startExecution.sync:2", {"StateMachineArn": child})}, role=role)
    assert done["error"] == "States.TaskFailed"
    assert json.loads(done["cause"])["Error"] == "Own"
    events = sfn.get_execution_history(executionArn=done["executionArn"])["events"]
    submitted = next(e for e in events if e["type"] == "TaskSubmitted")["taskSubmittedEventDetails"]
    assert (submitted["resourceType"], submitted["resource"]) == ("states", "startExecution.sync:2")
    assert json.loads(submitted["output"])["ExecutionArn"].startswith("arn:aws:states:")


@pytest.mark.contract(
    "step-functions.nested-output",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html",
    says="startExecution.sync gives the nested output as text, startExecution.sync:2 as JSON.",
)
def test_a_nested_execution_gives_its_output_as_json(aws: EmbeddedAws) -> None:
    sfn = aws.client("stepfunctions")
    role = aws.role(allow("states:*", "events:*"))
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"n": 1}, "End": True}}}
    child = sfn.create_state_machine(name=aws.name(), roleArn=role, definition=json.dumps(definition))[
        "stateMachineArn"
    ]
    done = aws.execute({"T": task("states:startExecution.sync:2", {"StateMachineArn": child})}, role=role)
    assert json.loads(done["output"])["Output"] == {"n": 1}


@pytest.mark.contract(
    "step-functions.nested-stop",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html",
    quote="Step Functions will make a best-effort attempt to cancel the task.",
)
def test_stopping_an_execution_stops_the_one_it_waits_for(aws: EmbeddedAws) -> None:
    sfn = aws.client("stepfunctions")
    role = aws.role(allow("states:*", "events:*"))
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    child = sfn.create_state_machine(name=aws.name(), roleArn=role, definition=json.dumps(waiting))["stateMachineArn"]
    calling = {"StartAt": "T", "States": {"T": task("states:startExecution.sync:2", {"StateMachineArn": child})}}
    parent = sfn.create_state_machine(name=aws.name(), roleArn=role, definition=json.dumps(calling))["stateMachineArn"]
    arn = sfn.start_execution(stateMachineArn=parent)["executionArn"]
    running = wait(lambda: sfn.list_executions(stateMachineArn=child)["executions"])
    sfn.stop_execution(executionArn=arn)
    wait(lambda: sfn.describe_execution(executionArn=running[0]["executionArn"])["status"] == "ABORTED")


@pytest.mark.contract(
    "step-functions.catch-all",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    quote="A retry or catch on States.ALL won't catch States.Runtime errors.",
)
def test_a_catch_of_everything_does_not_catch_a_missing_path(aws: EmbeddedAws) -> None:
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    function = aws.function("def handler(event, context):\n    return {}")
    selector = {"x.$": "$.Payload.missing"}
    states = {
        "T": task("lambda:invoke", {"FunctionName": function}, ResultSelector=selector, Catch=caught),
        "Caught": {"Type": "Pass", "End": True},
    }
    done = aws.execute(states, role=aws.role(allow("lambda:InvokeFunction")))
    assert (done["status"], done.get("error")) == ("FAILED", "States.Runtime")


@pytest.mark.contract(
    "step-functions.intrinsic-failure",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    says="An intrinsic function that cannot be evaluated is States.IntrinsicFailure.",
)
def test_an_intrinsic_function_that_fails_has_a_name(aws: EmbeddedAws) -> None:
    state = {"Type": "Pass", "Parameters": {"x.$": "States.StringToJson($.text)"}, "End": True}
    done = aws.execute({"P": state}, role=aws.role(), given={"text": "no {json"})
    assert (done["status"], done["error"]) == ("FAILED", "States.IntrinsicFailure")


@pytest.mark.contract(
    "step-functions.function-arn",
    page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html",
    says="A task whose resource is a function's ARN gives the function its input, with the state machine's role.",
)
def test_a_task_may_name_a_function_directly(aws: EmbeddedAws) -> None:
    function = aws.function("def handler(event, context):\n    return {'got': event}")
    states = {"T": {"Type": "Task", "Resource": function, "End": True}}
    done = aws.execute(states, role=aws.role(allow("lambda:InvokeFunction")), given={"n": 1})
    assert json.loads(done["output"]) == {"got": {"n": 1}}
    refused = aws.execute(states, role=aws.role(allow("s3:GetObject")))
    assert "is not authorized to perform: lambda:InvokeFunction" in refused["cause"]
