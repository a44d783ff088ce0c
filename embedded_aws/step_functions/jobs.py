"""The optimized integrations of Glue and SageMaker: which operation starts, describes and stops what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from embedded_aws import service

Payload = dict[str, Any]


@dataclass(frozen=True)
class Integration:
    """One optimized integration.

    `describe`, `status` and the state names serve its `.sync` form; `identify(input, answer)` is the input of
    `describe`, `view` takes the description out of the answer; `also` is what the page of the integration asks for
    beside these calls, each with the ARN it is asked on.
    """

    service: str
    target: str
    operation: str
    describe: str | None = None
    status: str = ""
    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    stop: str | None = None
    identify: Callable[[Payload, Payload], Payload] = field(default=lambda given, answer: {})
    stop_request: Callable[[Payload, Payload], Payload] = field(default=lambda given, answer: {})
    view: Callable[[Payload], Payload] = field(default=lambda answer: answer)
    also: tuple[tuple[str, Callable[[Payload], str]], ...] = ()


GLUE = {
    "glue:startJobRun": Integration(
        service="glue",
        target="AWSGlue",
        operation="StartJobRun",
        describe="GetJobRun",
        status="JobRunState",
        succeeded=("SUCCEEDED",),
        failed=("FAILED", "STOPPED", "TIMEOUT", "ERROR"),
        stop="BatchStopJobRun",
        identify=lambda given, answer: {"JobName": given["JobName"], "RunId": answer["JobRunId"]},
        stop_request=lambda given, answer: {"JobName": given["JobName"], "JobRunIds": [answer["JobRunId"]]},
        view=lambda answer: answer["JobRun"],
        # https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
        also=(("glue:GetJobRuns", lambda given: service.arn("glue", f"job/{given['JobName']}")),),
    )
}


def _sagemaker(operation: str) -> Integration:
    return Integration(service="sagemaker", target="SageMaker", operation=operation)


def _job(kind: str, resource: str) -> Integration:
    name = f"{kind}JobName"

    def identified(given: Payload, answer: Payload) -> Payload:
        return {name: given[name]}

    return Integration(
        service="sagemaker",
        target="SageMaker",
        operation=f"Create{kind}Job",
        describe=f"Describe{kind}Job",
        status=f"{kind}JobStatus",
        succeeded=("Completed",),
        failed=("Failed", "Stopped"),
        stop=f"Stop{kind}Job",
        identify=identified,
        stop_request=identified,
        # The job is tagged as Step Functions' own: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
        also=(
            ("sagemaker:AddTags", lambda given: service.arn("sagemaker", f"{resource}/{given[name]}")),
            ("sagemaker:ListTags", lambda given: service.arn("sagemaker", f"{resource}/{given[name]}")),
        ),
    )


SAGEMAKER = {
    "sagemaker:createHyperParameterTuningJob": _job("HyperParameterTuning", "hyper-parameter-tuning-job"),
    "sagemaker:createTrainingJob": _job("Training", "training-job"),
    "sagemaker:createTransformJob": _job("Transform", "transform-job"),
    "sagemaker:createModel": _sagemaker("CreateModel"),
    "sagemaker:createEndpointConfig": _sagemaker("CreateEndpointConfig"),
    "sagemaker:createEndpoint": _sagemaker("CreateEndpoint"),
    "sagemaker:updateEndpoint": _sagemaker("UpdateEndpoint"),
}
