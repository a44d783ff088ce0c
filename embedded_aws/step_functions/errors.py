"""What a failing integration is called, so that Retry and Catch of a template match here as they do on AWS.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and, for the `aws-sdk` integrations,
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html: `<Service>.<Exception>Exception`,
where a code that the service's model does not name becomes `<Service>.<Service>Exception`.
"""

from embedded_aws import adapter

# What an optimized integration throws for a code that the service's model does not name (AccessDenied,
# ValidationException).
GENERIC = {
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "events": "EventBridge.AmazonEventBridgeException",
    "glue": "Glue.AWSGlueException",
    "lambda": "Lambda.AWSLambdaException",
    "sagemaker": "SageMaker.AmazonSageMakerException",
    "sns": "SNS.AmazonSNSException",
    "sqs": "SQS.AmazonSQSException",
    "states": "StepFunctions.AWSStepFunctionsException",
}


def modelled(service: str, code: str) -> str | None:
    """The exception's name in an AWS SDK when the service's model names the code, else None."""
    model = adapter.SFN_SERVICE_MODEL.get()(service)
    names = (
        {shape for shape in model.shape_names if model.shape_for(shape).metadata.get("exception")} if model else set()
    )
    if code not in names:
        return None
    if code.endswith("Fault"):
        return code.removesuffix("Fault") + "Exception"
    return code if code.endswith("Exception") else f"{code}Exception"


def optimized(service: str, code: str, message: str) -> Exception:
    """The failure of an optimized integration (`arn:aws:states:::sagemaker:createModel`)."""
    known = modelled(service, code)
    name = f"{GENERIC[service].split('.')[0]}.{known}" if known else GENERIC[service]
    return adapter.SFN_ERROR.get()(name, message)


def sdk_name(prefix: str, service: str, code: str) -> str:
    """The name that an `aws-sdk` integration gives a code: `SageMaker.SageMakerException` for a ValidationException."""
    known = modelled(service, code)
    return f"{prefix}.{known}" if known else f"{prefix}.{prefix}Exception"


def task_failed(cause: str) -> Exception:
    """A job that ran and failed: `.sync` integrations report States.TaskFailed with the job's description."""
    return adapter.SFN_ERROR.get()("States.TaskFailed", cause)
