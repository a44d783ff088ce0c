"""What the embedded SageMaker does otherwise than SageMaker, as data: the documentation is made from these tables."""

from embedded_aws.redshift.differences import Difference

EXECUTED_DIFFERENTLY = (
    Difference(
        "training image, instance type and count", "recorded; the script runs on this machine's Python, as one process"
    ),
    Difference(
        "archives of a channel with native code",
        "left out, as they are for the container's platform; this machine's own packages serve",
    ),
    Difference("File and FastFile channels", "both are downloaded; S3Prefix only, no manifests, no sharding"),
    Difference("EnableNetworkIsolation", "no credentials, and every connection that Python makes is refused"),
    Difference("VpcConfig, spot, checkpoints, profiler", "recorded without effect"),
    Difference("KMS keys of volumes", "nothing is encrypted; the role or the caller must be allowed kms:CreateGrant"),
    Difference("StopTrainingJob", "SIGTERM, SIGKILL at the time limit after 10 s (AWS: 120 s)"),
    Difference("instances of an endpoint variant", "one server process stands for all of them"),
    Difference(
        "serving container",
        "a small ASGI server with the toolkit's functions: one process, no request time-out of nginx",
    ),
    Difference(
        "canary and linear traffic shifting",
        "the canary, or the first step, gets its share of the requests while alarms are watched, for at most 2 s; then "
        "all shifts at once",
    ),
    Difference(
        "data capture",
        "written a second later by the model's role, under the key that the configuration names; refused requests are "
        "not captured, and a stop in that second loses its lines",
    ),
    Difference("TerminationWaitInSeconds", "old containers end once their requests are answered"),
    Difference("endpoint metrics in CloudWatch", "none are published: an alarm rings only when it is set by hand"),
    Difference("transform jobs", "one container, one request at a time, whatever MaxConcurrentTransforms says"),
    Difference(
        "MLflow app",
        "a folder of MLflow's own file store; functions get its address in place of the app's ARN, and nothing asks "
        "for sagemaker:CallMlflowAppApi; no page, no presigned address (`mlflow ui` shows the folder)",
    ),
    Difference("restart of the embedded AWS", "endpoints come back; jobs that ran have failed"),
)

NOT_IMPLEMENTED = (
    "built-in algorithms (only script mode: sagemaker_program and sagemaker_submit_directory)",
    "training on more than one instance, Pipe mode",
    "models of several containers, multi-model, serverless and asynchronous endpoints, inference components",
    "data capture of transform jobs, DataProcessing of transform jobs, SplitType RecordIO and TFRecord",
    "processing, tuning, Autopilot, pipelines, feature store, Model Monitor, unversioned model packages",
)
